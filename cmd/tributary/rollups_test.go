package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestRollups(t *testing.T) {
	t.Parallel()
	op, dsn := onDatabase(t)
	_, key := op.newWebsite("shop.example.com")
	server := op.serve()
	for _, id := range []string{"t1", "t2", "t3"} {
		status, _ := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf(id, "10", "USD", "2026-05-20T12:00:00Z"))
		require.Equal(t, http.StatusOK, status)
	}
	require.Equal(t, "shop.example.com  2 sums compared, 0 wrong\n", op.run("rollups", "verify"))

	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `UPDATE rollups SET amount_minor = amount_minor + 1 WHERE span = 'DAY'`)
	require.NoError(t, err)
	o := op.try("rollups", "verify", "shop.example.com")
	require.Equal(t, 1, o.code)
	require.Contains(t, o.stdout, "DAY 2026-05-20 00:00:00+00 CHARGE USD USD  kept: count 3, amount_minor 3001, reporting_minor 3000  payments: count 3, amount_minor 3000, reporting_minor 3000")
	require.Contains(t, o.stderr, "`tributary rollups rebuild` mends them")

	site := op.ask("rollups", "rebuild").list("websites")[0]
	require.Equal(t, []any{true, 2.0, 0.0}, []any{site["complete"], site["compared"], site["wrong"]})
	op.run("rollups", "verify")
	require.Contains(t, op.try("rollups", "verify", "other.example.com").stderr, "website not found")

	// What was begun is completed by the next start.
	server.stopped(server.signal())
	_, err = conn.Exec(t.Context(), `UPDATE websites SET rollups_until = '1970-01-01Z', visitor_rollups_until = ''`)
	require.NoError(t, err)
	require.Contains(t, op.run("rollups", "verify"), "they are still being built")
	server = op.serve()
	require.Eventually(t, func() bool { return !strings.Contains(op.run("rollups", "verify"), "being built") }, patience, 10*time.Millisecond)
	require.Contains(t, server.graphQL(key, `{ revenue { gross { amount } } }`), `"30.00"`)
}

func TestWebsite_setTimezone(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	_, key := op.newWebsite("shop.example.com")
	server := op.serve()
	status, _ := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf("t1", "10", "USD", "2026-05-20T23:30:00Z"))
	require.Equal(t, http.StatusOK, status)
	const days = `{ revenueOverTime(range: {from: "2026-05-20T12:00:00Z", to: "2026-05-21T12:00:00Z"}) { date revenue { gross { amount } } } }`
	require.Contains(t, server.graphQL(key, days), `{"date":"2026-05-20","revenue":{"gross":{"amount":"10.00"}}}`)
	require.Equal(t, "The website shop.example.com counts its days in Asia/Kolkata.\n", op.run("website", "set", "shop.example.com", "--timezone", "Asia/Kolkata"))
	require.Contains(t, server.graphQL(key, days), `{"date":"2026-05-21","revenue":{"gross":{"amount":"10.00"}}}`)
	require.Equal(t, "Asia/Tokyo", op.ask("website", "set", "shop.example.com", "--timezone", "Asia/Tokyo")["timezone"])
}
