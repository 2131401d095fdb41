package demo_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/graph"
	"tributary/graph/generated"
	"tributary/internal/dbtest"
	"tributary/internal/demo"
	"tributary/internal/useragent"
	"tributary/model"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var now = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

// bundle is a fresh database with the resolvers in front of it.
type bundle struct {
	t        *testing.T
	store    *db.Store
	resolver *graph.Resolver
	sql      *sql.DB
}

func setup(t *testing.T) *bundle {
	t.Helper()
	dsn := dbtest.NewMigrated(t)
	store, err := db.Open(dsn, db.Options{MaxConnections: 8})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	raw, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = raw.Close() })
	clock := func() time.Time { return now }
	return &bundle{t, store, &graph.Resolver{Store: store, Now: clock, ParseUserAgent: useragent.Parse}, raw}
}

// seed is a start at the time, and whether it had anything to record.
func (b *bundle) seed(at time.Time) (site model.Website, began bool) {
	b.t.Helper()
	site, err := demo.Seed(b.t.Context(), b.store, b.resolver.Mutation(), at, func(int) { began = true })
	require.NoError(b.t, err)
	return site, began
}

// recorder counts the pageviews, events and payments that pass it.
type recorder struct {
	generated.MutationResolver
	recorded atomic.Int64
	after    func(recorded int)
}

func (r *recorder) RecordVisit(ctx context.Context, input model.RecordVisitInput) (*model.RecordVisitPayload, error) {
	payload, err := r.MutationResolver.RecordVisit(ctx, input)
	r.after(int(r.recorded.Add(1)))
	return payload, err
}

func (r *recorder) RecordEvent(ctx context.Context, input model.RecordEventInput) (*model.RecordEventPayload, error) {
	payload, err := r.MutationResolver.RecordEvent(ctx, input)
	r.after(int(r.recorded.Add(1)))
	return payload, err
}

func (r *recorder) RecordPayments(ctx context.Context, input model.RecordPaymentsInput) (*model.RecordPaymentsPayload, error) {
	payload, err := r.MutationResolver.RecordPayments(ctx, input)
	r.after(int(r.recorded.Add(int64(len(input.Payments)))))
	return payload, err
}

// strings are the rows of a query of one text column.
func (b *bundle) strings(query string) []string {
	b.t.Helper()
	rows, err := b.sql.QueryContext(b.t.Context(), query)
	require.NoError(b.t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		require.NoError(b.t, rows.Scan(&text))
		all = append(all, text)
	}
	require.NoError(b.t, rows.Err())
	return all
}

// data is all that is recorded, without what is different each time: ids of rows, and when it was recorded.
func (b *bundle) data() []string {
	b.t.Helper()
	visits := b.strings(`SELECT (visitor_id, session_id, started_at, last_seen_at, landing_page, referrer, source, channel, utm_campaign,
		country, device, browser, os, pageviews)::text FROM visits ORDER BY visitor_id, started_at`)
	visitors := b.strings(`SELECT (id, first_seen_at, last_seen_at, visit_count)::text FROM visitors ORDER BY id`)
	payments := b.strings(`SELECT (transaction_id, kind, charge_id, currency, amount_minor, reporting_minor, rate_date, rate_source, occurred_at, visitor_id, basis, session_id,
		customer_id, email, name, metadata)::text FROM payments ORDER BY transaction_id, is_refund`)
	events := b.strings(`SELECT (visitor_id, type, name, page, properties::text, occurred_at)::text FROM events ORDER BY visitor_id, occurred_at`)
	return slices.Concat(visits, visitors, events, payments)
}

