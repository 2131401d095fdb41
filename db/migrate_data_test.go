package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/model"
)

// schemaOf is a database as a version of the program has left it, whose latest migration was this one; fill puts
// data into it after the first.
func schemaOf(t *testing.T, latest string, fill string) (dsn string, conn *pgx.Conn) {
	t.Helper()
	dsn = dbtest.New(t)
	conn = connect(t, dsn)
	_, err := conn.Exec(t.Context(), `CREATE TABLE schema_migrations (name text COLLATE "C" NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
		CONSTRAINT schema_migrations_pkey PRIMARY KEY (name))`)
	require.NoError(t, err)
	for i, name := range migrations(t) {
		statements, err := os.ReadFile(name)
		require.NoError(t, err)
		if i == 0 {
			statements = append(statements, fill...)
		}
		_, err = conn.Exec(t.Context(), string(statements))
		require.NoError(t, err, name)
		_, err = conn.Exec(t.Context(), `INSERT INTO schema_migrations (name) VALUES ($1)`, name)
		require.NoError(t, err)
		if name == latest {
			break
		}
	}
	return dsn, conn
}

// migrations are all migrations, in order.
func migrations(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	return names
}

// ledgerOfFirst fills the first schema: two websites, each with a year of payments of all kinds in three currencies,
// a third of them of visitors.
const ledgerOfFirst = `
	INSERT INTO accounts (id, name, created_at) VALUES ('a', 'A', now());
	INSERT INTO websites (id, account_id, tracking_id, domain, name, timezone, currency, created_at)
		SELECT id, 'a', 'dfid_' || id, left(id, 1) || '.example', id, 'Europe/Berlin', 'USD', now() FROM unnest(ARRAY[repeat('a', 24), repeat('b', 24)]) AS id;
	INSERT INTO visits (website_id, id, visitor_id, session_id, started_at, last_seen_at, landing_page, referrer, source, utm_source, utm_medium,
			utm_campaign, utm_term, utm_content, pageviews)
		SELECT w.id, gen_random_uuid(), 'v' || n, 's' || n, now() - interval '1 year', now() - interval '1 year', 'https://w.example/?utm_source=news', NULL,
			'news', 'news', '', '', '', '', 1 FROM websites w, generate_series(0, 99) AS n;
	INSERT INTO visitors (website_id, id, first_seen_at, last_seen_at, visit_count)
		SELECT website_id, visitor_id, started_at, last_seen_at, 1 FROM visits;
	INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, refund_of, currency, amount_minor, reporting_minor,
			occurred_at, recorded_at, visitor_id, basis, email, email_folded)
		SELECT w.id, gen_random_uuid(), 't' || n, (ARRAY['CHARGE', 'REFUND', 'RENEWAL', 'FREE_TRIAL'])[1 + n % 4], n % 4 = 2,
			't' || n - (n % 4 = 1)::int, CASE WHEN n % 4 = 1 THEN 't' || n - 1 END, c.currency, 1000 - n, CASE WHEN c.currency = 'USD' THEN 1000 - n END,
			now() - make_interval(hours => n * 9), now(), CASE WHEN n % 3 = 0 THEN 'v' || n % 150 END, CASE WHEN n % 3 = 0 THEN 'VISITOR_ID' ELSE 'NONE' END,
			'Ada@x.example', 'ada@x.example'
		FROM websites w, generate_series(0, 959) AS n, LATERAL (SELECT (ARRAY['USD', 'EUR', 'JPY'])[1 + n / 4 % 3] AS currency) AS c;
`

// TestMigrate_keepsRevenue brings databases of all versions before, with payments in them, up to date: they have the
// schema of a new one, and the revenue that they had.
func TestMigrate_keepsRevenue(t *testing.T) {
	t.Parallel()
	all := migrations(t)
	for _, latest := range all[:len(all)-1] {
		t.Run(filepath.Base(latest), func(t *testing.T) {
			t.Parallel()
			dsn, conn := schemaOf(t, latest, ledgerOfFirst)
			_, err := db.Migrate(t.Context(), dsn, nil)
			require.NoError(t, err)
			store, err := db.Open(dsn, db.Options{MaxConnections: 2})
			require.NoError(t, err)
			defer store.Close()
			for _, id := range []string{strings.Repeat("a", 24), strings.Repeat("b", 24)} {
				site, err := store.Website(t.Context(), id)
				require.NoError(t, err)
				want := value[string](t, conn, `SELECT concat_ws(' ', sum(amount_minor) FILTER (WHERE kind IN ('CHARGE', 'RENEWAL')), sum(amount_minor) FILTER (WHERE kind = 'REFUND'))
					FROM payments WHERE website_id = $1 AND currency = 'USD'`, id)
				requireRevenue := func() {
					t.Helper()
					revenue, err := store.Revenue(t.Context(), site, model.RevenueQuery{})
					require.NoError(t, err)
					require.Equal(t, want, fmt.Sprint(revenue.Gross.MinorString(), " ", revenue.Refunded.MinorString()))
					require.Equal(t, []int{240, 240, 240, 240}, []int{revenue.Charges, revenue.Renewals, revenue.Refunds, revenue.FreeTrials})
					require.Len(t, revenue.Unconverted, 2)
				}
				requireRevenue() // from the payments
				require.NoError(t, store.BuildRollups(t.Context(), id, nil))
				requireRevenue() // from the sums
				check, err := store.VerifyRollups(t.Context(), id)
				require.NoError(t, err)
				require.True(t, check.IsComplete)
				require.Empty(t, check.Faults)
				buckets, err := store.RevenueOverTime(t.Context(), site, model.RevenueOverTimeQuery{Interval: model.IntervalDay, Now: time.Now()})
				require.NoError(t, err)
				sum := model.NewSum("USD")
				for _, bucket := range buckets {
					sum = sum.Add(bucket.Revenue.Gross)
				}
				require.Contains(t, want, sum.MinorString()+" ")
			}
			fresh := connect(t, dbtest.NewMigrated(t))
			require.Equal(t, value[[]string](t, fresh, dbtest.Schema), value[[]string](t, conn, dbtest.Schema))
		})
	}
}
