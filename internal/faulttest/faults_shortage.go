package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// askers are how many clients ask a server for reports at the same time, far more than it has connections.
const askers = 100

// lockTables has another session hold locks that all wait for, while more reports are asked for than there are
// connections. The servers must go on to say that they live.
func lockTables(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		conn, err := r.cluster.connect(ctx, r.database)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		table := []string{"payments", "rollups", "visitors", "websites, tokens"}[rng.IntN(4)]
		if _, err := conn.Exec(ctx, "BEGIN; LOCK TABLE "+table); err != nil {
			return err
		}
		var reports sync.WaitGroup
		defer reports.Wait()
		for i := range askers {
			s := r.servers[i%len(r.servers)]
			reports.Go(func() {
				var data any
				r.client.query(ctx, s, r.sites[i%2].Key, `{ revenueBy(dimension: SOURCE) { edges { node { key } } } }`, nil, &data)
			})
		}
		time.Sleep(between(rng, time.Second, 4*time.Second))
		for _, s := range r.servers {
			if got := r.client.send(ctx, s, "", http.MethodGet, "/healthz", nil); got.status != http.StatusOK {
				r.report.breach(wrong, "%s does not say that it lives while %s is locked", s.name, table)
			}
		}
		_, err = conn.Exec(ctx, "ROLLBACK")
		return err
	})
}

// takeConnections ends the servers' connections and takes all that Postgres has.
func takeConnections(ctx context.Context, r *rig, rng *rand.Rand) error {
	admin, err := r.cluster.connect(ctx, r.database)
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	var until time.Time // once all are taken
	for ctx.Err() == nil && (until.IsZero() || time.Now().Before(until)) {
		conn, err := pgx.Connect(ctx, r.cluster.server.URL())
		if err == nil {
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			continue
		}
		if until.IsZero() {
			until = time.Now().Add(between(rng, 2*time.Second, 4*time.Second))
		}
		if _, err := admin.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tributary'`); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}
