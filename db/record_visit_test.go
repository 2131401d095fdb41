package db_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/model"
)

// watcher counts the statements of a store, and panics at one with a word.
type watcher struct {
	statements atomic.Int64
	panicsAt   string
}

func (w *watcher) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	w.statements.Add(1)
	if w.panicsAt != "" && strings.Contains(event.Query, w.panicsAt) {
		panic("at " + w.panicsAt)
	}
	return ctx
}

func (w *watcher) AfterQuery(context.Context, *bun.QueryEvent) {}

// page is a pageview of a page of its own.
func (b *bundle) page(visitor string, page any) model.Visit {
	b.t.Helper()
	v, err := model.RecordVisitInput{VisitorID: visitor, URL: fmt.Sprint("https://shop.example/", page)}.Validate(b.site, now, nil)
	require.NoError(b.t, err)
	return v
}

func TestStore_RecordVisit_together(t *testing.T) {
	t.Parallel()

	t.Run("pageviews that arrive while others are recorded share a transaction", func(t *testing.T) {
		t.Parallel()
		w := &watcher{}
		b := setupWith(t, db.Options{Hook: w})
		conn := connect(t, b.dsn)
		block, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = block.Exec(t.Context(), "LOCK TABLE visitors")
		require.NoError(t, err)
		const views, visitors = 400, 40
		before := w.statements.Load()
		var started, ended sync.WaitGroup
		errs := make([]error, views)
		for i := range views {
			started.Add(1)
			ended.Go(func() {
				view := b.page(fmt.Sprint("v", i%visitors), i)
				started.Done()
				_, errs[i] = b.RecordVisit(context.Background(), b.site, view, now)
			})
		}
		started.Wait()
		waiting(t, b.dsn, lanes) // connections, for all of them
		require.NoError(t, block.Rollback(t.Context()))
		ended.Wait()
		require.Equal(t, make([]error, views), errs)
		require.Less(t, w.statements.Load()-before, int64(views), "one at a time there would be four for each")
		require.Equal(t, visitors, value[int](t, conn, "SELECT count(*)::int FROM visits WHERE pageviews = $1", views/visitors))
		require.Equal(t, visitors, value[int](t, conn, "SELECT count(*)::int FROM visitors WHERE visit_count = 1"))
	})

	t.Run("one that fails does not take others with it", func(t *testing.T) {
		t.Parallel()
		w := &watcher{panicsAt: "canary"}
		b := setupWith(t, db.Options{Hook: w})
		var group sync.WaitGroup
		errs := make([]error, 30)
		for i := range errs {
			group.Go(func() {
				view := b.page(fmt.Sprint("v", i), i)
				switch i {
				case 10:
					view.Channel = "none" // which Postgres refuses
				case 20:
					view.LandingPage = "https://shop.example/canary"
				}
				_, errs[i] = b.RecordVisit(context.Background(), b.site, view, now)
			})
		}
		group.Wait()
		for i, err := range errs {
			if i == 10 {
				require.ErrorContains(t, err, "visits_channel_check")
			} else if i == 20 {
				require.ErrorContains(t, err, "panicked: at canary")
				require.Nil(t, model.AsError(err), "it is for the log only")
			} else {
				require.NoError(t, err, i)
			}
		}
		require.Equal(t, 28, value[int](t, connect(t, b.dsn), "SELECT count(*)::int FROM visitors"))
	})

	t.Run("payments follow all visitors that are seen", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for i := range 20 {
			in := charge(fmt.Sprint("t", i))
			in.VisitorID, in.CustomerID = ptr(fmt.Sprint("v", i)), ptr(fmt.Sprint("c", i))
			_, err := b.record(in)
			require.NoError(t, err)
			other := charge(fmt.Sprint("u", i))
			other.VisitorID, other.CustomerID = ptr(fmt.Sprint("unseen", i)), in.CustomerID
			_, err = b.record(other)
			require.NoError(t, err)
		}
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() { b.view(fmt.Sprint("unseen", i)) })
		}
		group.Wait()
		require.Equal(t, 20, value[int](t, connect(t, b.dsn), "SELECT count(*)::int FROM customers WHERE visitor_id LIKE 'unseen%'"))
	})
}
