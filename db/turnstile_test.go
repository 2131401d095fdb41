package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// signup is a custom event of a visitor.
func (b *bundle) signup(site model.Website, visitor string) error {
	b.t.Helper()
	event, err := model.RecordEventInput{
		VisitorID: visitor, Type: model.EventCustom, Name: ptr("signup"), URL: "https://shop.example/",
	}.Validate(site, now)
	require.NoError(b.t, err)
	_, err = b.RecordEvent(context.Background(), site, event, now)
	return err
}

func TestStore_turns(t *testing.T) {
	t.Parallel()
	const many = 50
	for name, act := range map[string]func(b *bundle, site model.Website, i int) error{
		"events of an account with a limit": func(b *bundle, site model.Website, i int) error {
			site.EventLimit = many
			return b.signup(site, fmt.Sprint("v", i))
		},
		"pageviews of an account with a limit": func(b *bundle, site model.Website, i int) error {
			site.EventLimit = many
			_, err := b.RecordVisit(context.Background(), site, b.page(fmt.Sprint("v", i), i), now)
			return err
		},
		"deletions": func(b *bundle, site model.Website, i int) error {
			_, err := b.DeletePayments(context.Background(), site, "", model.Deletion{VisitorID: ptr(fmt.Sprint("v", i))}, now)
			return err
		},
		"reports": func(b *bundle, site model.Website, i int) error {
			by, err := model.DimensionSource.Query(site, nil, nil, nil, nil, nil)
			require.NoError(b.t, err)
			switch i % 4 {
			case 0:
				_, err = b.Revenue(context.Background(), site, model.RevenueQuery{})
			case 1:
				_, err = b.Payments(context.Background(), site, model.PaymentQuery{Page: model.Page{First: 1}})
			case 2:
				_, err = b.RevenueBy(context.Background(), site, by)
			case 3:
				_, err = b.RevenueOverTime(context.Background(), site, model.RevenueOverTimeQuery{Interval: model.IntervalDay, Now: now})
			}
			return err
		},
	} {
		t.Run(name+" of a website that is held up leave connections to others", func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, db.Options{MaxConnections: 15})
			other := b.website("USD")
			require.NoError(t, b.signup(other, "v"))
			for i := range many {
				require.NoError(t, b.signup(b.site, fmt.Sprint("v", i)))
			}
			release := b.holdUp(b.site)
			var ended sync.WaitGroup
			errs := make([]error, many)
			for i := range many {
				ended.Go(func() { errs[i] = act(b, b.site, i) })
			}
			waiting(t, b.dsn, 4)
			require.NoError(t, b.signup(other, "v"))
			release()
			ended.Wait()
			require.Equal(t, make([]error, many), errs)
		})
	}

	t.Run("several websites that are held up leave connections to payments and pageviews", func(t *testing.T) {
		t.Parallel()
		b := setupWith(t, db.Options{MaxConnections: 15})
		var held []model.Website
		for range 8 {
			held = append(held, b.website("USD"))
		}
		for _, site := range held {
			require.NoError(t, b.signup(site, "v"))
		}
		release := b.holdUp(held...)
		var ended sync.WaitGroup
		for i := range many {
			ended.Go(func() { must(t, b.signup(held[i%len(held)], "v")) })
			ended.Go(func() {
				_, err := b.Revenue(context.Background(), held[i%len(held)], model.RevenueQuery{})
				must(t, err)
			})
		}
		waiting(t, b.dsn, 6+4) // two fifths and three tenths of the connections
		require.NoError(t, b.Ping(t.Context()))
		release()
		ended.Wait()
	})
}

// holdUp makes events of the known visitors of websites, deletions and reports wait until release is called.
func (b *bundle) holdUp(sites ...model.Website) (release func()) {
	b.t.Helper()
	block, err := connect(b.t, b.dsn).Begin(context.Background())
	require.NoError(b.t, err)
	for _, site := range sites {
		_, err = block.Exec(context.Background(), "SELECT FROM visitors WHERE website_id = $1 FOR UPDATE", site.ID)
		require.NoError(b.t, err)
	}
	_, err = block.Exec(context.Background(), "LOCK TABLE payments, payment_deletions")
	require.NoError(b.t, err)
	return func() { require.NoError(b.t, block.Rollback(context.Background())) }
}

func TestStore_reports(t *testing.T) {
	t.Parallel()
	all := model.Attribution{Model: model.ModelFirstTouch, Window: time.Hour}
	page := model.Page{First: 1}
	for name, read := range map[string]func(b *bundle) error{
		"revenueBy": func(b *bundle) error {
			_, err := b.RevenueBy(context.Background(), b.site, model.RevenueByQuery{Dimension: model.DimensionSource, Attribution: all, Page: page})
			return err
		},
		"revenue": func(b *bundle) error {
			_, err := b.Revenue(context.Background(), b.site, model.RevenueQuery{})
			return err
		},
		"revenueOverTime": func(b *bundle) error {
			in := model.RevenueQuery{Range: model.Range{From: now, To: now.Add(time.Hour)}}
			_, err := b.RevenueOverTime(context.Background(), b.site, model.RevenueOverTimeQuery{RevenueQuery: in, Interval: model.IntervalDay})
			return err
		},
		"revenueByVisitor": func(b *bundle) error {
			order := model.VisitorRevenueOrder{Field: model.OrderByNet, Direction: model.Descending}
			_, err := b.RevenueByVisitor(context.Background(), b.site, model.VisitorRevenueQuery{Order: order, Page: page})
			return err
		},
		"payments": func(b *bundle) error {
			_, err := b.Payments(context.Background(), b.site, model.PaymentQuery{Page: page})
			return err
		},
	} {
		t.Run(name+" of a website leaves connections to those who record", func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, db.Options{MaxConnections: 15})
			require.NoError(t, b.signup(b.site, "v"))
			block, err := connect(t, b.dsn).Begin(t.Context())
			require.NoError(t, err)
			_, err = block.Exec(t.Context(), "LOCK TABLE payments, visitor_rollups")
			require.NoError(t, err)
			const many = 20
			var ended sync.WaitGroup
			errs := make([]error, many)
			for i := range many {
				ended.Go(func() { errs[i] = read(b) })
			}
			waiting(t, b.dsn, 4)
			require.NoError(t, b.signup(b.site, "v"))
			require.NoError(t, block.Rollback(t.Context()))
			ended.Wait()
			require.Equal(t, make([]error, many), errs)
		})
	}
}
