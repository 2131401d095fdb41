package dbtest

import (
	"context"
	"testing"

	"tributary/db"
)

// Schema is a query for the schema of a database in words, in order: all columns, constraints and indexes.
const Schema = `SELECT array_agg(line ORDER BY line) FROM (
	SELECT concat_ws(' ', table_name, column_name, ordinal_position, data_type, collation_name, is_nullable, column_default, generation_expression)
		FROM information_schema.columns WHERE table_schema = 'public'
	UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
	UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public') AS lines (line)`

// NewMigrated is New for a database that has the program's schema. When the test has passed, the rollups of all
// its websites must be what their ledgers say.
func NewMigrated(t testing.TB) string {
	t.Helper()
	dsn := Migrated(t, func(ctx context.Context, dsn string) error {
		_, err := db.Migrate(ctx, dsn, nil)
		return err
	})
	t.Cleanup(func() { verifyRollups(t, dsn) })
	return dsn
}

// verifyRollups fails a test that has passed if the rollups are not what the ledgers say.
func verifyRollups(t testing.TB, dsn string) {
	if t.Failed() {
		return
	}
	store, err := db.Open(dsn, db.Options{MaxConnections: 1})
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	defer func() { _ = store.Close() }()
	ctx := context.Background()
	websites, err := store.Websites(ctx, "")
	if err != nil {
		t.Fatalf("dbtest: cannot read the websites to verify their rollups: %v", err)
	}
	for _, site := range websites {
		check, err := store.VerifyRollups(ctx, site.ID)
		if err != nil {
			t.Fatalf("dbtest: cannot verify rollups: %v", err)
		}
		if len(check.Faults) > 0 {
			t.Errorf("dbtest: rollups are not what the ledger says: %+v", check.Faults)
		}
	}
}
