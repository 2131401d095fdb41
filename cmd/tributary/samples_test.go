package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestServe_takesSamples(t *testing.T) {
	t.Parallel()
	op, dsn := onDatabase(t)
	server := op.serve()
	_, key := op.newWebsite("shop.example.com")
	for batch := range 3 {
		var payments []object
		for i := range 1000 {
			payments = append(payments, object{"transactionId": fmt.Sprintf("t-%d-%d", batch, i), "amount": 5, "currency": "USD"})
		}
		body, err := json.Marshal(object{
			"query":     `mutation ($all: RecordPaymentsInput!) { recordPayments(input: $all) { results { error { code } } } }`,
			"variables": object{"all": object{"payments": payments}},
		})
		require.NoError(t, err)
		_, got := server.send(http.MethodPost, "/graphql", key, string(body))
		require.Equal(t, 1000, strings.Count(got, `"error":null`))
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	require.Eventually(t, func() bool {
		var sampled bool
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stats WHERE tablename = 'payments')").Scan(&sampled))
		return sampled
	}, patience, 50*time.Millisecond)
}
