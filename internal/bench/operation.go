package main

import (
	"context"
	"time"
)

// sampling is how often memory is measured under load.
const sampling = 50 * time.Millisecond

// operation measures how fast the server starts with all the data, and its memory, idle and under load.
func (b *bench) operation(ctx context.Context) (section, error) {
	start := row{name: "start with all data, until it is ready", unit: "ms", target: atMost(500)}
	idle := row{name: "memory after the start and one report", unit: "MB", target: atMost(40)}
	peak := row{name: "memory at its peak under `POST /api/v1/payments`, 256 connections", unit: "MB", target: atMost(120)}
	for round := range b.rounds {
		progress("start and memory (%d of %d)", round+1, b.rounds)
		b.stop()
		if err := b.start(ctx); err != nil {
			return section{}, err
		}
		start.values = append(start.values, float64(b.started.Milliseconds()))
		if _, err := b.ask(ctx, b.sites[0], questions(time.Now())[0].query); err != nil {
			return section{}, err
		}
		resident, err := b.resident()
		if err != nil {
			return section{}, err
		}
		idle.values = append(idle.values, resident)
		if resident, err = b.peak(ctx, load{"payment.lua", 256}); err != nil {
			return section{}, err
		}
		peak.values = append(peak.values, resident)
	}
	return section{title: "Running", intro: "Memory is that of the server, without Postgres.", rows: []row{start, idle, peak}}, nil
}

// peak is the most memory that the server had under a load, in MB.
func (b *bench) peak(ctx context.Context, l load) (float64, error) {
	done := make(chan error, 1)
	go func() {
		_, err := b.wrk(ctx, b.written, l)
		done <- err
	}()
	var most float64
	for {
		select {
		case err := <-done:
			return most, err
		case <-time.After(sampling):
			resident, err := b.resident()
			if err != nil {
				return 0, err
			}
			most = max(most, resident)
		}
	}
}
