package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slow makes whoever reads payments take ten minutes, until the test ends.
func (s *stack) slow(t *testing.T) {
	t.Helper()
	s.posted(t, payment("datafast_visitor_id", `"v"`))
	s.exec(t, `ALTER TABLE payments RENAME TO all_payments`)
	s.exec(t, `CREATE VIEW payments AS SELECT p.* FROM all_payments p, (SELECT pg_sleep(600)) AS slow`)
	t.Cleanup(func() { // before the rollups are compared with the ledger
		for _, statement := range []string{`DROP VIEW payments`, `ALTER TABLE all_payments RENAME TO payments`} {
			_, err := s.sql.ExecContext(context.Background(), statement)
			require.NoError(t, err)
		}
	})
}

// awaitReading waits until Postgres runs statements that read payments, or none.
func (s *stack) awaitReading(t *testing.T, some bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		n := s.count(t, `pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`)
		return n > 0 == some
	}, patience, 5*time.Millisecond)
}

// A request that ends takes its statements with it: Postgres works for nobody who is gone.
func TestStatementsEnd(t *testing.T) {
	t.Parallel()
	const (
		list   = `{"query":"{ payments { edges { node { id } } } }"}`
		report = `{"query":"{ revenueBy(dimension: SOURCE) { edges { node { key } } } }"}`
		below  = `{"query":"{ visitor(id: \"v\") { payments { edges { node { id } } } } }"}`
	)
	for name, body := range map[string]string{"list": list, "report": report, "list below another field": below} {
		t.Run("when the time of a "+name+" is over", func(t *testing.T) {
			t.Parallel()
			s := start(t, options{Wrap: hurry})
			s.visit(t, "v")
			s.slow(t)
			r := s.request(t, http.MethodPost, "/graphql", body)
			r.Header.Set("Hurry", "yes")
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.Contains(t, received(t, res).body, `"UNAVAILABLE"`)
			s.awaitReading(t, false)
		})

		t.Run("when the client of a "+name+" goes away", func(t *testing.T) {
			t.Parallel()
			s := start(t, options{})
			s.visit(t, "v")
			s.slow(t)
			ctx, leave := context.WithCancel(t.Context())
			r := s.request(t, http.MethodPost, "/graphql", body).WithContext(ctx)
			gone := meanwhile(func() error {
				_, err := http.DefaultClient.Do(r)
				return err
			})
			s.awaitReading(t, true)
			leave()
			require.ErrorIs(t, gone(), context.Canceled)
			s.awaitReading(t, false)
		})
	}
}
