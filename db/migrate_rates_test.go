package db_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
)

func TestMigrate_rates(t *testing.T) {
	t.Parallel()
	dsn := dbtest.New(t)
	conn := connect(t, dsn)
	_, err := conn.Exec(t.Context(), `CREATE TABLE schema_migrations (name text COLLATE "C" NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT schema_migrations_pkey PRIMARY KEY (name))`)
	require.NoError(t, err)
	before, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	for _, name := range before {
		if name >= "migrations/0005" {
			break
		}
		statements, err := os.ReadFile(name)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), string(statements))
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `INSERT INTO schema_migrations (name) VALUES ($1)`, name)
		require.NoError(t, err)
	}
	insert := func(id, currency string, reporting *int64) {
		_, err := conn.Exec(t.Context(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, reporting_minor,
			occurred_at, recorded_at, basis) VALUES ('w', gen_random_uuid(), $1, 'CHARGE', false, $1, $2, 100, $3, now(), now(), 'NONE')`, id, currency, reporting)
		require.NoError(t, err)
	}
	insert("1", "USD", ptr(int64(100)))
	insert("2", "EUR", nil)

	applied, err := db.Migrate(t.Context(), dsn, nil)
	require.NoError(t, err)
	require.Equal(t, "migrations/0005_rates.sql", applied[0])
	insert("3", "USD", ptr(int64(100))) // by a server of the version before
	require.Equal(t, []string{"USD", "", ""}, value[[]string](t, conn, `SELECT array_agg(coalesce(reporting_currency, '') ORDER BY transaction_id) FROM payments`))
}
