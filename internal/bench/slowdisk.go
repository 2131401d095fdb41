package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(programs)
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
	real, err := find("postgres")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "tributary-bench-")
	if err != nil {
		return "", err
	}
	source, err := scripts.ReadFile("scripts/slowsync.c")
	if err != nil {
		return dir, err
	}
	library, wrapper := filepath.Join(dir, "slowsync.so"), filepath.Join(dir, "postgres")
	if err := os.WriteFile(library+".c", source, 0o644); err != nil {
		return dir, err
	}
	out, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-o", library, library+".c", "-ldl").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("a C compiler is needed to make the disk slow: %w: %s", err, out)
	}
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(real), "*"))
	for _, program := range others {
		if name := filepath.Base(program); name != "postgres" {
			if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
				return dir, err
			}
		}
	}
	script := fmt.Sprintf("#!/bin/sh\nLD_PRELOAD=%s SLOWSYNC_MS=%d exec %s \"$@\"\n", library, slowSync, real)
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		return dir, err
	}
	// The programs run as another user if this is root.
	return dir, os.Chmod(dir, 0o755)
}
