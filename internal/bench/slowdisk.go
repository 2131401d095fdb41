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
	o.dir, o.scales = "", scales{10_000}
	b, err := open(ctx, o, "PATH="+programs+":"+os.Getenv("PATH"))
	if err != nil {
		return nil, err
	}
	defer b.close()
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	s := b.sites[0]
	r, err := b.compare(
		turn{fmt.Sprintf("POST /api/v1/payments, 256 connections, sync + %d ms", slowSync), func() (float64, error) {
			measured, err := b.wrk(ctx, s, load{script: "payment.lua", connections: 256})
			return measured.Requests, err
		}},
		turn{"a transaction a payment, on as many connections to Postgres as a server has", func() (float64, error) {
			return b.pgbench(ctx, s, 20, "tps")
		}}, "payments/s", "≥ 8")
	return []row{r}, err
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
