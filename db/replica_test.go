package db_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/dbtest"
	"tributary/model"
)

func TestReplicated(t *testing.T) {
	t.Parallel()
	b := setupReplicated(t)
	ctx := context.Background()

	t.Run("reads every report from the replica and does all else on the primary", func(t *testing.T) {
		page := model.Page{First: 1}
		ofVisitors := []string{"v"}
		by, err := model.DimensionSource.Query(b.site, nil, nil, nil, nil, nil)
		require.NoError(t, err)
		reports := map[string]func(s graph.Store) (any, error){
			"Payments":           func(s graph.Store) (any, error) { return s.Payments(ctx, b.site, model.PaymentQuery{Page: page}) },
			"Revenue":            func(s graph.Store) (any, error) { return s.Revenue(ctx, b.site, model.RevenueQuery{}) },
			"RevenueBy":          func(s graph.Store) (any, error) { return s.RevenueBy(ctx, b.site, by) },
			"RevenueByVisitor":   func(s graph.Store) (any, error) { return s.RevenueByVisitor(ctx, b.site, byNet(page)) },
			"RevenueOfVisitors":  func(s graph.Store) (any, error) { return s.RevenueOfVisitors(ctx, b.site, ofVisitors, model.Range{}) },
			"Visitors":           func(s graph.Store) (any, error) { return s.Visitors(ctx, b.site.ID, ofVisitors) },
			"FirstVisits":        func(s graph.Store) (any, error) { return s.FirstVisits(ctx, b.site.ID, ofVisitors) },
			"LastVisits":         func(s graph.Store) (any, error) { return s.LastVisits(ctx, b.site.ID, ofVisitors) },
			"VisitsOfVisitors":   func(s graph.Store) (any, error) { return s.VisitsOfVisitors(ctx, b.site.ID, ofVisitors, page) },
			"EventsOfVisitors":   func(s graph.Store) (any, error) { return s.EventsOfVisitors(ctx, b.site.ID, ofVisitors, page) },
			"JourneysOfVisitors": func(s graph.Store) (any, error) { return s.JourneysOfVisitors(ctx, b.site.ID, ofVisitors, page) },
			"PaymentsOfVisitors": func(s graph.Store) (any, error) { return s.PaymentsOfVisitors(ctx, b.site.ID, ofVisitors, page) },
			"RevenueOverTime": func(s graph.Store) (any, error) {
				return s.RevenueOverTime(ctx, b.site, model.RevenueOverTimeQuery{Interval: model.IntervalDay, Now: now})
			},
		}
		others := []string{"Website", "WebsiteByTrackingID", "Websites", "RecordPayment", "RecordPayments", "DeletePayments", "RecordVisit", "RecordEvent", "ErasePerson"}

		store := reflect.TypeFor[graph.Store]()
		require.Equal(t, store.NumMethod(), len(reports)+len(others), "is a new method a report?")
		for _, name := range others {
			_, found := store.MethodByName(name)
			require.True(t, found, name)
		}
		require.Equal(t, "primary", b.from(func() {
			view := b.page("v", 1)
			_, err := b.own.RecordVisit(ctx, b.site, view, now)
			require.NoError(t, err)
			b.pay(b.own, "first", "v")
			_, err = b.own.Website(ctx, b.site.ID)
			require.NoError(t, err)
			_, err = b.own.DeletePayments(ctx, b.site, "", model.Deletion{TransactionID: ptr("first"), DryRun: true}, now)
			require.NoError(t, err)
			_, err = b.own.ErasePerson(ctx, b.site, "", model.Erasure{PersonQuery: model.PersonQuery{Person: model.Person{VisitorIDs: []string{"nobody"}}}, DryRun: true}, now)
			require.NoError(t, err)
		}))
		for name, report := range reports {
			_, found := store.MethodByName(name)
			require.True(t, found, name)
			want, err := report(b.Store)
			require.NoError(t, err)
			require.Equal(t, "replica", b.from(func() {
				got, err := report(b.own)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}), name)
		}
	})

	t.Run("shows what it has written, if need be from the primary", func(t *testing.T) {
		b.requireCharges(1, "replica")
		other := b.website("USD")
		b.pause()
		b.pay(b.Store, "of another process", "v")
		b.requireCharges(1, "replica")

		b.pay(b.own, "own", "v")
		begun := time.Now()
		b.requireCharges(3, "primary")
		require.Greater(t, time.Since(begun), 900*time.Millisecond, "the replica was not waited for")
		_, from := b.charges(other)
		require.Equal(t, "replica", from, "nothing was written to this website")

		b.resume()
		b.requireCharges(3, "replica")
	})

	t.Run("waits for what it has written", func(t *testing.T) {
		for name, write := range map[string]func() error{
			"payment": func() error { b.pay(b.own, "a", "v"); return nil },
			"payments": func() error {
				p, err := charge("b").Validate(b.site, now)
				require.NoError(t, err)
				_, err = b.own.RecordPayments(ctx, b.site, []*model.NewPayment{&p})
				return err
			},
			"deletion": func() error {
				_, err := b.own.DeletePayments(ctx, b.site, "", model.Deletion{TransactionID: ptr("own")}, now)
				return err
			},
			"visit": func() error { _, err := b.own.RecordVisit(ctx, b.site, b.page("w", 1), now); return err },
			"event": func() error {
				event, err := model.RecordEventInput{
					VisitorID: "x", Type: model.EventCustom, Name: ptr("signup"), URL: "https://shop.example/",
				}.Validate(b.site, now)
				require.NoError(t, err)
				_, err = b.own.RecordEvent(ctx, b.site, event, now)
				return err
			},
		} {
			b.pause()
			require.NoError(t, write())
			read := make(chan string, 1)
			before := b.onReplica.checks.Load()
			go func() {
				_, from := b.charges(b.site)
				read <- from
			}()
			require.Eventually(t, func() bool { return b.onReplica.checks.Load() > before+3 }, 10*time.Second, time.Millisecond)
			require.Empty(t, read, "%s is not waited for", name)
			b.resume()
			require.Equal(t, "replica", <-read, name)
		}
		want, err := b.Store.Revenue(ctx, b.site, model.RevenueQuery{})
		require.NoError(t, err)
		b.requireCharges(want.Charges, "replica")
	})

	t.Run("does not wait for visits of trackers", func(t *testing.T) {
		tracker := model.WithPrincipal(ctx, &model.Principal{TrackingID: b.site.TrackingID})
		b.pause()
		defer b.resume()
		_, err := b.own.RecordVisit(tracker, b.site, b.page("tracked", 1), now)
		require.NoError(t, err)
		require.Equal(t, "replica", b.from(func() {
			visits, err := b.own.FirstVisits(ctx, b.site.ID, []string{"tracked"})
			require.NoError(t, err)
			require.Empty(t, visits)
		}))
	})
}

