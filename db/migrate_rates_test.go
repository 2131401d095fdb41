package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
)

func TestMigrate_rates(t *testing.T) {
	t.Parallel()
	dsn, conn := schemaOf(t, "migrations/0004_credit.sql", "")
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
