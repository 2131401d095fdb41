package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/model"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// now is the time at which the tests happen.
var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// bundle is a store on a fresh database with one website.
type bundle struct {
	*db.Store
	t    testing.TB
	dsn  string
	site model.Website
}

func setup(t testing.TB) *bundle { return setupWith(t, db.Options{}) }

func setupWith(t testing.TB, opts db.Options) *bundle {
	t.Helper()
	b := &bundle{t: t, dsn: dbtest.NewMigrated(t)}
	b.Store = b.another(opts)
	b.site = b.website("USD")
	return b
}

// another is a store on the same database, as another server process has it.
func (b *bundle) another(opts db.Options) *db.Store {
	b.t.Helper()
	store, err := db.Open(b.dsn, opts)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = store.Close() })
	return store
}

// connect opens a connection of the test's own.
func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// value reads one value straight from the database.
func value[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, conn.QueryRow(context.Background(), query, args...).Scan(&v))
	return v
}

func (b *bundle) website(currency model.Currency) model.Website {
	b.t.Helper()
	return b.websiteIn("UTC", currency)
}

func (b *bundle) websiteIn(zone string, currency model.Currency) model.Website {
	b.t.Helper()
	site, err := b.CreateWebsite(context.Background(), model.Website{
		Domain: "shop.example", Name: "Shop", Timezone: zone, Currency: currency, CreatedAt: now,
	})
	require.NoError(b.t, err)
	return site
}

// charge is the input of a payment of 10.00 USD.
func charge(id string) model.RecordPaymentInput {
	return model.RecordPaymentInput{TransactionID: id, Amount: "10", Currency: "USD"}
}

// refund is the input of a refund of 1.00 USD.
func refund(id, charge string) model.RecordPaymentInput {
	return model.RecordPaymentInput{TransactionID: id, Amount: "1", Currency: "USD", Refunded: ptr(true), RefundOf: &charge}
}

// record records a payment and answers what became of it.
func (b *bundle) record(in model.RecordPaymentInput) (*model.RecordPaymentPayload, error) {
	p, err := in.Validate(b.site, now)
	if err != nil {
		return nil, err
	}
	return b.RecordPayment(context.Background(), b.site, &p)
}

// view records a pageview of a visitor.
func (b *bundle) view(visitor string) {
	b.t.Helper()
	v, err := model.RecordVisitInput{VisitorID: visitor, URL: "https://shop.example/"}.Validate(b.site, now, nil)
	require.NoError(b.t, err)
	_, err = b.RecordVisit(context.Background(), b.site, v, now)
	require.NoError(b.t, err)
}

func requireCode(t testing.TB, want model.Code, err error) {
	t.Helper()
	fault := model.AsError(err)
	require.NotNil(t, fault, "%v", err)
	require.Equal(t, want, fault.Code)
}

// waiting waits until so many of the database's sessions wait for a lock.
func waiting(t testing.TB, dsn string, sessions int) {
	t.Helper()
	conn := connect(t, dsn)
	require.Eventually(t, func() bool {
		return value[int](t, conn, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == sessions
	}, 20*time.Second, 5*time.Millisecond)
}

func ptr[T any](v T) *T { return &v }