// byNet asks for visitors by their net revenue.
func byNet(page model.Page) model.VisitorRevenueQuery {
	return model.VisitorRevenueQuery{Order: model.VisitorRevenueOrder{Field: model.OrderByNet, Direction: model.Descending}, Page: page}
}

func TestReplicated_load(t *testing.T) {
	t.Parallel()
	b := setupReplicated(t)
	ctx := context.Background()
	// Slow enough that a report which does not wait shows nothing of what was just written.
	b.onReplicaRun("ALTER SYSTEM SET recovery_min_apply_delay = '30ms'")
	b.onReplicaRun("SELECT pg_reload_conf()")
	const writers, each = 8, 25
	var wait sync.WaitGroup
	for writer := range writers {
		wait.Go(func() {
			visitor := fmt.Sprint("v", writer)
			for i := range each {
				p, err := model.RecordPaymentInput{
					TransactionID: fmt.Sprint(visitor, "-", i), Amount: "10", Currency: "USD", VisitorID: &visitor,
				}.Validate(b.site, now)
				must(t, err)
				_, err = b.own.RecordPayment(ctx, b.site, &p)
				must(t, err)
				revenues, err := b.own.RevenueOfVisitors(ctx, b.site, []string{visitor}, model.Range{})
				if must(t, err); err != nil || revenues[visitor].Charges != i+1 {
					t.Errorf("visitor %s does not have all of %d payments: %v", visitor, i+1, revenues[visitor])
					return
				}
			}
		})
	}
	wait.Wait()
	n := b.onReplica.reports.Load()
	t.Logf("%d of %d reports were read from the replica", n, writers*each)
	require.Greater(t, n, int64(writers*each/2))
}

