package db_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/model"
)

// inserts counts the statements that insert payments: one a transaction.
type inserts struct{ atomic.Int64 }

func (n *inserts) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.HasPrefix(event.Query, `INSERT INTO "payments"`) {
		n.Add(1)
	}
	return ctx
}

func (n *inserts) AfterQuery(context.Context, *bun.QueryEvent) {}

// lanes is how many transactions a website may have under way.
const lanes = 2

// hold makes the recorders of payments that name the customer c wait until release is called.
func (b *bundle) hold() (release func()) {
	b.t.Helper()
	tx, err := connect(b.t, b.dsn).Begin(context.Background())
	require.NoError(b.t, err)
	_, err = tx.Exec(context.Background(), `INSERT INTO customers (website_id, basis, value) VALUES ($1, 'CUSTOMER_ID', 'c')`, b.site.ID)
	require.NoError(b.t, err)
	return func() {
		if err := tx.Rollback(context.Background()); err != nil && err != pgx.ErrTxClosed {
			b.t.Error(err)
		}
	}
}

// held is a payment that waits for release.
func held(id string) model.RecordPaymentInput {
	in := charge(id)
	in.CustomerID = ptr("c")
	return in
}

// busy has a transaction of payments under way in each lane until release is called, which waits for their end.
func (b *bundle) busy() (release func()) {
	b.t.Helper()
	letGo := b.hold()
	recorded := make(chan error, lanes)
	for lane, id := range [lanes]string{"first", "other"} {
		go func() { _, err := b.record(held(id)); recorded <- err }()
		waiting(b.t, b.dsn, lane+1)
	}
	return sync.OnceFunc(func() {
		letGo()
		for range lanes {
			must(b.t, <-recorded)
		}
	})
}

func TestStore_RecordPayment_together(t *testing.T) {
	t.Parallel()

	t.Run("what arrives while a transaction is under way shares the next, each with its own outcome", func(t *testing.T) {
		t.Parallel()
		var n inserts
		b := setupWith(t, db.Options{Hook: &n})
		b.view("v")
		release := b.busy()
		defer release()
		const writers, each = 40, 10
		var wait, started sync.WaitGroup
		started.Add(writers)
		var recorded, duplicates, refused atomic.Int64
		for writer := range writers {
			wait.Go(func() {
				started.Done()
				for i := range each {
					in := charge(fmt.Sprint("t", writer/2, "-", i)) // of two writers each
					switch i {
					case 1:
						in.VisitorID, in.RequireVisitor = ptr("nobody"), ptr(true)
					case 2:
						in.VisitorID = ptr("v")
					}
					payload, err := b.record(in)
					switch {
					case i == 1:
						requireCode(t, model.CodeVisitorNotFound, err)
						refused.Add(1)
					case err != nil:
						t.Error(err)
					case payload.Outcome == model.OutcomeDuplicate:
						duplicates.Add(1)
					case payload.Payment.TransactionID != in.TransactionID, (payload.Outcome == model.OutcomeAttributed) != (i == 2):
						t.Error("another's outcome: ", payload.Outcome)
					default:
						recorded.Add(1)
					}
				}
			})
		}
		started.Wait()
		release()
		wait.Wait()
		require.Equal(t, []int64{180, 180, 40}, []int64{recorded.Load(), duplicates.Load(), refused.Load()})
		revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
		require.NoError(t, err)
		require.Equal(t, []any{182, "182000"}, []any{revenue.Charges, revenue.Net.MinorString()})
		require.Less(t, n.Load(), int64(182), "transactions")
	})

	t.Run("a payment that cannot be written fails alone", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := connect(t, b.dsn).Exec(t.Context(), `ALTER TABLE payments ADD CONSTRAINT no_t7 CHECK (transaction_id <> 't7')`)
		require.NoError(t, err)
		release := b.busy()
		defer release()
		var wait, started sync.WaitGroup
		started.Add(20)
		for i := range 20 {
			wait.Go(func() {
				started.Done()
				_, err := b.record(charge(fmt.Sprint("t", i)))
				if i == 7 {
					require.ErrorContains(t, err, "no_t7")
				} else {
					must(t, err)
				}
			})
		}
		started.Wait()
		release()
		wait.Wait()
		require.Equal(t, lanes+19, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments`))
	})

	t.Run("a client that goes away before its turn is not waited for", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		release := b.busy()
		defer release()
		gone, leave := context.WithCancel(t.Context())
		leave()
		p, err := charge("gone").Validate(b.site, now)
		require.NoError(t, err)
		_, err = b.RecordPayment(gone, b.site, &p)
		requireCode(t, model.CodeUnavailable, err)
		release()
		_, err = b.record(charge("next"))
		require.NoError(t, err)
		require.Equal(t, lanes+1, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments`))
	})

	t.Run("a client that goes away does not take the payments of others along", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		release := b.hold()
		defer release()
		ctx, leave := context.WithCancel(t.Context())
		answered := make(chan error, 1)
		p, err := held("first").Validate(b.site, now)
		require.NoError(t, err)
		go func() {
			_, err := b.RecordPayment(ctx, b.site, &p)
			answered <- err
		}()
		waiting(t, b.dsn, 1)
		leave()
		requireCode(t, model.CodeUnavailable, <-answered)
		release()
		payload, err := b.record(held("first"))
		require.NoError(t, err)
		require.Equal(t, model.OutcomeDuplicate, payload.Outcome, "its transaction went on")
	})

	t.Run("too much that waits is refused at once, and loses nothing that was accepted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		release := b.busy()
		defer release()
		answers := make(chan error, 25)
		for batch := range cap(answers) {
			inputs := make([]model.RecordPaymentInput, model.MaxBatch)
			for i := range inputs {
				inputs[i] = charge(fmt.Sprint(batch, "-", i))
			}
			payments := b.batch(inputs...)
			go func() {
				_, err := b.RecordPayments(context.Background(), b.site, payments)
				answers <- err
			}()
		}
		for range 5 {
			requireCode(t, model.CodeUnavailable, <-answers)
		}
		release()
		for range 20 {
			require.NoError(t, <-answers)
		}
		require.Equal(t, lanes+20_000, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments`))
	})

	t.Run("one website does not wait for another", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		release := b.busy()
		defer release()
		other := *b
		other.site = b.website("EUR")
		_, err := other.record(held("first"))
		require.NoError(t, err)
		release()
	})

	t.Run("a connection that is lost before the commit is replaced", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		release := b.hold()
		defer release()
		recorded := make(chan error, 1)
		go func() { _, err := b.record(held("first")); recorded <- err }()
		waiting(t, b.dsn, 1)
		ended := value[int](t, connect(t, b.dsn), `SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		require.Equal(t, 1, ended)
		release()
		select {
		case err := <-recorded:
			require.NoError(t, err)
		case <-time.After(20 * time.Second):
			t.Fatal("it was never recorded")
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
