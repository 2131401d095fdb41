package main

import (
	"context"
	"time"

	"tributary/db"
)

// pruneEvery is how often a server looks for visits that are too old.
const pruneEvery = time.Hour

// pruneVisits deletes, beside the server, visits that are older than they are kept, if they are not kept for ever.
// The answer ends that.
func (a *app) pruneVisits(ctx context.Context, keep days, store *db.Store) (stop func()) {
	if keep == 0 {
		return func() {}
	}
	return beside(ctx, func(ctx context.Context) {
		for ctx.Err() == nil {
			if err := a.pruneOnce(ctx, keep, store); err != nil && ctx.Err() == nil {
				a.log.Warn("not all visits that are too old could be deleted; the next try is in an hour", "error", err)
			}
			wait(ctx, pruneEvery)
		}
	})
}

func (a *app) pruneOnce(ctx context.Context, keep days, store *db.Store) error {
	websites, err := store.Websites(ctx, "")
	if err != nil {
		return err
	}
	before := now().Add(-time.Duration(keep) * 24 * time.Hour)
	for _, w := range websites {
		pruned, err := store.PruneVisits(ctx, w, before)
		if pruned.Visits+pruned.Events > 0 {
			a.log.Info("deleted what is older than visits are kept", "website", w.Domain, "visits", pruned.Visits, "events", pruned.Events, "visitors", pruned.Visitors)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
