package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/internal/dbtest"
)

const (
	startsAtOnce = 5
	// oldDatabase has the first schema that there was, and some data.
	oldDatabase = "old"
	oldPayments = 5_000
)

// fillOld makes the data of the old database. Its payments add up to oldPayments × 10.00.
const fillOld = `
	CREATE TABLE schema_migrations (name text COLLATE "C" NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(), CONSTRAINT schema_migrations_pkey PRIMARY KEY (name));
	INSERT INTO schema_migrations (name) VALUES ('migrations/0001_ledger.sql');
	INSERT INTO accounts (id, name, created_at) VALUES ('a', 'A', now());
	INSERT INTO websites (id, account_id, tracking_id, domain, name, timezone, currency, created_at) VALUES ('w', 'a', 'dfid_w', 'old.example', 'Old', 'UTC', 'USD', now());
	INSERT INTO visits (website_id, id, visitor_id, started_at, last_seen_at, landing_page, source, utm_source, utm_medium, utm_campaign, utm_term, utm_content, pageviews)
		SELECT 'w', gen_random_uuid(), 'v' || i, now(), now(), 'https://old.example/?page=' || i, 'direct', '', '', '', '', '', 1 FROM generate_series(1, %[1]d) i;
	INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, reporting_minor, occurred_at, recorded_at, basis)
		SELECT 'w', gen_random_uuid(), 't' || i, 'CHARGE', false, 't' || i, 'USD', 1000, 1000, now() - i * interval '1 hour', now(), 'NONE' FROM generate_series(1, %[1]d) i`

// startMany starts servers at the same time on an empty database and on an old one.
func startMany(ctx context.Context, r *rig, _ *rand.Rand) error {
	if err := r.cluster.create(ctx, "empty", "template0"); err != nil {
		return err
	}
	defer r.cluster.drop(ctx, "empty")
	if err := r.startAll(ctx, "empty"); err != nil {
		return err
	}
	return r.withOld(ctx, func(name string) error { return r.startAll(ctx, name) })
}

// startAll starts servers at the same time on a database. All must start, and the schema must be that of the others.
func (r *rig) startAll(ctx context.Context, database string) error {
	var starts sync.WaitGroup
	failed := make([]error, startsAtOnce)
	for i := range startsAtOnce {
		starts.Go(func() {
			s := &server{name: "a server that starts", binary: r.binary, url: databaseURL(r.back, database), log: r.servers[0].log}
			failed[i] = s.launch(ctx)
			s.kill()
		})
	}
	starts.Wait()
	if err := errors.Join(failed...); err != nil {
		r.report.breach(wrong, "of %d servers that start at once on the database %q not all do: %v", startsAtOnce, database, err)
	}
	return r.checkSchema(ctx, database, false)
}

// killMigrations kills a program that migrates an old database, or its Postgres, again and again. Each time, all or
// nothing must be migrated.
func killMigrations(ctx context.Context, r *rig, rng *rand.Rand) error {
	return r.withOld(ctx, func(name string) error {
		for range 6 {
			p, err := spawn(exec.Command(r.binary, "migrate", "--database-url", databaseURL(r.back, name)))
			if err != nil {
				return err
			}
			time.Sleep(between(rng, 50*time.Millisecond, 1500*time.Millisecond))
			if rng.IntN(3) == 0 {
				r.cluster.killAll()
			}
			p.kill()
			r.report.count(func(f *figures) { f.kills++ })
			if err := errors.Join(r.cluster.wait(ctx), r.checkSchema(ctx, name, true)); err != nil {
				return err
			}
		}
		if err := command(ctx, r.binary, databaseURL(r.back, name), nil, "migrate"); err != nil {
			return err
		}
		return r.checkSchema(ctx, name, false)
	})
}

// withOld does something with a copy of the old database.
func (r *rig) withOld(ctx context.Context, do func(name string) error) error {
	if err := r.makeOld(ctx); err != nil {
		return fmt.Errorf("make an old database: %w", err)
	}
	const name = "old_copy"
	if err := r.cluster.create(ctx, name, oldDatabase); err != nil {
		return err
	}
	defer r.cluster.drop(ctx, name)
	return do(name)
}

// makeOld makes the old database, unless it is there.
func (r *rig) makeOld(ctx context.Context) error {
	if r.oldSchema != nil {
		return nil
	}
	dir, err := sourceOf(ctx, "tributary/db")
	if err != nil {
		return err
	}
	first, err := os.ReadFile(filepath.Join(dir, "migrations", "0001_ledger.sql"))
	if err != nil {
		return err
	}
	if err := r.cluster.create(ctx, oldDatabase, "template0"); err != nil {
		return err
	}
	conn, err := r.cluster.connect(ctx, oldDatabase)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, "SET ROLE tributary;"+string(first)+fmt.Sprintf(fillOld, oldPayments))
	if err == nil {
		r.oldSchema, err = describe(ctx, conn)
	}
	return err
}

// describe is a database's schema in words.
func describe(ctx context.Context, conn *pgx.Conn) (lines []string, err error) {
	return lines, conn.QueryRow(ctx, dbtest.Schema).Scan(&lines)
}

// checkSchema compares the schema of a database, and its payments if it was an old one. It may be the old schema
// still if it says so.
func (r *rig) checkSchema(ctx context.Context, database string, mayBeOld bool) error {
	var schemas [2][]string
	var entries, sum, twice int64
	for i, name := range []string{r.database, database} {
		conn, err := r.cluster.connect(ctx, name)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		if schemas[i], err = describe(ctx, conn); err != nil {
			return err
		}
		err = conn.QueryRow(ctx, `SELECT count(*), coalesce(sum(amount_minor), 0)::bigint,
			(SELECT count(*) - count(DISTINCT name) FROM schema_migrations) FROM payments`).Scan(&entries, &sum, &twice)
		if err != nil {
			return err
		}
	}
	isOld := mayBeOld && slices.Equal(schemas[1], r.oldSchema)
	if !isOld && !slices.Equal(schemas[0], schemas[1]) {
		r.report.breach(wrong, "the schema of the database %q is neither the old nor the new one: %v", database, schemas[1])
	}
	if entries != 0 && entries != oldPayments || sum != entries*1000 || twice != 0 {
		r.report.breach(wrong, "the database %q has %d payments of %d cents, and %d migrations twice", database, entries, sum, twice)
	}
	return nil
}
