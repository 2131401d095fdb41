package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

const (
	// websites is how many there are.
	websites = 100
	// visitors is how many a website has at most; one with few payments has ten for each of them.
	visitors = 1_000_000
	// few is how many payments and visitors the websites have that are there for company.
	few = 1000
	// deleted is how many payments are deleted at most, while the same website is written to or another.
	deleted = 1_000_000
)

// site is a website with data that follows from the number of its payments.
type site struct {
	ID         string
	TrackingID string
	Domain     string
	Key        string
	payments   int
	visitors   int
}

func newSite(name string, payments int) *site {
	return &site{Domain: name + ".example", payments: payments, visitors: min(visitors, 10*payments)}
}

// load makes the websites and fills them, as far as an earlier run on the same directory has not: those that are
// read, one that is written to and small ones.
func (b *bench) load(ctx context.Context) error {
	for _, payments := range b.scales {
		b.sites = append(b.sites, newSite(scaleName(payments), payments))
	}
	b.written = newSite("written", 2*min(deleted, b.scales.greatest()))
	all := append(slices.Clone(b.sites), b.written)
	for i := len(all); i < websites; i++ {
		b.other = &site{Domain: fmt.Sprintf("small-%d.example", i), payments: few, visitors: few}
		all = append(all, b.other)
	}
	return b.prepare(ctx, all)
}

// prepare makes websites, fills those that are not full and builds the rollups that are missing.
func (b *bench) prepare(ctx context.Context, sites []*site) error {
	progress("making %d websites", len(sites))
	var empty []*site
	for _, s := range sites {
		if err := b.make(ctx, s); err != nil {
			return err
		}
		var isFull bool
		if err := b.db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM payments WHERE website_id = $1 AND transaction_id = 'p0')", s.ID).Scan(&isFull); err != nil {
			return err
		}
		if !isFull {
			empty = append(empty, s)
		}
	}
	if len(empty) > 0 {
		if err := pgx.BeginFunc(ctx, b.db, func(tx pgx.Tx) error { return fill(ctx, tx, empty) }); err != nil {
			return err
		}
		progress("vacuum and analyze")
		if _, err := b.db.Exec(ctx, "VACUUM ANALYZE"); err != nil {
			return err
		}
	}
	return b.buildRollups(ctx, sites)
}

// buildRollups builds those that are not complete, since what is filled by SQL is not in them, and compares all
// with the payments.
func (b *bench) buildRollups(ctx context.Context, sites []*site) error {
	for _, s := range sites {
		var isComplete bool
		if err := b.db.QueryRow(ctx, "SELECT rollups_until IS NULL AND visitor_rollups_until IS NULL FROM websites WHERE id = $1", s.ID).Scan(&isComplete); err != nil {
			return err
		}
		if isComplete {
			continue
		}
		if s.payments > few {
			progress("%s: rollups", s.Domain)
		}
		if err := b.command(ctx, nil, "rollups", "rebuild", s.Domain); err != nil {
			return err
		}
	}
	return b.verifyRollups(ctx)
}

// verifyRollups compares all rollups with the payments.
func (b *bench) verifyRollups(ctx context.Context) error {
	progress("comparing the rollups with the payments")
	var found struct{ Websites []struct{ Complete bool } }
	if err := b.command(ctx, &found, "rollups", "verify", "--log-level", "warn"); err != nil {
		return err
	}
	for _, website := range found.Websites {
		if !website.Complete {
			return errors.New("rollups are not complete")
		}
	}
	return nil
}

// make finds or makes the website, and a key of its own.
func (b *bench) make(ctx context.Context, s *site) error {
	read := func() error {
		return b.db.QueryRow(ctx, "SELECT id, tracking_id FROM websites WHERE domain = $1", s.Domain).Scan(&s.ID, &s.TrackingID)
	}
	var made struct{ Key string }
	err := read()
	if err == nil {
		err = b.command(ctx, &made, "key", "create", "--website", s.Domain)
	} else if errors.Is(err, pgx.ErrNoRows) {
		if err = b.command(ctx, &made, "website", "create", "--domain", s.Domain); err == nil {
			err = read()
		}
	}
	s.Key = made.Key
	return err
}
