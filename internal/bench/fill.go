package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// fillStep is how many payments are made by one statement.
const fillStep = 1_000_000

// fill gives websites their visits and payments, and takes what they had.
func fill(ctx context.Context, tx pgx.Tx, sites []*site) error {
	ids := make([]string, len(sites))
	for i, s := range sites {
		ids[i] = s.ID
	}
	all := pgx.NamedArgs{"websites": ids}
	for _, table := range []string{"payments", "visits", "visitors"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE website_id = ANY (@websites)", all); err != nil {
			return err
		}
	}
	if err := execute(ctx, tx, "begin.sql"); err != nil {
		return err
	}
	for _, s := range sites {
		if err := fillSite(ctx, tx, s); err != nil {
			return fmt.Errorf("%s: %w", s.Domain, err)
		}
	}
	progress("making visitors")
	if err := execute(ctx, tx, "visitors.sql", all); err != nil {
		return err
	}
	progress("making indexes")
	if err := execute(ctx, tx, "end.sql"); err != nil {
		return err
	}
	// The rollups know nothing of these payments.
	_, err := tx.Exec(ctx, "UPDATE websites SET rollups_until = '1970-01-01Z', visitor_rollups_until = '' WHERE id = ANY (@websites)", all)
	return err
}

func fillSite(ctx context.Context, tx pgx.Tx, s *site) error {
	args := pgx.NamedArgs{"website": s.ID, "payments": s.payments, "visits": s.visitors / 2 * 3}
	if s.payments > few {
		progress("%s: %d visits", s.Domain, args["visits"])
	}
	if err := execute(ctx, tx, "visits.sql", args); err != nil {
		return err
	}
	for from := 0; from < s.payments; from += fillStep {
		args["from"], args["to"] = from, min(from+fillStep, s.payments)
		if s.payments > few {
			progress("%s: payments up to %d of %d", s.Domain, args["to"], s.payments)
		}
		if err := execute(ctx, tx, "payments.sql", args); err != nil {
			return err
		}
	}
	return nil
}

// execute runs one of the scripts that fill.
func execute(ctx context.Context, tx pgx.Tx, name string, args ...any) error {
	script, err := scripts.ReadFile("scripts/fill/" + name)
	if err == nil {
		_, err = tx.Exec(ctx, string(script), args...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
