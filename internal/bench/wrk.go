package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"tributary/internal/preload"
)

// load is a load of wrk on the server.
type load struct {
	script      string
	connections int
}

// loaded is what wrk has measured.
type loaded struct {
	Requests float64 // a second
	Mean     float64 // ms
	P99      float64 // ms
	Failed   int     // answers that are no success, and requests without an answer
}

// wrk puts a load on the server. An answer that is no success is an error.
func (b *bench) wrk(ctx context.Context, s *site, l load) (loaded, error) {
	cmd, err := b.wrkCommand(ctx, s, l, b.seconds)
	if err != nil {
		return loaded{}, err
	}
	if err := cmd.Run(); err != nil {
		return loaded{}, fmt.Errorf("wrk: %w", err)
	}
	return readLoaded(cmd)
}

// longest is for how many seconds a load lasts at most that ends with something else.
const longest = 3600

// wrkDuring puts a load on the server for as long as something is done.
func (b *bench) wrkDuring(ctx context.Context, s *site, l load, do func() error) (loaded, error) {
	cmd, err := b.wrkCommand(ctx, s, l, longest)
	if err != nil {
		return loaded{}, err
	}
	if err := cmd.Start(); err != nil {
		return loaded{}, fmt.Errorf("wrk: %w", err)
	}
	done := do()
	// When it is interrupted, wrk says what it has measured so far.
	if err := errors.Join(done, cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
		return loaded{}, err
	}
	return readLoaded(cmd)
}

// wrkCommand is a run of wrk, whose standard output is a *bytes.Buffer.
func (b *bench) wrkCommand(ctx context.Context, s *site, l load, seconds int) (*exec.Cmd, error) {
	program, err := preload.Find("wrk")
	if err != nil {
		return nil, err
	}
	script, err := b.script("wrk/common.lua", "wrk/"+l.script)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "-t1", "-c", strconv.Itoa(l.connections), "-d", strconv.Itoa(seconds)+"s",
		"--timeout", "20s", "-s", script, b.url)
	cmd.Env = append(os.Environ(), "KEY="+s.Key, "TRACKING_ID="+s.TrackingID, "DOMAIN="+s.Domain)
	cmd.Stdout = &bytes.Buffer{}
	return cmd, nil
}

// readLoaded reads what wrk has measured, which is the last that it prints.
func readLoaded(cmd *exec.Cmd) (loaded, error) {
	out := cmd.Stdout.(*bytes.Buffer).Bytes()
	var measured loaded
	if err := json.Unmarshal(out[max(0, bytes.LastIndexByte(out, '{')):], &measured); err != nil {
		return measured, fmt.Errorf("wrk answered what cannot be read: %w", err)
	}
	if measured.Failed > 0 {
		return measured, fmt.Errorf("%d requests failed", measured.Failed)
	}
	return measured, nil
}
