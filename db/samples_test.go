package db_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// expected is how many rows of the bundle's website the planner expects in a table.
func (b *bundle) expected(conn *pgx.Conn, table string) float64 {
	b.t.Helper()
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	text := value[string](b.t, conn, fmt.Sprintf("EXPLAIN (FORMAT JSON) SELECT FROM %s WHERE website_id = '%s'", table, b.site.ID))
	require.NoError(b.t, json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan.Rows
}

// history records so many payments, each of a visitor of its own.
func (b *bundle) history(payments int) {
	b.t.Helper()
	for at := 0; at < payments; at += 1000 {
		var inputs []model.RecordPaymentInput
		for i := range min(1000, payments-at) {
			inputs = append(inputs, paid(fmt.Sprint("t", at+i), fmt.Sprint("v", at+i), "", ""))
		}
		_, err := b.RecordPayments(b.t.Context(), b.site, b.batch(inputs...))
		require.NoError(b.t, err)
	}
}

func TestStore_TakeSamples(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conn := connect(t, b.dsn)
	sampled := func() []string {
		t.Helper()
		tables, err := b.TakeSamples(t.Context())
		require.NoError(t, err)
		return tables
	}
	b.history(4000)
	require.Equal(t, []string{"payments", "visitor_rollups"}, sampled(), "there were none")
	require.Empty(t, sampled(), "all is as expected")

	b.Store = b.another(db.Options{})
	b.site = b.website("USD")
	b.history(999)
	require.Empty(t, sampled(), "too little to look at")
	b.history(3000)
	require.Equal(t, 1.0, b.expected(conn, "payments"))
	require.Equal(t, []string{"payments", "visitor_rollups"}, sampled(), "and no table in which there is little")
	for _, table := range []string{"payments", "visitor_rollups"} {
		require.InDelta(t, 3000, b.expected(conn, table), 300, table)
	}
	require.Empty(t, sampled(), "all is as expected")
}
