package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
)

// TestDistributions holds the schema against what Citus asks of it: every table is named, and what makes rows
// of a distributed table unique, or refers to another one, does so within one value of its column.
func TestDistributions(t *testing.T) {
	t.Parallel()

	t.Run("schema can be distributed", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, undistributable(t, connect(t, dbtest.NewMigrated(t))))
	})

	for name, c := range map[string]struct{ change, fault string }{
		"another table":     {"CREATE TABLE other (website_id text COLLATE \"C\" PRIMARY KEY)", "table other is in no distribution"},
		"a table less":      {"DROP TABLE events", "table events does not exist"},
		"a primary key":     {"ALTER TABLE events DROP CONSTRAINT events_pkey, ADD CONSTRAINT events_pkey PRIMARY KEY (id)", "index events_pkey of events (id) does not begin with website_id"},
		"no primary key":    {"ALTER TABLE events DROP CONSTRAINT events_pkey", "table events has no primary key"},
		"a constraint":      {"ALTER TABLE payments ADD CONSTRAINT once UNIQUE (transaction_id, website_id)", "index once of payments (transaction_id, website_id) does not begin with website_id"},
		"a unique index":    {"CREATE UNIQUE INDEX once ON customers (value)", "index once of customers (value) does not begin with website_id"},
		"an index":          {"CREATE INDEX visits_source_idx ON visits (source)", "index visits_source_idx of visits (source) does not begin with website_id"},
		"another collation": {"ALTER TABLE visits ALTER website_id TYPE text COLLATE \"en-x-icu\"", "website_id of visits is not a text COLLATE \"C\""},
		"a nullable column": {"ALTER TABLE account_usage DROP CONSTRAINT account_usage_pkey, ALTER account_id DROP NOT NULL", "account_id of account_usage is not a text"},
		"a foreign key within a website": {
			"ALTER TABLE events ADD CONSTRAINT stray FOREIGN KEY (website_id, visit_id) REFERENCES visits (website_id, id)", "",
		},
		"a foreign key from a reference table": {
			"ALTER TABLE payments ADD CONSTRAINT once UNIQUE (website_id); ALTER TABLE tokens ADD CONSTRAINT stray FOREIGN KEY (website_id) REFERENCES payments (website_id)",
			"foreign key stray of tokens refers to rows of payments that may be on another machine",
		},
		"a foreign key across columns": {
			"ALTER TABLE events ADD CONSTRAINT stray FOREIGN KEY (page, visit_id) REFERENCES visits (website_id, id)",
			"foreign key stray of events refers to rows of visits that may be on another machine",
		},
		"a trigger": {
			"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER acts BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION act()",
			"trigger acts of visits",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, dbtest.NewMigrated(t))
			_, err := conn.Exec(context.Background(), c.change)
			require.NoError(t, err)
			faults := strings.Join(undistributable(t, conn), "\n")
			if c.fault == "" {
				require.Empty(t, faults)
			}
			require.Contains(t, faults, c.fault)
		})
	}
}

// undistributable is what Citus would refuse in the database.
func undistributable(t *testing.T, conn *pgx.Conn) (faults []string) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	columns := map[string]string{} // of the tables, by which they are distributed
	for _, d := range db.Distributions() {
		columns[d.Table] = d.Column
	}
	tables := list[struct{ Name string }](t, conn, "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1")
	for _, table := range tables {
		if _, named := columns[table.Name]; !named {
			fault("table %s is in no distribution: say in db/distribute.go how it is distributed", table.Name)
		}
	}
	for _, d := range db.Distributions() {
		if !slices.Contains(tables, struct{ Name string }{d.Table}) {
			fault("table %s does not exist", d.Table)
		} else if d.Column != "" && !value[bool](t, conn, `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2
			AND atttypid = 'text'::regtype AND attcollation = 'pg_catalog."C"'::regcollation AND attnotnull AND NOT attisdropped)`, d.Table, d.Column) {
			fault("%s of %s is not a text COLLATE \"C\" NOT NULL, as that of all distributed tables", d.Column, d.Table)
		} else if !value[bool](t, conn, "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1::regclass AND indisprimary)", d.Table) {
			fault("table %s has no primary key", d.Table)
		}
	}
	for _, index := range list[struct {
		Name, OfTable string
		Keys          []string
	}](t, conn, `SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS of_table,
			(SELECT array_agg(pg_get_indexdef(i.indexrelid, k, false) ORDER BY k) FROM generate_series(1, i.indnkeyatts) AS k) AS keys
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1`) {
		if column := columns[index.OfTable]; column != "" && index.Keys[0] != column {
			fault("index %s of %s (%s) does not begin with %s", index.Name, index.OfTable, strings.Join(index.Keys, ", "), column)
		}
	}
	for _, key := range list[struct {
		Name, OfTable, ToTable string
		Pairs                  []string
	}](t, conn, `SELECT f.conname AS name, f.conrelid::regclass::text AS of_table, f.confrelid::regclass::text AS to_table,
			(SELECT array_agg(a.attname || ' ' || b.attname) FROM unnest(f.conkey, f.confkey) AS k (a, b)
				JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.a JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.b) AS pairs
		FROM pg_constraint f WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace`) {
		column := columns[key.ToTable]
		if column != "" && (columns[key.OfTable] != column || !slices.Contains(key.Pairs, column+" "+column)) {
			fault("foreign key %s of %s refers to rows of %s that may be on another machine", key.Name, key.OfTable, key.ToTable)
		}
	}
	for _, trigger := range list[struct{ Name, OfTable string }](t, conn,
		"SELECT tgname AS name, tgrelid::regclass::text AS of_table FROM pg_trigger WHERE NOT tgisinternal") {
		fault("trigger %s of %s: Citus runs none", trigger.Name, trigger.OfTable)
	}
	return faults
}

// list reads rows straight from the database.
func list[T any](t *testing.T, conn *pgx.Conn, query string) []T {
	t.Helper()
	rows, err := conn.Query(context.Background(), query)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
	require.NoError(t, err)
	return all
}
