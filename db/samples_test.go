package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/statements"
	"tributary/model"
)

// expected is how many rows of the bundle's website the planner expects in a table.
func (b *bundle) expected(conn *pgx.Conn, table string) float64 {
	b.t.Helper()
	plan, err := statements.Explain(b.t.Context(), conn, fmt.Sprintf("SELECT FROM %s WHERE website_id = '%s'", table, b.site.ID))
	require.NoError(b.t, err)
	return plan.Rows
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

// sampled are the tables that samples are taken of, and how many statements that takes.
func (b *bundle) sampled(sent *asked) (tables []string, statements int64) {
	b.t.Helper()
	before := sent.reports.Load()
	tables, err := b.TakeSamples(b.t.Context())
	require.NoError(b.t, err)
	return tables, sent.reports.Load() - before
}

func TestStore_TakeSamples(t *testing.T) {
	t.Parallel()

	t.Run("of a website that is new beside another", func(t *testing.T) {
		t.Parallel()
		var sent asked
		b := setup(t)
		conn := connect(t, b.dsn)
		b.history(4000)
		tables, _ := b.sampled(&sent)
		require.Equal(t, []string{"payments", "visitor_rollups"}, tables, "there were none")

		b.Store = b.another(db.Options{Hook: &sent})
		tables, _ = b.sampled(&sent)
		require.Empty(t, tables, "all is as expected")
		b.site = b.website("USD")
		b.history(999)
		_, statements := b.sampled(&sent)
		require.Zero(t, statements, "too little to look at")
		b.history(3000)
		require.Equal(t, 1.0, b.expected(conn, "payments"))
		tables, _ = b.sampled(&sent)
		require.Equal(t, []string{"payments", "visitor_rollups"}, tables, "and no table in which there is little")
		for _, table := range []string{"payments", "visitor_rollups"} {
			require.InDelta(t, 3000, b.expected(conn, table), 300, table)
		}
		_, statements = b.sampled(&sent)
		require.Zero(t, statements, "nothing has grown since")
	})

	t.Run("of what was recorded before", func(t *testing.T) {
		t.Parallel()
		var sent asked
		b := setup(t)
		b.history(4000)
		b.Store = b.another(db.Options{})
		tables, _ := b.sampled(&sent)
		require.Equal(t, []string{"payments", "visitor_rollups"}, tables)
	})

	t.Run("once, if they are of no use", func(t *testing.T) {
		t.Parallel()
		var sent asked
		b := setupWith(t, db.Options{Hook: &sent})
		conn := connect(t, b.dsn)
		_, err := conn.Exec(t.Context(), "ALTER TABLE payments ALTER website_id SET STATISTICS 0")
		require.NoError(t, err)
		b.history(4000)
		tables, _ := b.sampled(&sent)
		require.Contains(t, tables, "payments")
		require.Less(t, b.expected(conn, "payments"), 200.0)
		_, statements := b.sampled(&sent)
		require.Zero(t, statements)
	})

	t.Run("when nobody else does it, and without a wait", func(t *testing.T) {
		t.Parallel()
		var sent asked
		b := setupWith(t, db.Options{Hook: &sent})
		b.history(4000)
		tx, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "LOCK TABLE payments IN SHARE UPDATE EXCLUSIVE MODE") // as VACUUM does
		require.NoError(t, err)
		tables, _ := b.sampled(&sent)
		require.Equal(t, []string{"visitor_rollups"}, tables)
		require.NoError(t, tx.Rollback(t.Context()))
		tables, _ = b.sampled(&sent)
		require.Equal(t, []string{"payments"}, tables)
	})
}

// TestStore_ErasePerson_unexpected erases somebody of a website of which Postgres expects a single row.
func TestStore_ErasePerson_unexpected(t *testing.T) {
	t.Parallel()
	const visits = 3000
	b := setup(t)
	conn := connect(t, b.dsn)
	_, err := conn.Exec(t.Context(), "ALTER TABLE visits SET (autovacuum_enabled = false)")
	require.NoError(t, err)
	fill := func(site model.Website) {
		_, err := conn.Exec(t.Context(), `INSERT INTO visits (website_id, id, visitor_id, started_at, last_seen_at, landing_page, source, channel,
				utm_source, utm_medium, utm_campaign, utm_term, utm_content, pageviews)
			SELECT $1, gen_random_uuid(), 'v' || i, $2, $2, '', '', 'DIRECT', '', '', '', '', '', 1 FROM generate_series(1, $3) AS i`, site.ID, now, visits)
		require.NoError(t, err)
	}
	fill(b.website("USD"))
	_, err = conn.Exec(t.Context(), "ANALYZE visits")
	require.NoError(t, err)
	fill(b.site)
	require.Equal(t, 1.0, b.expected(conn, "visits"))

	require.Equal(t, 1, b.erase(model.ErasePersonInput{VisitorID: ptr("v7")}).Visits)
	read := b.read(conn, "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'visits'")
	require.Less(t, read, int64(20*visits), "rows of visits")
}

// TestStore_DeletePayments_unexpected deletes payments of customers of a website of which Postgres expects a single row.
func TestStore_DeletePayments_unexpected(t *testing.T) {
	t.Parallel()
	const steps, each = 4, 250
	b := setup(t)
	conn := connect(t, b.dsn)
	_, err := conn.Exec(t.Context(), "ALTER TABLE payments SET (autovacuum_enabled = false); ALTER TABLE customers SET (autovacuum_enabled = false)")
	require.NoError(t, err)
	history := func(b *bundle) {
		for step := range steps {
			var inputs []model.RecordPaymentInput
			for i := range each {
				id := fmt.Sprint(step, "-", i)
				inputs = append(inputs, paid(id, "v"+id, "c"+id, id+"@x.example"))
			}
			_, err := b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
			require.NoError(t, err)
		}
	}
	history(&bundle{Store: b.Store, t: t, site: b.website("USD")})
	_, err = conn.Exec(t.Context(), "ANALYZE payments; ANALYZE customers")
	require.NoError(t, err)
	history(b)
	require.Equal(t, 1.0, b.expected(conn, "payments"))
	const entries = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'payments'"

	before := b.read(conn, entries)
	b.Store = b.another(db.Options{})
	deleted, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{Range: model.Range{From: now.AddDate(-1, 0, 0)}}, now)
	require.NoError(t, err)
	require.Equal(t, steps*each, deleted.DeletedCount)
	require.Less(t, b.read(conn, entries)-before, int64(50*steps*steps*each), "rows of payments")
}

// read closes the store, whose sessions tell what they have read before they are gone, and asks how much it was.
func (b *bundle) read(conn *pgx.Conn, question string) int64 {
	b.t.Helper()
	require.NoError(b.t, b.Close())
	require.Eventually(b.t, func() bool {
		return value[int](b.t, conn, "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tributary'") == 0
	}, 20*time.Second, 5*time.Millisecond)
	return value[int64](b.t, conn, question)
}
