package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/internal/dbtest"
)

func TestServe_replica(t *testing.T) {
	t.Parallel()

	t.Run("reads reports from it while it is well", func(t *testing.T) {
		t.Parallel()
		pair := dbtest.NewPair(t)
		op := operator{
			t: t, flags: []string{"--data-dir", t.TempDir(), "--database-url", pair.URL},
			env: []string{"TRIBUTARY_READ_DATABASE_URL=" + pair.ReplicaURL},
		}
		id, key := op.newWebsite("shop.example.com")
		another := op.ask("key", "create", "--website", id).text("key")
		server := op.serve("--metrics-listen", "127.0.0.1:0")
		says := func(text string, times int) {
			t.Helper()
			require.Eventually(t, func() bool { return strings.Count(server.log.String(), text) == times }, 20*time.Second, 5*time.Millisecond)
		}
		says("reports are read from the replica", 1)
		for i := range 20 {
			transaction := fmt.Sprint("payment_", i)
			require.Equal(t, http.StatusOK, server.pay(key, transaction, ""))
			require.Contains(t, server.graphQL(another, `{ payments(first: 1) { edges { node { transactionId } } } }`), `"`+transaction+`"`)
		}
		conn, err := pgx.Connect(t.Context(), pair.ReplicaAdminURL)
		require.NoError(t, err)
		defer conn.Close(t.Context())
		var asked bool
		err = conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'tributary' AND query LIKE '%' || $1 || '%')`, id).Scan(&asked)
		require.NoError(t, err)
		require.True(t, asked)
		_, figures := server.figures()
		require.Contains(t, figures, "tributary_replica_used 1")
		require.Contains(t, figures, `tributary_db_connections_max{database="replica"} 20`)

		pair.KillReplica()
		says("reports are read from the primary", 1)
		_, figures = server.figures()
		require.Contains(t, figures, "tributary_replica_used 0")
		require.Contains(t, server.graphQL(another, `{ revenue { charges } }`), `20`)
		status, _ := server.send(http.MethodGet, "/readyz", "", "")
		require.Equal(t, http.StatusOK, status)
		pair.StartReplica()
		says("reports are read from the replica", 2)
		server.stopped(server.signal())
		require.Equal(t, 1, strings.Count(server.log.String(), `"WARN","msg":"reports`))
	})

	t.Run("refuses what names none", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		o := op.try("serve", "--listen", "127.0.0.1:0", "--allow-unsafe-database", "--read-database-url", "postgres://u:hidden@a,b/tributary")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "--read-database-url: the database URL names several servers: name one")
		require.NotContains(t, o.stderr, "hidden")
	})
}
