package dbtest

import (
	"context"
	"testing"

	"tributary/db"
)

// NewMigrated is New for a database that has the program's schema.
func NewMigrated(t testing.TB) string {
	t.Helper()
	return Migrated(t, func(ctx context.Context, dsn string) error {
		_, err := db.Migrate(ctx, dsn, nil)
		return err
	})
}
