package db_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// batch makes payments ready to be recorded.
func (b *bundle) batch(inputs ...model.RecordPaymentInput) []*model.NewPayment {
	b.t.Helper()
	checked, err := model.RecordPaymentsInput{Payments: inputs}.Validate(b.site, now)
	require.NoError(b.t, err)
	require.Len(b.t, checked.Payments, len(inputs))
	return checked.Payments
}

func TestStore_concurrency(t *testing.T) {
	t.Parallel()

	t.Run("overlapping batches of several servers, in any order, lose nothing and count nothing twice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.view("v")
		var inputs []model.RecordPaymentInput
		for i := range 120 {
			in := charge(fmt.Sprint("t", i))
			in.CustomerID, in.Email = ptr(fmt.Sprint("c", i%7)), ptr(fmt.Sprintf("%d@shop.example", i%11))
			if i%20 == 0 {
				in.VisitorID = ptr("v")
			}
			inputs = append(inputs, in, refund(fmt.Sprint("r", i), in.TransactionID))
		}
		servers := []*db.Store{b.Store, b.another(db.Options{}), b.another(db.Options{}), b.another(db.Options{})}
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				server := servers[worker%len(servers)]
				random := rand.New(rand.NewPCG(1, uint64(worker)))
				for range 6 {
					var some []model.RecordPaymentInput
					for _, at := range random.Perm(len(inputs))[:80] {
						some = append(some, inputs[at])
					}
					results, err := server.RecordPayments(context.Background(), b.site, b.batch(some...))
					if err != nil {
						t.Error(err)
						return
					}
					for _, result := range results {
						if result.Error != nil {
							t.Error(result.Error)
						}
					}
				}
				if _, err := server.RecordPayments(context.Background(), b.site, b.batch(inputs...)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
		require.NoError(t, err)
		require.Equal(t, []any{120, 120, "108000"}, []any{revenue.Charges, revenue.Refunds, revenue.Net.MinorString()})
		require.Zero(t, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments WHERE visitor_id IS DISTINCT FROM 'v'`), "all are of one visitor's customers")
	})

	t.Run("a transaction that is the victim of a deadlock is run again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		// Postgres ends the one that finds the deadlock: as a rule, but not always, the one that waited longer.
		deadlock := func(try int) (recorderWasVictim bool) {
			other, err := connect(t, b.dsn).Begin(t.Context())
			require.NoError(t, err)
			_, err = other.Exec(t.Context(), `INSERT INTO customers (website_id, basis, value) VALUES ($1, 'CUSTOMER_ID', $2)`, b.site.ID, fmt.Sprint("c", try))
			require.NoError(t, err)
			recorded := make(chan error, 1)
			go func() {
				in := charge(fmt.Sprint("t", try))
				in.CustomerID = ptr(fmt.Sprint("c", try))
				_, err := b.record(in)
				recorded <- err
			}()
			waiting(t, b.dsn, 1) // with the locks of website and charge, for the customer
			lock := value[int64](t, connect(t, b.dsn), `SELECT classid::bigint << 32 | objid::bigint FROM pg_locks
				WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
			_, err = other.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, lock)
			require.NoError(t, other.Rollback(t.Context()))
			require.NoError(t, <-recorded)
			return err == nil
		}
		for try := 0; !deadlock(try); try++ {
			require.Less(t, try, 10, "the recorder was never the victim")
		}
	})

	t.Run("a batch of a thousand leaves room for others in Postgres's table of locks", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		other, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = other.Exec(t.Context(), `INSERT INTO customers (website_id, basis, value) VALUES ($1, 'CUSTOMER_ID', 'c')`, b.site.ID)
		require.NoError(t, err)
		inputs := make([]model.RecordPaymentInput, model.MaxBatch)
		for i := range inputs {
			inputs[i] = charge(fmt.Sprint("t", i))
		}
		inputs[0].CustomerID = ptr("c")
		payments, recorded := b.batch(inputs...), make(chan error, 1)
		go func() {
			_, err := b.RecordPayments(context.Background(), b.site, payments)
			recorded <- err
		}()
		waiting(t, b.dsn, 1)
		require.LessOrEqual(t, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`), 256)
		require.NoError(t, other.Rollback(t.Context()))
		require.NoError(t, <-recorded)
	})

	t.Run("deletes beside writes leave whole entries", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		servers := []*db.Store{b.Store, b.another(db.Options{})}
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				server := servers[worker/4]
				for i := range 20 {
					in := charge(fmt.Sprint("t", i%5))
					in.CustomerID = ptr("c")
					in.VisitorID = ptr("v")
					var err error
					switch worker % 4 {
					case 0:
						_, err = server.DeletePayments(context.Background(), b.site, "token", model.Deletion{VisitorID: ptr("v")}, now)
					case 1:
						_, err = server.DeletePayments(context.Background(), b.site, "token", model.Deletion{TransactionID: &in.TransactionID}, now)
						if fault := model.AsError(err); fault != nil && fault.Code == model.CodePaymentNotFound {
							err = nil
						}
					case 2:
						var p model.NewPayment
						if p, err = in.Validate(b.site, now); err == nil {
							_, err = server.RecordPayment(context.Background(), b.site, &p)
						}
					default:
						_, err = server.RecordPayments(context.Background(), b.site, b.batch(in, refund("r"+in.TransactionID, in.TransactionID)))
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		_, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{Range: model.Range{From: now.AddDate(-1, 0, 0)}}, now)
		require.NoError(t, err)
		conn := connect(t, b.dsn)
		require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM payments`))
		require.NotZero(t, value[int](t, conn, `SELECT count(*)::int FROM payment_deletions`))
	})
}

func TestStore_DeletePayments(t *testing.T) {
	t.Parallel()
	t.Run("deletes nothing without an audit row", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.record(charge("t1"))
		require.NoError(t, err)
		_, err = connect(t, b.dsn).Exec(t.Context(), `ALTER TABLE payment_deletions ADD CONSTRAINT no_audit CHECK (false)`)
		require.NoError(t, err)
		_, err = b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("t1")}, now)
		require.ErrorContains(t, err, "no_audit")
		revenue, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
		require.NoError(t, err)
		require.Equal(t, 1, revenue.Charges)
	})
}