func TestSeed(t *testing.T) {
	t.Parallel()

	t.Run("there is something to ask about", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		total, mutations := 0, &recorder{MutationResolver: b.resolver.Mutation(), after: func(int) {}}
		site, err := demo.Seed(t.Context(), b.store, mutations, now, func(of int) { total = of })
		require.NoError(t, err)
		require.Equal(t, demo.Domain, site.Domain)
		require.EqualValues(t, total, mutations.recorded.Load())

		sources := b.strings(`SELECT source FROM visits GROUP BY 1 ORDER BY 1`)
		require.Subset(t, sources, []string{"google.com", "newsletter", "x.com", "producthunt.com", "chatgpt.com", "direct", "blog.partner.example", "com.google.android.gm"})
		require.Equal(t, []string{"AFFILIATE", "AI_ASSISTANT", "DIRECT", "EMAIL", "ORGANIC_SEARCH", "ORGANIC_SOCIAL", "PAID_SEARCH", "PAID_SOCIAL", "REFERRAL"},
			b.strings(`SELECT channel FROM visits GROUP BY 1 HAVING count(*) >= 5 ORDER BY 1`))
		require.Subset(t, b.strings(`SELECT currency FROM payments GROUP BY 1`), []string{"USD", "EUR", "GBP", "JPY"})
		require.Subset(t, b.strings(`SELECT basis FROM payments GROUP BY 1`), []string{"VISITOR_ID", "REFUNDED_PAYMENT", "CUSTOMER_ID", "EMAIL", "NONE"})
		require.GreaterOrEqual(t, len(b.strings(`SELECT country FROM visits GROUP BY 1`)), 8)
		require.NotEmpty(t, b.strings(`SELECT transaction_id FROM payments WHERE is_refund AND refund_of IS NULL`), "refunds under the charge's id")
		require.NotEmpty(t, b.strings(`SELECT r.transaction_id FROM payments r JOIN payments c ON c.transaction_id = r.refund_of
			WHERE r.amount_minor < c.amount_minor`), "partial refunds with ids of their own")
		require.NotEmpty(t, b.strings(`SELECT t.transaction_id FROM payments t JOIN payments c ON c.customer_id = t.customer_id
			WHERE t.kind = 'FREE_TRIAL' AND c.kind = 'CHARGE' AND c.occurred_at = t.occurred_at + interval '14 days'`), "trials that convert")
		require.NotEmpty(t, b.strings(`SELECT late.transaction_id FROM payments late JOIN payments c ON c.customer_id = late.customer_id
			WHERE late.basis = 'CUSTOMER_ID' AND c.basis = 'VISITOR_ID' AND late.occurred_at < c.occurred_at`), "late attribution")

		shares := b.strings(`SELECT (avg((v.id IS NOT NULL)::int) BETWEEN 0.5 AND 0.98)::text FROM payments p LEFT JOIN visitors v ON v.id = p.visitor_id`)
		require.Equal(t, []string{"true"}, shares, "most payments are attributed, and some are not")

		revenue, err := b.store.Revenue(t.Context(), site, model.RevenueQuery{})
		require.NoError(t, err)
		for what, count := range map[string]int{"charges": revenue.Charges, "renewals": revenue.Renewals, "refunds": revenue.Refunds, "trials": revenue.FreeTrials} {
			require.Greater(t, count, 10, what)
		}
		require.Empty(t, revenue.Unconverted, "all of it is in the totals")
		require.Greater(t, len(revenue.ByCurrency), 3)
		require.Empty(t, b.strings(`SELECT source FROM rates`), "made-up rates convert nothing else")
		top, err := b.store.RevenueByVisitor(t.Context(), site, model.VisitorRevenueQuery{
			Order: model.VisitorRevenueOrder{Field: model.OrderByNet, Direction: model.Descending}, Page: model.Page{First: 1},
		})
		require.NoError(t, err)
		best := top.Edges[0].Node.Revenue
		require.GreaterOrEqual(t, best.Charges+best.Renewals, 3, "the top visitor paid several times")
	})

	t.Run("same day has the same data", func(t *testing.T) {
		t.Parallel()
		first, second := setup(t), setup(t)
		first.seed(now)
		second.seed(now.Add(11 * time.Hour))
		require.Equal(t, first.data(), second.data())
	})

	t.Run("later start adds nothing, whatever was deleted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		made, _ := b.seed(now)
		latest, err := b.store.Payments(t.Context(), made, model.PaymentQuery{Page: model.Page{First: 1}})
		require.NoError(t, err)
		ctx := model.WithPrincipal(t.Context(), &model.Principal{WebsiteID: made.ID})
		_, err = b.resolver.Mutation().DeletePayments(ctx, model.DeletePaymentsInput{TransactionID: &latest.Edges[0].Node.TransactionID})
		require.NoError(t, err)
		data := b.data()

		found, began := b.seed(now.AddDate(0, 0, 40))
		require.False(t, began)
		require.Equal(t, made.ID, found.ID)
		require.Equal(t, data, b.data())
	})

	for name, at := range map[string]func(done, total int) bool{
		"at once":                           func(done, _ int) bool { return done == 1 },
		"among the visits":                  func(done, total int) bool { return done == total/2 },
		"after the first payments":          func(done, total int) bool { return done >= total-300 },
		"before the last batch of payments": func(done, total int) bool { return done == total-100 },
	} {
		t.Run("start that was killed is completed: "+name, func(t *testing.T) {
			t.Parallel()
			whole, b := setup(t), setup(t)
			whole.seed(now)

			ctx, kill := context.WithCancel(t.Context())
			total, mutations := 0, &recorder{MutationResolver: b.resolver.Mutation()}
			mutations.after = func(recorded int) {
				if at(recorded, total) {
					kill()
				}
			}
			_, err := demo.Seed(ctx, b.store, mutations, now, func(of int) { total = of })
			require.Error(t, err)
			require.NotEqual(t, whole.data(), b.data())

			_, began := b.seed(now.AddDate(0, 0, 3))
			require.True(t, began)
			require.Equal(t, whole.data(), b.data())
			_, began = b.seed(now.AddDate(0, 0, 4))
			require.False(t, began)
		})
	}

	t.Run("made-up rates do not meet other websites", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.store.CreateWebsite(t.Context(), model.Website{Domain: "shop.example", Name: "Shop", Timezone: "UTC", Currency: "USD", CreatedAt: now})
		require.NoError(t, err)
		site, _ := b.seed(now)
		revenue, err := b.store.Revenue(t.Context(), site, model.RevenueQuery{})
		require.NoError(t, err)
		require.Len(t, revenue.Unconverted, 3)
	})

	t.Run("suspended website is refused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		site, err := b.store.CreateWebsite(t.Context(), model.Website{Domain: demo.Domain, Name: "Demo", Timezone: "UTC", Currency: "USD", CreatedAt: now})
		require.NoError(t, err)
		require.NoError(t, b.store.SuspendWebsite(t.Context(), site.ID, true))
		_, err = demo.Seed(t.Context(), b.store, b.resolver.Mutation(), now, func(int) {})
		require.Equal(t, model.CodeWebsiteSuspended, model.AsError(err).Code)
		require.True(t, strings.HasPrefix(err.Error(), "record the demo's visits: "))
	})
}
