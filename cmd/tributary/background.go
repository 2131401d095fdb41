package main

import (
	"context"
	"sync"
	"time"
)

// beside does something beside the server. The answer ends that, and waits until it has ended.
func beside(ctx context.Context, do func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { do(ctx) })
	return func() {
		cancel()
		work.Wait()
	}
}

// wait waits for so long, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
