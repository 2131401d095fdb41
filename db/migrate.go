package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock that one migrating process holds. The number is arbitrary.
const migrationLock = 0x7472_6962_7574_6172

// firstMigration is only pending on a new database.
const firstMigration = "migrations/0001_ledger.sql"

// Migrate brings the database to this program's schema and answers the names of the migrations that
// it applied. All that are pending are one transaction, with the notes that they were applied, so a
// process that dies in the middle leaves nothing behind; of several that start at once one migrates
// while the others wait. Before it changes an older schema, which may take long, it calls begin, if that is not
// nil. Errors: CodeUnavailable, or a failed migration by its name.
func Migrate(ctx context.Context, dsn string, begin func(pending []string)) ([]string, error) {
	store, err := Open(dsn, Options{MaxConnections: 1, StatementTimeout: NoTimeout, ApplicationName: "tributary migrate"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	var applied []string
	err = store.write(ctx, func(ctx context.Context, tx *transaction) error {
		applied = nil
		if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(?)", migrationLock).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`CREATE TABLE IF NOT EXISTS schema_migrations (
			name text COLLATE "C" NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
			CONSTRAINT schema_migrations_pkey PRIMARY KEY (name))`).Exec(ctx)
		if err != nil {
			return err
		}
		pending, err := pendingMigrations(ctx, tx)
		if err != nil {
			return err
		}
		if upgrades := len(pending) > 0 && pending[0] != firstMigration; upgrades && begin != nil {
			begin(pending)
		}
		for _, name := range pending {
			if err := apply(ctx, tx, name); err != nil {
				return fmt.Errorf("migration %s: %w", name, err)
			}
		}
		applied = pending
		return nil
	})
	return applied, err
}

// pendingMigrations are the names of the migrations that are not applied yet, in order.
func pendingMigrations(ctx context.Context, db querier) ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var exists bool
	if err := db.NewRaw("SELECT to_regclass('schema_migrations') IS NOT NULL").Scan(ctx, &exists); err != nil {
		return nil, err
	}
	var applied []string
	if exists {
		if err := db.NewRaw("SELECT name FROM schema_migrations").Scan(ctx, &applied); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(applied, name) }), nil
}

func apply(ctx context.Context, tx *transaction, name string) error {
	statements, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if _, err := tx.NewRaw(string(statements)).Exec(ctx); err != nil {
		return err
	}
	_, err = tx.NewRaw("INSERT INTO schema_migrations (name) VALUES (?)", name).Exec(ctx)
	return err
}
