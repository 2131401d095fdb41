package main

import (
	"context"
	"strings"
	"time"

	"tributary/db"
)

const (
	sampleEvery = 5 * time.Second
	sampleRetry = time.Minute // after an error
)

// takeSamples keeps, beside the server, what Postgres expects of websites near what they have. The answer ends that.
func (a *app) takeSamples(ctx context.Context, store *db.Store) (stop func()) {
	return beside(ctx, func(ctx context.Context) {
		for pause := sampleEvery; ctx.Err() == nil; wait(ctx, pause) {
			pause = sampleEvery
			tables, err := store.TakeSamples(ctx)
			if err != nil && ctx.Err() == nil {
				pause = sampleRetry
				a.log.Warn("Postgres has no new samples of tables that have grown: reports of a new website may be slow", "error", err)
			}
			if len(tables) > 0 {
				a.log.Debug("took new samples for the planner of Postgres", "tables", strings.Join(tables, " "))
			}
		}
	})
}
