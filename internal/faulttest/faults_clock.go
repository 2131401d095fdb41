package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"time"
)

// maxTurn is by how much a clock is wrong at most. What the writers send with a time is never from its future.
const maxTurn = 200 * 24 * time.Hour

// turn has the clock of a server be wrong.
func (s *server) turn(by time.Duration) error {
	// It must never be read in the middle.
	return errors.Join(os.WriteFile(s.clock+".new", []byte(by.String()), 0o644), os.Rename(s.clock+".new", s.clock))
}

// turnClocks has the clocks of servers jump forward and back, each for itself, by seconds or by months.
func turnClocks(_ context.Context, r *rig, rng *rand.Rand) error {
	for range 12 {
		by := between(rng, -maxTurn, maxTurn)
		if rng.IntN(2) == 0 {
			by = between(rng, -time.Minute, time.Minute)
		}
		if err := r.servers[rng.IntN(len(r.servers))].turn(by); err != nil {
			return err
		}
		time.Sleep(between(rng, 100*time.Millisecond, 800*time.Millisecond))
	}
	var failed []error
	for _, s := range r.servers {
		failed = append(failed, s.turn(0))
	}
	return errors.Join(failed...)
}
