package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

const (
	// small is how many websites there are besides those that are measured.
	small = 97
	// visitors is how many visitors a measured website has, and at most as many as it has payments ten times.
	visitors = 1_000_000
)

// load makes the websites and fills them, unless an earlier run has.
func (b *bench) load(ctx context.Context) error {
	for _, payments := range b.scales {
		s, isNew, err := b.site(ctx, scaleName(payments)+".example")
		if err != nil {
			return err
		}
		s.payments = payments
		b.sites = append(b.sites, s)
		if isNew {
			progress("making %s payments", scaleName(payments))
			if err := b.fill(ctx, s.ID, payments, min(visitors, 10*payments)); err != nil {
				return err
			}
		}
	}
	for i := range small {
		s, isNew, err := b.site(ctx, fmt.Sprintf("small-%d.example", i))
		if err != nil {
			return err
		}
		if isNew {
			if err := b.fill(ctx, s.ID, 1000, 1000); err != nil {
				return err
			}
		}
	}
	_, err := b.db.Exec(ctx, "VACUUM ANALYZE")
	return err
}

// site is a website by its domain, with a key of its own. One that was made before gets another key.
func (b *bench) site(ctx context.Context, domain string) (s site, isNew bool, err error) {
	read := func() error {
		return b.db.QueryRow(ctx, "SELECT id, tracking_id, domain FROM websites WHERE domain = $1", domain).Scan(&s.ID, &s.TrackingID, &s.Domain)
	}
	var made struct{ Key string }
	switch err = read(); {
	case errors.Is(err, pgx.ErrNoRows):
		isNew = true
		if err = b.command(ctx, &made, "website", "create", "--domain", domain); err == nil {
			err = read()
		}
	case err == nil:
		err = b.command(ctx, &made, "key", "create", "--website", domain)
	}
	s.Key = made.Key
	return s, isNew, err
}

// fill makes visits and payments of the two years before now. They follow from their numbers alone, so that
// every run has the same.
func (b *bench) fill(ctx context.Context, website string, payments, visitors int) error {
	script, err := scripts.ReadFile("scripts/fill.sql")
	if err != nil {
		return err
	}
	args := strings.NewReplacer(":website", "'"+website+"'", ":payments", fmt.Sprint(payments), ":visitors", fmt.Sprint(visitors))
	for statement := range strings.SplitSeq(string(script), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := b.db.Exec(ctx, args.Replace(statement)); err != nil {
			return err
		}
	}
	return nil
}
