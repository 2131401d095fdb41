package db_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// viewAt records a pageview of a visitor, from a campaign.
func (b *bundle) viewAt(visitor, source string, at time.Time) {
	b.t.Helper()
	occurred := model.AtTime(at)
	v, err := model.RecordVisitInput{VisitorID: visitor, URL: "https://shop.example/?utm_source=" + source, OccurredAt: &occurred}.Validate(b.site, now, nil)
	require.NoError(b.t, err)
	_, err = b.RecordVisit(context.Background(), b.site, v, now)
	require.NoError(b.t, err)
}

// sources are what the website's revenue is credited to, and what to none.
func (b *bundle) sources(m model.AttributionModel) string {
	b.t.Helper()
	query := model.RevenueByQuery{Dimension: model.DimensionSource, Attribution: model.Attribution{Model: m, Window: 90 * 24 * time.Hour}, Page: model.Page{First: 10}}
	groups, err := b.RevenueBy(context.Background(), b.site, query)
	require.NoError(b.t, err)
	text := ""
	for _, edge := range groups.Edges {
		text += fmt.Sprint(edge.Node.Key, " ", edge.Node.Revenue.Net.MinorString(), " of ", edge.Node.Payers, ", ")
	}
	return text + "none " + groups.Unattributed.Net.MinorString()
}

func TestStore_PruneVisits(t *testing.T) {
	t.Parallel()

	t.Run("what is older goes, and what its visitors paid stays", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		before := now.AddDate(0, 0, -30)
		for visitor, days := range map[string][]int{"payer": {-60, -20}, "old payer": {-60}, "guest": {-60}, "regular": {-60, -1}, "claimer": {-40}} {
			for _, day := range days {
				b.viewAt(visitor, fmt.Sprintf("day%d", -day), now.AddDate(0, 0, day))
			}
		}
		b.viewAt("on the edge", "edge", before)
		b.pay(paid("t1", "payer", "", ""), paid("t2", "old payer", "c", "ada@shop.example"))
		old := model.AtTime(now.AddDate(0, 0, -40))
		b.happen(model.RecordEventInput{VisitorID: "guest", Type: model.EventCustom, Name: ptr("old"), OccurredAt: &old})
		b.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, Email: ptr("claimed@shop.example"), OccurredAt: &old})
		b.happen(model.RecordEventInput{VisitorID: "regular", Type: model.EventCustom, Name: ptr("new")})
		for _, day := range []int{-60, -1} { // again, of which only the time is kept
			at := model.AtTime(now.AddDate(0, 0, day))
			b.happen(model.RecordEventInput{VisitorID: "known", Type: model.EventIdentify, UserID: ptr("u"), Name: ptr("Identified"), OccurredAt: &at})
		}
		totals := b.totals(model.Range{})
		require.Equal(t, "day60 2000 of 2, day1 0 of 0, day20 0 of 0, day40 0 of 0, edge 0 of 0, none 0", b.sources(model.ModelFirstTouch))

		pruned, err := b.PruneVisits(t.Context(), b.site, before)
		require.NoError(t, err)
		require.Equal(t, model.Pruned{Visits: 5, Events: 3, Visitors: 3}, pruned)
		conn := connect(t, b.dsn)
		require.Equal(t, "old payer 1, on the edge 1, payer 2, regular 2", value[string](t, conn, `SELECT string_agg(id || ' ' || visit_count, ', ' ORDER BY id) FROM visitors`), "visits that were count on")
		require.Equal(t, "2026-03-02", value[string](t, conn, `SELECT first_seen_at::date::text FROM visitors WHERE id = 'payer'`))
		require.Equal(t, "new", value[string](t, conn, `SELECT string_agg(name, ',') FROM events`))
		require.Empty(t, found(t, conn, "claimed@"))
		require.Empty(t, found(t, conn, "Identified"), "seen lately, but nothing is kept that shows it")
		require.NotEmpty(t, found(t, conn, "ada@shop.example"))
		require.Equal(t, totals, b.totals(model.Range{}))
		require.Equal(t, "day20 1000 of 1, day1 0 of 0, edge 0 of 0, none 1000", b.sources(model.ModelFirstTouch), "credit goes to what is left")
		payments, err := b.PaymentsOfVisitors(t.Context(), b.site.ID, []string{"old payer"}, model.Page{First: 1})
		require.NoError(t, err)
		require.Equal(t, model.BasisVisitorID, payments["old payer"].Edges[0].Node.Attribution(), "still a known visitor's")

		pruned, err = b.PruneVisits(t.Context(), b.site, before)
		require.NoError(t, err)
		require.Zero(t, pruned)
	})

	t.Run("a visit that goes on stays, however early it began", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.viewAt("v", "old", now.Add(-20*time.Minute))
		b.viewAt("v", "old", now.Add(-time.Minute))
		conn := connect(t, b.dsn)
		require.Equal(t, 2, value[int](t, conn, `SELECT pageviews::int FROM visits`), "in one visit")
		pruned, err := b.PruneVisits(t.Context(), b.site, now.Add(-10*time.Minute))
		require.NoError(t, err)
		require.Zero(t, pruned)
	})

	t.Run("a customer is known by a payment whose visitor came too late for what a page had claimed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.viewAt("claimer", "old", now.AddDate(0, 0, -60))
		b.happen(model.RecordEventInput{VisitorID: "claimer", Type: model.EventPayment, CustomerID: ptr("c"), OccurredAt: ptr(model.AtTime(now.AddDate(0, 0, -60)))})
		b.pay(paid("t1", "payer", "c", ""))
		pruned, err := b.PruneVisits(t.Context(), b.site, now)
		require.NoError(t, err)
		require.Equal(t, 1, pruned.Visitors)
		b.pay(paid("t2", "", "c", ""))
		require.Equal(t, []string{"t1 c  payer VISITOR_ID false", "t2 c  payer CUSTOMER_ID false"}, b.entries(connect(t, b.dsn)))
	})

	t.Run("several servers share the work", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.viewAt("v", "old", now.AddDate(0, 0, -60))
		conn := connect(t, b.dsn)
		_, err := conn.Exec(t.Context(), `INSERT INTO visits SELECT (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid()))).* FROM visits v, generate_series(1, 1300)`)
		require.NoError(t, err)
		counts, errs := make(chan int, 3), make(chan error, 3)
		for _, server := range []*db.Store{b.Store, b.another(db.Options{}), b.another(db.Options{})} {
			go func() {
				pruned, err := server.PruneVisits(context.Background(), b.site, now)
				counts <- pruned.Visits
				errs <- err
			}()
		}
		sum := 0
		for range 3 {
			sum += <-counts
			require.NoError(t, <-errs)
		}
		require.Equal(t, 1301, sum)
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int + (SELECT count(*) FROM visitors)::int FROM visits`))
	})
}
