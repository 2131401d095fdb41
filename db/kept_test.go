package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/model"
)

func TestStore_keptStatements(t *testing.T) {
	t.Parallel()

	t.Run("have no plan for long that was made for a small table", func(t *testing.T) {
		t.Parallel()
		const many = 20_000
		b := setupWith(t, db.Options{MaxConnections: 1})
		conn := connect(t, b.dsn)
		b.view("v")
		_, err := conn.Exec(t.Context(), "ALTER TABLE visitors SET (autovacuum_enabled = false); ANALYZE visitors") // of one page
		require.NoError(t, err)
		pay := func(id string) {
			in := charge(id)
			in.VisitorID = ptr("v")
			_, err := b.record(in)
			require.NoError(t, err)
		}
		pay("first")
		_, err = conn.Exec(t.Context(), `INSERT INTO visitors (website_id, id, first_seen_at, last_seen_at, visit_count)
			SELECT $1, 'v' || i, $2, $2, 1 FROM generate_series(1, $3) AS i`, b.site.ID, now, many)
		require.NoError(t, err)
		time.Sleep(1100 * time.Millisecond)
		for i := range 20 {
			pay(fmt.Sprint("next", i))
		}
		require.Less(t, b.read(conn, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'visitors'"), int64(many), "visitors")
	})

	t.Run("read little", func(t *testing.T) {
		t.Parallel()
		const many = 20_000
		for name, payments := range map[string]string{
			"of a large website, where most have a single payment": `CASE WHEN i % 2 = 0 THEN $1 ELSE md5(i::text) END AS website, 't' || i AS id, 'c' || i AS customer`,
			"where websites give their payments the same ids":      `md5((i / 2)::text) AS website, 't' || i % 2 AS id, 'c' || i AS customer`,
			"where websites have the same customers":               `md5((i / 20)::text) AS website, 't' || i AS id, 'c' || i % 2 AS customer`,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				conn := connect(t, b.dsn)
				_, err := conn.Exec(t.Context(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor,
						occurred_at, recorded_at, basis, customer_id, email_folded)
					SELECT website, gen_random_uuid(), id, CASE WHEN i % 10 = 0 THEN 'REFUND' ELSE 'CHARGE' END, false, id, 'USD', 1, $2, $2, 'NONE', customer, customer
					FROM (SELECT i, `+strings.ReplaceAll(payments, "$1", "'"+b.site.ID+"'")+` FROM generate_series(1, 2 * $1::int) AS i ORDER BY md5(i::text)) AS p`, many, now)
				require.NoError(t, err)
				_, err = conn.Exec(t.Context(), "ANALYZE payments")
				require.NoError(t, err)
				for i := range 20 {
					in := charge(fmt.Sprint("next", i))
					in.VisitorID, in.CustomerID, in.Email = ptr("v"), ptr(fmt.Sprint("next", i)), ptr(fmt.Sprintf("next%d@shop.example", i))
					_, err := b.record(in)
					require.NoError(t, err)
				}
				require.Less(t, b.read(conn, "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'payments'"), int64(many), "of indexes")
				require.Less(t, value[int64](t, conn, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'payments'"), int64(many), "of the table")
				require.NoError(t, b.another(db.Options{}).RebuildRollups(t.Context(), b.site.ID, nil)) // of what SQL has inserted
			})
		}
	})

	t.Run("are few, whatever differs among the payments of a batch", func(t *testing.T) {
		t.Parallel()
		inserts := &keptInserts{texts: map[string]bool{}}
		b := setupWith(t, db.Options{Hook: inserts})
		const shapes = 1 << 7
		for shape := range shapes {
			one, other := charge(fmt.Sprint("a", shape)), charge(fmt.Sprint("b", shape))
			for bit, change := range []func(){
				func() { other.VisitorID = ptr("v") }, func() { other.CustomerID = ptr("c") }, func() { other.Email = ptr("a@b.example") },
				func() { other.Name = ptr("Name") }, func() { other.SessionID = ptr("s") }, func() { other.Renewal = ptr(true) },
				func() { other.Metadata = model.Metadata{}; require.NoError(t, other.Metadata.Set("k", "v")) },
			} {
				if shape>>bit&1 == 1 {
					change()
				}
			}
			results, err := b.RecordPayments(t.Context(), b.site, b.batch(one, other))
			require.NoError(t, err)
			require.Nil(t, results[0].Error)
			require.Nil(t, results[1].Error)
		}
		require.Equal(t, 2*shapes, value[int](t, connect(t, b.dsn), "SELECT count(*)::int FROM payments"))
		require.LessOrEqual(t, len(inserts.texts), 30)
	})

	t.Run("are forgotten when a table has other columns", func(t *testing.T) {
		t.Parallel()
		b := setupWith(t, db.Options{MaxConnections: 1})
		b.view("v")
		_, err := b.record(charge("before"))
		require.NoError(t, err)
		for _, change := range []string{
			"ALTER TABLE websites ALTER currency TYPE varchar(3)", "ALTER TABLE payments ADD COLUMN later text", "ALTER TABLE visitors ADD COLUMN later text",
		} {
			_, err := connect(t, b.dsn).Exec(t.Context(), change)
			require.NoError(t, err, change)
			b.view("v")
			_, err = b.record(charge("after " + change))
			require.NoError(t, err, change)
		}
	})
}

// keptInserts are the texts of the statements that insert payments.
type keptInserts struct{ texts map[string]bool }

func (k *keptInserts) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if text, _ := event.Stash[db.KeptText].(string); strings.HasPrefix(text, `INSERT INTO "payments"`) {
		k.texts[text] = true
	}
	return ctx
}

func (k *keptInserts) AfterQuery(context.Context, *bun.QueryEvent) {}
