package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"tributary/internal/preload"
)

// slowSync is by how many milliseconds a slow disk takes longer to sync.
const slowSync = 5

// poolSize is how many connections to Postgres a server has.
const poolSize = 20

// slowDisk measures recording on a disk that takes its time, with a server and Postgres of its own.
func slowDisk(ctx context.Context, o options) ([]row, error) {
	if runtime.GOOS != "linux" {
		progress("a slow disk is only measured on Linux")
		return nil, nil
	}
	programs, err := slowPostgres(ctx)
	if programs != "" {
		defer os.RemoveAll(programs)
	}
	if err != nil {
		return nil, err
	}
	o.dir = ""
	b, err := open(ctx, o, "PATH="+programs+":"+os.Getenv("PATH"))
	if err != nil {
		return nil, err
	}
	defer b.close()
	s := newSite("slow", 10_000)
	if err := b.prepare(ctx, []*site{s}); err != nil {
		return nil, err
	}
	var rows []row
	for _, base := range []struct {
		script string
		aim    target
	}{{bareInsert, atLeast(8)}, {sameWork, target{}}} {
		ours := b.rest(ctx, s, 256)
		ours.name += ", slow disk"
		r, err := b.compare(ours, b.pgbenchTurn(ctx, s, base.script, poolSize), "payments/s", base.aim)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// slowPostgres makes a directory with the programs of Postgres, of which the server syncs slowly.
func slowPostgres(ctx context.Context) (string, error) {
	source, err := scripts.ReadFile("scripts/slowsync.c")
	if err != nil {
		return "", err
	}
	dir, err := preload.Postgres(ctx, source, fmt.Sprintf("SLOWSYNC_MS=%d", slowSync))
	if err != nil {
		return dir, fmt.Errorf("make the disk slow: %w", err)
	}
	return dir, nil
}
