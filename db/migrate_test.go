package db_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/model"
)

const tables = `SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`

func TestMigrate(t *testing.T) {
	t.Parallel()

	t.Run("applies each migration once, by however many", func(t *testing.T) {
		t.Parallel()
		dsn := dbtest.New(t)
		var mu sync.Mutex
		var wait sync.WaitGroup
		var applied []string
		for range 5 {
			wait.Go(func() {
				names, err := db.Migrate(context.Background(), dsn, nil)
				mu.Lock()
				defer mu.Unlock()
				applied = append(applied, names...)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		require.NotEmpty(t, applied)
		require.Len(t, applied, value[int](t, connect(t, dsn), `SELECT count(*)::int FROM schema_migrations`))
		require.IsIncreasing(t, applied)

		again, err := db.Migrate(t.Context(), dsn, nil)
		require.NoError(t, err)
		require.Empty(t, again)
		store, err := db.Open(dsn, db.Options{})
		require.NoError(t, err)
		defer store.Close()
		require.NoError(t, store.Ping(t.Context()))
	})

	t.Run("leaves nothing when it is cancelled in the middle", func(t *testing.T) {
		t.Parallel()
		dsn := dbtest.New(t)
		conn := connect(t, dsn)
		other, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = other.Exec(t.Context(), `CREATE TABLE payments ()`) // the migration has to wait for what becomes of it
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		migrated := make(chan error, 1)
		go func() {
			_, err := db.Migrate(ctx, dsn, nil)
			migrated <- err
		}()
		waiting(t, dsn, 1)
		cancel()
		requireCode(t, model.CodeUnavailable, <-migrated)
		require.NoError(t, other.Rollback(t.Context()))
		require.Zero(t, value[int](t, conn, tables))

		_, err = db.Migrate(t.Context(), dsn, nil)
		require.NoError(t, err)
	})

	t.Run("leaves nothing when a migration fails, and names it", func(t *testing.T) {
		t.Parallel()
		dsn := dbtest.New(t)
		conn := connect(t, dsn)
		_, err := conn.Exec(t.Context(), `CREATE TABLE payments ()`)
		require.NoError(t, err)
		applied, err := db.Migrate(t.Context(), dsn, nil)
		require.ErrorContains(t, err, "migration migrations/0001_ledger.sql: ")
		require.ErrorContains(t, err, `relation "payments" already exists`)
		require.Empty(t, applied)
		require.Equal(t, 1, value[int](t, conn, tables))
	})

	t.Run("a store says when it is missing", func(t *testing.T) {
		t.Parallel()
		store, err := db.Open(dbtest.New(t), db.Options{})
		require.NoError(t, err)
		defer store.Close()
		err = store.Ping(t.Context())
		requireCode(t, model.CodeUnavailable, err)
		require.ErrorContains(t, err, "has not been migrated")
	})
}

// firstSchema is a database as the first migration has left it.
func firstSchema(t *testing.T) (dsn string, conn *pgx.Conn) {
	t.Helper()
	return schemaOf(t, "migrations/0001_ledger.sql", "")
}

func TestMigrate_credit(t *testing.T) {
	t.Parallel()
	dsn, conn := firstSchema(t)
	_, err := conn.Exec(t.Context(), `INSERT INTO accounts (id, name, created_at) VALUES ('a', 'A', now());
		INSERT INTO websites (id, account_id, tracking_id, domain, name, timezone, currency, created_at) VALUES ('w', 'a', 'dfid_w', 'www.shop.example', 'Shop', 'UTC', 'USD', now())`)
	require.NoError(t, err)
	for i, visit := range []struct {
		page     string
		referrer any
	}{
		{"https://shop.example", nil},
		{"https://WWW.Shop.example:8443/pricing/?utm_source=a/b#c", "https://www.Google.com./search?q=x"},
		{"https://docs.shop.example/a%20b", "android-app://com.google.android.gm/"},
		{"http://shop.example?x=1", "https://docs.shop.example/"},
		{"https://shop.example/" + strings.Repeat("a", 300), "https://user@shop.example"},
	} {
		_, err := conn.Exec(t.Context(), `INSERT INTO visits (website_id, id, visitor_id, started_at, last_seen_at, landing_page, referrer, source,
			utm_source, utm_medium, utm_campaign, utm_term, utm_content, pageviews)
			VALUES ('w', gen_random_uuid(), $1, now(), now(), $2, $3, 'direct', '', '', '', '', '', 1)`, fmt.Sprint(i), visit.page, visit.referrer)
		require.NoError(t, err)
	}
	_, err = db.Migrate(t.Context(), dsn, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"/", "/pricing/", "docs.shop.example/a%20b", "/", "/" + strings.Repeat("a", 254)},
		value[[]string](t, conn, `SELECT array_agg(landing_path ORDER BY visitor_id) FROM visits`))
	require.Equal(t, []string{"", "google.com", "com.google.android.gm", "", ""},
		value[[]string](t, conn, `SELECT array_agg(referrer_host ORDER BY visitor_id) FROM visits`))
}

func TestMigrate_channels(t *testing.T) {
	t.Parallel()
	dsn, conn := firstSchema(t)
	insert := func(visitor, page, source, medium, campaign string) {
		_, err := conn.Exec(t.Context(), `INSERT INTO visits (website_id, id, visitor_id, started_at, last_seen_at, landing_page, source,
			utm_source, utm_medium, utm_campaign, utm_term, utm_content, pageviews)
			VALUES ('w', gen_random_uuid(), $1, now(), now(), $2, $3, '', $4, $5, '', '', 1)`, visitor, "https://shop.example/"+page, source, medium, campaign)
		require.NoError(t, err)
	}
	insert("1", "?page=2", "direct", "", "")
	insert("2", "?a=1&gclid=1", "direct", "", "")
	insert("3", "", "direct", "", "spring")
	insert("4", "", "letter", "Email", "")
	insert("5", "", "anna", "affiliate", "")
	insert("6", "", "acme", "banner", "")
	insert("7", "", "google.com", "", "")
	insert("8", "?ref=anna", "direct", "", "")

	applied, err := db.Migrate(t.Context(), dsn, nil)
	require.NoError(t, err)
	require.Equal(t, "migrations/0002_channels.sql", applied[0])
	require.Equal(t, []string{"DIRECT", "OTHER", "OTHER", "EMAIL", "AFFILIATE", "DISPLAY", "OTHER", "OTHER"},
		value[[]string](t, conn, `SELECT array_agg(channel ORDER BY visitor_id) FROM visits`))
	insert("9", "", "direct", "", "") // by a server of the version before
	require.Equal(t, "OTHER", value[string](t, conn, `SELECT channel FROM visits WHERE visitor_id = '9'`))
}

// shared are the tables that do not belong to one website: small, and reference tables on a
// distributed database.
var shared = []string{"accounts", "account_usage", "websites", "tokens", "rates", "schema_migrations"}

func TestSchema(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.NewMigrated(t))
	rows, err := conn.Query(t.Context(), `SELECT c.relname, i.indexrelid::regclass::text, i.indisunique,
			ARRAY(SELECT a.attname::text FROM unnest(i.indkey) k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace`)
	require.NoError(t, err)
	indexed := map[string]bool{}
	for rows.Next() {
		var table, index string
		var unique bool
		var columns []string
		require.NoError(t, rows.Scan(&table, &index, &unique, &columns))
		indexed[table] = true
		require.Regexp(t, `^`+table[:len(table)-1], index, "named after its table")
		for _, name := range shared {
			if table == name {
				columns = append(columns, "website_id")
			}
		}
		if unique {
			require.Contains(t, columns, "website_id", "%s would hold across websites", index)
		} else {
			require.Contains(t, append(columns[:1:1], columns[len(columns)-1]), "website_id", "%s must begin with the website", index)
		}
	}
	require.NoError(t, rows.Err())
	require.Len(t, indexed, value[int](t, conn, tables), "every table has a primary key")

	// Foreign keys only point at shared tables: a website's data has none, so that it can be written fast and distributed.
	require.Empty(t, value[[]string](t, conn, `SELECT coalesce(array_agg(conname::text), '{}') FROM pg_constraint
		WHERE contype = 'f' AND NOT confrelid::regclass::text = ANY ($1)`, shared))
}
