package main

import (
	"context"
	_ "embed"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"tributary/internal/preload"
)

//go:embed disk/disk.c
var diskSource []byte

// The states of the disk of Postgres, as disk.c knows them.
const (
	diskFull   = "f"
	diskBroken = "b"
)

// disk is the disk of a Postgres, which can be made full or broken.
type disk struct {
	programs string // the directory of that Postgres' programs
	state    string // the file that says how it is
}

// newDisk makes one in a directory that every user may read.
func newDisk(ctx context.Context) (*disk, error) {
	dir, err := os.MkdirTemp("", "tributary-disk-")
	if err != nil {
		return nil, err
	}
	d := &disk{state: filepath.Join(dir, "state")}
	d.programs, err = preload.Postgres(ctx, diskSource, "DISK_FAULT="+d.state)
	if err = errors.Join(err, os.Chmod(dir, 0o755)); err != nil {
		d.remove()
	}
	return d, err
}

func (d *disk) remove() {
	_ = os.RemoveAll(filepath.Dir(d.state))
	if d.programs != "" {
		_ = os.RemoveAll(d.programs)
	}
}

// is has the disk be in a state for a while.
func (d *disk) is(state string, length time.Duration) error {
	if err := os.WriteFile(d.state, []byte(state), 0o644); err != nil {
		return err
	}
	time.Sleep(length)
	return os.Remove(d.state)
}

// fillDisk has the disk full, twice. Postgres goes on, or ends and cannot start until there is room.
func fillDisk(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		return errors.Join(r.disk.is(diskFull, between(rng, 2*time.Second, 5*time.Second)), r.cluster.wait(ctx))
	})
}

// breakDisk has the disk fail to sync, upon which Postgres ends, since it cannot know what is on it.
func breakDisk(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		return errors.Join(r.disk.is(diskBroken, between(rng, 50*time.Millisecond, time.Second)), r.cluster.wait(ctx))
	})
}