func TestReplicated_restart(t *testing.T) {
	t.Parallel()
	b := setupReplicated(t)
	b.pay(b.own, "before", "v")
	// Somebody reads all the time.
	var wait sync.WaitGroup
	var reads atomic.Int64
	done := make(chan struct{})
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				_, err := b.own.Revenue(context.Background(), b.site, model.RevenueQuery{})
				must(t, err)
				reads.Add(1)
			}
		})
	}
	for round := range 2 {
		b.pair.KillReplica()
		b.log.next(t, `reason="it does not answer"`)
		b.pay(b.own, fmt.Sprint("while it is down ", round), "v")
		read := reads.Load()
		require.Eventually(t, func() bool { return reads.Load() > read+100 }, 20*time.Second, time.Millisecond)
		b.pair.StartReplica()
		b.log.next(t, "reports are read from the replica")
	}
	close(done)
	wait.Wait()
	b.requireCharges(3, "replica")
}

func TestReplicated_unfit(t *testing.T) {
	t.Parallel()
	b := setupReplicated(t)

	t.Run("one that is behind is not used until it has caught up", func(t *testing.T) {
		b.pause()
		b.pay(b.Store, "behind", "v")
		b.log.next(t, `reason="it is more than 5s behind"`)
		b.pay(b.own, "more", "v")
		begun := time.Now()
		b.requireCharges(2, "primary")
		require.Less(t, time.Since(begun), 900*time.Millisecond, "it is waited for")
		b.resume()
		b.log.next(t, "reports are read from the replica")
		b.requireCharges(2, "replica")
	})

	t.Run("one that lacks half a change of a transaction that goes on is not behind", func(t *testing.T) {
		conn := connect(t, b.pair.AdminURL)
		tx, err := connect(t, b.pair.AdminURL).Begin(context.Background())
		require.NoError(t, err)
		_, err = tx.Exec(context.Background(), "CREATE TABLE big AS SELECT repeat('x', 700) FROM generate_series(1, 3000)")
		require.NoError(t, err)
		// until says whether the replica has all, or not all, of what is on the primary's disk.
		until := func(hasAll bool) {
			require.Eventually(t, func() bool {
				flushed := value[string](t, conn, "SELECT pg_current_wal_flush_lsn()::text")
				return value[bool](t, b.replica, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", flushed) == hasAll
			}, 10*time.Second, time.Millisecond)
		}
		until(false)
		until(true)
		require.NoError(t, tx.Rollback(context.Background()))
	})

	t.Run("what is no replica of the database is not used", func(t *testing.T) {
		conn := connect(t, b.pair.AdminURL)
		_, err := conn.Exec(context.Background(), "CREATE ROLE stranger LOGIN")
		require.NoError(t, err)
		never, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = never.Close() })
		for name, it := range map[string]struct{ dsn, reason string }{
			"the primary":       {b.pair.URL, "it is not a replica (any more): it accepts writes"},
			"another cluster":   {dbtest.NewMigrated(t), "it is not a copy of this database"},
			"another database":  {b.pair.ReplicaAdminURL, "it is not a copy of this database"},
			"a role without":    {strings.Replace(b.pair.ReplicaURL, "//tributary@", "//stranger@", 1), "its tables cannot be read"},
			"nobody":            {"postgres://tributary@/tributary?host=/nowhere", "it does not answer"},
			"one that is stuck": {"postgres://tributary@" + never.Addr().String() + "/tributary?sslmode=disable", "it does not answer"},
		} {
			var log lines
			own := openReplica(t, b.Store, it.dsn, db.Options{}, &log)
			log.next(t, "reason=\""+it.reason)
			revenue, err := own.Revenue(context.Background(), b.site, model.RevenueQuery{})
			require.NoError(t, err, name)
			require.Equal(t, 2, revenue.Charges, name)
		}
	})

	t.Run("one that is promoted is not used any more", func(t *testing.T) {
		b.onReplicaRun("SELECT pg_promote()")
		b.log.next(t, `reason="it is not a replica (any more): it accepts writes"`)
		b.pay(b.own, "since", "v")
		b.requireCharges(3, "primary")
	})
}

func TestOpenReplicated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for dsn, says := range map[string]string{
		"postgres://u:hidden@a,b/tributary": "names several servers",
		"postgres://u:hidden@host:x/y":      "the database URL is not valid",
	} {
		_, err := db.OpenReplicated(b.Store, dsn, db.Options{}, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hidden")
	}
}
