package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/db"
	"tributary/model"
)

// fill inserts charges of one moment, as before there were rollups.
func (b *bundle) fill(n int, at time.Time) {
	b.t.Helper()
	conn := connect(b.t, b.dsn)
	_, err := conn.Exec(context.Background(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor,
			reporting_minor, reporting_currency, occurred_at, recorded_at, visitor_id, basis)
		SELECT $1, gen_random_uuid(), $2 || '-' || i, 'CHARGE', false, $2 || '-' || i, 'USD', i, i, 'USD', $3, $3, 'v' || i % 7, 'VISITOR_ID'
		FROM generate_series(1, $4::int) AS i`, b.site.ID, at.String(), at, n)
	require.NoError(b.t, err)
	_, err = conn.Exec(context.Background(), `UPDATE websites SET rollups_until = '1970-01-01Z', visitor_rollups_until = '' WHERE id = $1`, b.site.ID)
	require.NoError(b.t, err)
}

func (b *bundle) verified() model.RollupCheck {
	b.t.Helper()
	check, err := b.VerifyRollups(context.Background(), b.site.ID)
	require.NoError(b.t, err)
	require.Empty(b.t, check.Faults)
	return check
}

func TestStore_BuildRollups(t *testing.T) {
	t.Parallel()

	t.Run("adds up what was recorded before, in steps", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.fill(12_000, now.AddDate(0, 0, -3)) // of one moment: one step
		b.fill(9_999, now.AddDate(0, 0, -2))
		b.fill(1, now.AddDate(0, 0, -1))
		b.fill(1, now)
		require.False(t, b.verified().IsComplete)
		var steps []model.RollupProgress
		require.NoError(t, b.BuildRollups(t.Context(), b.site.ID, func(p model.RollupProgress) { steps = append(steps, p) }))
		require.Equal(t, []model.RollupProgress{{Until: now.AddDate(0, 0, -2)}, {Until: now}, {}, {Visitor: "v3"}}, steps)
		check := b.verified()
		require.True(t, check.IsComplete)
		require.Equal(t, 2*4+7, check.Compared)
	})

	t.Run("goes on where it was ended, and what is recorded meanwhile counts once", func(t *testing.T) {
		t.Parallel()
		for ended := range 4 { // after as many steps
			b := setup(t)
			b.fill(10_000, now.AddDate(0, 0, -3))
			b.fill(5_000, now.AddDate(0, 0, -1))
			ctx, kill := context.WithCancel(t.Context())
			done := 0
			err := b.BuildRollups(ctx, b.site.ID, func(model.RollupProgress) {
				if done++; done > ended {
					kill()
				}
			})
			kill()
			if ended < 3 {
				require.Error(t, err)
				require.False(t, b.verified().IsComplete)
			}
			for days := range 5 {
				in := charge(fmt.Sprint("t", days))
				in.OccurredAt = ptr(model.AtTime(now.AddDate(0, 0, -days)))
				in.VisitorID = ptr(fmt.Sprint("v", days))
				_, err := b.record(in)
				require.NoError(t, err)
				b.verified()
			}
			_, err = b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("t4")}, now)
			require.NoError(t, err)
			b.verified()
			revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
			require.NoError(t, err)
			require.Equal(t, 15_004, revenue.Charges)
			require.NoError(t, b.BuildRollups(t.Context(), b.site.ID, nil))
			require.True(t, b.verified().IsComplete)
			after, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
			require.NoError(t, err)
			require.Equal(t, revenue, after)
		}
	})

	t.Run("of an unknown website says so", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		requireCode(t, model.CodeWebsiteNotFound, b.BuildRollups(t.Context(), "none", nil))
		requireCode(t, model.CodeWebsiteNotFound, b.RebuildRollups(t.Context(), "none", nil))
		_, err := b.VerifyRollups(t.Context(), "none")
		requireCode(t, model.CodeWebsiteNotFound, err)
	})
}

// Two rebuilds at once, while payments are recorded, moved and deleted, by two servers.
func TestStore_RebuildRollups_besideWriters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := &bundle{Store: b.another(db.Options{}), t: t, dsn: b.dsn, site: b.site}
	b.fill(5000, now.AddDate(0, 0, -3))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rebuilt := make(chan struct{})
	var rebuilding, writing sync.WaitGroup
	for range 2 {
		rebuilding.Go(func() {
			for range 3 {
				if err := b.RebuildRollups(ctx, b.site.ID, nil); err != nil {
					t.Errorf("rebuild: %v", err)
				}
			}
		})
	}
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				select {
				case <-rebuilt:
					return
				default:
				}
				server := []*bundle{b, other}[w%2]
				in := charge(fmt.Sprintf("t-%d-%d", w, i))
				in.CustomerID = ptr(fmt.Sprint("c", i/5))
				if i%5 == 4 {
					in.VisitorID = ptr(fmt.Sprint("v", i%3))
				}
				in.OccurredAt = ptr(model.AtTime(now.AddDate(0, 0, -i%9)))
				if _, err := server.record(in); err != nil {
					t.Errorf("record: %v", err)
				}
				if i%4 == 3 {
					d := model.Deletion{TransactionID: ptr(fmt.Sprintf("t-%d-%d", w, i-2))}
					if _, err := server.DeletePayments(ctx, b.site, "token", d, now); err != nil {
						t.Errorf("delete: %v", err)
					}
				}
			}
		})
	}
	rebuilding.Wait()
	close(rebuilt)
	writing.Wait()
	require.True(t, b.verified().IsComplete)
}

// What the rollups answer is what the ledger does, which is read while they are not complete.
func TestStore_rollups_property(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	conn := connect(t, shared.dsn)
	rapid.Check(t, func(rt *rapid.T) {
		b := &bundle{Store: shared.Store, t: t, dsn: shared.dsn}
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York"}).Draw(rt, "zone")
		b.site = b.websiteIn(zone, rapid.SampledFrom([]model.Currency{"USD", "JPY"}).Draw(rt, "currency"))
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			unit := rapid.SampledFrom([]time.Duration{time.Microsecond, 15 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
			return now.Add(-time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(t, "ago"))).Truncate(unit)
		})
		for i := range rapid.IntRange(0, 12).Draw(rt, "n") {
			in := drawPayment(rt)
			in.TransactionID = fmt.Sprint(i)
			in.OccurredAt = ptr(model.AtTime(moment.Draw(rt, "at")))
			_, _ = b.record(in)
		}
		if rapid.Bool().Draw(rt, "change the currency") {
			require.NoError(rt, b.SetCurrency(t.Context(), b.site.ID, "JPY"))
			b.site.Currency = "JPY"
			if rapid.Bool().Draw(rt, "convert") {
				_, err := b.ConvertPayments(t.Context(), b.site.ID, nil)
				require.NoError(rt, err)
			}
		}
		r := model.Range{}
		if rapid.Bool().Draw(rt, "from") {
			r.From = moment.Draw(rt, "from")
		}
		if rapid.Bool().Draw(rt, "to") {
			r.To = moment.Draw(rt, "to")
		}
		answers := func() (all []any) {
			revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{Range: r})
			require.NoError(rt, err)
			all = append(all, revenue)
			for _, interval := range []model.Interval{model.IntervalHour, model.IntervalDay, model.IntervalWeek, model.IntervalMonth} {
				buckets, err := b.RevenueOverTime(t.Context(), b.site, model.RevenueOverTimeQuery{
					RevenueQuery: model.RevenueQuery{Range: r}, Interval: interval, Now: now})
				require.NoError(rt, err)
				all = append(all, buckets)
			}
			for _, field := range []model.VisitorRevenueOrderField{model.OrderByNet, model.OrderByGross, model.OrderByLastPaymentAt, model.OrderByPayments} {
				for _, direction := range []model.OrderDirection{model.Ascending, model.Descending} {
					query := model.VisitorRevenueQuery{Order: model.VisitorRevenueOrder{Field: field, Direction: direction}, Page: model.Page{First: 1}}
					page, err := b.RevenueByVisitor(t.Context(), b.site, query)
					require.NoError(rt, err)
					all = append(all, page)
					if !page.PageInfo.HasNextPage {
						continue
					}
					query.Page, err = model.NewPage(ptr(1), &page.Edges[0].Cursor, query.Order.List())
					require.NoError(rt, err)
					page, err = b.RevenueByVisitor(t.Context(), b.site, query)
					require.NoError(rt, err)
					all = append(all, page)
				}
			}
			return all
		}
		kept := answers()
		_, err := conn.Exec(t.Context(), `UPDATE websites SET rollups_until = '1970-01-01Z', visitor_rollups_until = '' WHERE id = $1`, b.site.ID)
		require.NoError(rt, err)
		require.Equal(rt, answers(), kept)
	})
}
