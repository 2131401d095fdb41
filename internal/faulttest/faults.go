package main

import (
	"context"
	"math/rand/v2"
	"syscall"
	"time"
)

// allFaults are the faults that there are.
func allFaults() []fault {
	return []fault{
		{name: "SIGKILL of a server", do: killServer},
		{name: "SIGKILL of all of Postgres", do: killPostgres},
		{name: "SIGKILL of the postmaster", do: killPostmaster},
		{name: "SIGKILL of a backend", do: killBackend},
		{name: "SIGKILL of a server and Postgres", do: killBoth},
		{name: "SIGSTOP of a server", do: stopServer},
		{name: "SIGSTOP of Postgres", do: stopPostgres},
		{name: "SIGSTOP of a backend", do: stopBackend},
		{name: "connections cut at COMMIT", do: cutCommits},
		{name: "connections of clients cut", do: cutClients},
		{name: "latency", do: slowNetworks},
		{name: "Postgres out of reach for a while", do: holdNetwork},
		{name: "connections to Postgres lost", do: loseConnections, back: lostBack},
		{name: "pg_terminate_backend", do: terminate},
		{name: "tables locked by another", do: lockTables},
		{name: "no connections left", do: takeConnections},
		{name: "disk full", do: fillDisk, needsDisk: true},
		{name: "disk that cannot sync", do: breakDisk, needsDisk: true},
		{name: "clocks that jump", do: turnClocks},
		{name: "five starts at once", do: startMany},
		{name: "SIGKILL of a migration", do: killMigrations},
	}
}

// between is a time between two others.
func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// strikes does something some times, with pauses in which the writers come further.
func strikes(ctx context.Context, rng *rand.Rand, n int, strike func() error) error {
	for range n {
		if err := strike(); err != nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(between(rng, 200*time.Millisecond, 1200*time.Millisecond))
	}
	return nil
}

func killServer(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 5, func() error {
		s := r.servers[rng.IntN(len(r.servers))]
		s.kill()
		r.report.count(func(f *figures) { f.kills++ })
		time.Sleep(between(rng, 0, 300*time.Millisecond))
		return s.start(ctx)
	})
}

func killPostgres(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 4, func() error {
		if r.cluster.killAll() > 0 {
			r.report.count(func(f *figures) { f.kills++ })
		}
		return r.cluster.wait(ctx)
	})
}

func killPostmaster(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 3, func() error {
		if pid, _ := r.cluster.processes(); pid != 0 {
			r.report.count(func(f *figures) { f.kills++ })
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return r.cluster.wait(ctx)
	})
}

func killBackend(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 4, func() error {
		if pids := r.cluster.backends(ctx); len(pids) > 0 {
			r.report.count(func(f *figures) { f.kills++ })
			_ = syscall.Kill(pids[rng.IntN(len(pids))], syscall.SIGKILL)
		}
		return r.cluster.wait(ctx)
	})
}

func killBoth(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 3, func() error {
		s := r.servers[rng.IntN(len(r.servers))]
		go r.cluster.killAll()
		s.kill()
		r.report.count(func(f *figures) { f.kills += 2 })
		if err := r.cluster.wait(ctx); err != nil {
			return err
		}
		return s.start(ctx)
	})
}

func stopServer(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		p := r.servers[rng.IntN(len(r.servers))].running()
		p.signal(syscall.SIGSTOP)
		defer p.signal(syscall.SIGCONT)
		r.report.count(func(f *figures) { f.stops++ })
		time.Sleep(between(rng, time.Second, 4*time.Second))
		return nil
	})
}

func stopPostgres(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 2, func() error {
		postmaster, children := r.cluster.processes()
		pause(append(children, postmaster), between(rng, time.Second, 4*time.Second))
		r.report.count(func(f *figures) { f.stops++ })
		return nil
	})
}

func stopBackend(ctx context.Context, r *rig, rng *rand.Rand) error {
	return strikes(ctx, rng, 3, func() error {
		if pids := r.cluster.backends(ctx); len(pids) > 0 {
			pause(pids[:1], between(rng, time.Second, 4*time.Second))
			r.report.count(func(f *figures) { f.stops++ })
		}
		return nil
	})
}

func terminate(ctx context.Context, r *rig, rng *rand.Rand) error {
	conn, err := r.cluster.connect(ctx, r.database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for range 60 {
		_, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = 'tributary' AND random() < $1`, rng.Float64())
		if err != nil {
			return err
		}
		time.Sleep(between(rng, 10*time.Millisecond, 100*time.Millisecond))
	}
	return nil
}
