package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Distribution is how a cluster of several machines, made by the Postgres extension Citus, keeps a table.
type Distribution struct {
	Table string
	// Column is the one by whose value rows are spread over the machines; "" of a reference table, which every
	// machine has whole.
	Column string
}

// distributions are those of all tables, each after the tables that it refers to.
var distributions = []Distribution{
	{Table: "accounts"},
	{Table: "websites"},
	{Table: "tokens"},
	{Table: "rates"},
	{Table: "schema_migrations"},
	// Counted with every payment of an account that has a limit: one reference table would have all of them
	// wait for each other.
	{Table: "account_usage", Column: "account_id"},
	{Table: "payments", Column: "website_id"},
	{Table: "payment_deletions", Column: "website_id"},
	{Table: "rollups", Column: "website_id"},
	{Table: "visitor_rollups", Column: "website_id"},
	{Table: "customers", Column: "website_id"},
	{Table: "visitors", Column: "website_id"},
	{Table: "visits", Column: "website_id"},
	{Table: "events", Column: "website_id"},
	{Table: "erasures", Column: "website_id"},
}

// Distributions are those of all tables of the schema.
func Distributions() []Distribution { return slices.Clone(distributions) }

// TenantTables are the tables that hold data of websites. Every statement that reads one names the website.
func TenantTables() []string {
	var tables []string
	for _, d := range distributions {
		if d.Column == "website_id" {
			tables = append(tables, d.Table)
		}
	}
	return tables
}

// ErrNoCitus is the error of a database that has not got the extension.
var ErrNoCitus = errors.New("the database has no Citus")

// Distribute spreads the tables over the machines of a cluster, table by table, each in a transaction that
// takes as long as its rows need. Tables that are distributed as they should be are left alone: to run it
// again goes on after a failure, and adds the tables of a later version. After each table it calls done, with
// whether that was distributed by this call. Errors: ErrNoCitus, and a table that is distributed otherwise.
func (s *Store) Distribute(ctx context.Context, done func(d Distribution, isNew bool)) error {
	for _, d := range distributions {
		isNew := false
		err := s.write(ctx, func(ctx context.Context, tx *transaction) (err error) {
			isNew, err = d.apply(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("table %s: %w", d.Table, err)
		}
		done(d, isNew)
	}
	return nil
}

// apply distributes the table, unless it is.
func (d Distribution) apply(ctx context.Context, tx *transaction) (isNew bool, err error) {
	// One at a time, and no migration meanwhile.
	tx.queue(tx.NewRaw("SELECT pg_advisory_xact_lock(?)", migrationLock))
	var hasCitus bool
	if err := tx.NewRaw("SELECT to_regclass('citus_tables') IS NOT NULL").Scan(ctx, &hasCitus); err != nil {
		return false, err
	}
	if !hasCitus {
		return false, ErrNoCitus
	}
	if isNew, err = d.isMissing(ctx, tx); err != nil || !isNew {
		return false, err
	}
	tx.queue(tx.NewRaw("SET LOCAL statement_timeout = 0"))
	if d.Column == "" {
		tx.queue(tx.NewRaw("SELECT create_reference_table(?)", d.Table))
	} else {
		tx.queue(tx.NewRaw("SELECT create_distributed_table(?, ?, colocate_with => ?)", d.Table, d.Column, d.companion()))
	}
	return true, nil
}

// companion is the table next to whose rows those of the table are to be kept.
func (d Distribution) companion() string {
	first := distributions[slices.IndexFunc(distributions, func(other Distribution) bool { return other.Column == d.Column })]
	if first.Table == d.Table {
		return "none"
	}
	return first.Table
}

// isMissing says whether the table is not distributed yet. Citus lists a table of its own accord, as "local",
// once one that it refers to is a reference table.
func (d Distribution) isMissing(ctx context.Context, tx *transaction) (bool, error) {
	var rows []struct {
		Type, Column string
		IsCompanion  bool
	}
	err := tx.NewRaw(`SELECT t.citus_table_type AS type, t.distribution_column AS column,
			t.colocation_id IS NOT DISTINCT FROM (SELECT c.colocation_id FROM citus_tables c WHERE c.table_name = to_regclass(?1)) AS is_companion
		FROM citus_tables t WHERE t.table_name = to_regclass(?0) AND t.citus_table_type <> 'local'`, d.Table, d.companion()).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return true, err
	}
	is, wants := rows[0], "a reference table"
	right := is.Type == "reference"
	if d.Column != "" {
		wants = "distributed by " + d.Column
		right = is.Type == "distributed" && is.Column == d.Column
		if d.companion() != "none" {
			wants += " next to " + d.companion()
			right = right && is.IsCompanion
		}
	}
	if !right {
		return false, fmt.Errorf("it must be %s, and is something else: SELECT undistribute_table('%s') undoes that; then run this again", wants, d.Table)
	}
	return false, nil
}
