package dbtest

import (
	"context"
	"testing"

	"tributary/db"
)

// NewStore opens a store on a fresh database with the program's schema, and closes it after the test.
func NewStore(t testing.TB, opts db.Options) *db.Store {
	t.Helper()
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 8
	}
	store, err := db.Open(Migrated(t, migrate), opts)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return store
}

func migrate(ctx context.Context, dsn string) error {
	_, err := db.Migrate(ctx, dsn)
	return err
}
