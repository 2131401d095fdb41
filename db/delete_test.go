package db_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/model"
)

// Entries that share customers with what is recorded meanwhile are the ones that could lock each other out.
func TestStore_DeletePayments_besideWriters(t *testing.T) {
	t.Parallel()
	const entries, customers = 7000, 50
	b := setup(t)
	conn := connect(t, b.dsn)
	day := now.AddDate(0, 0, -1)
	_, err := conn.Exec(t.Context(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor,
			reporting_minor, occurred_at, recorded_at, visitor_id, basis, customer_id)
		SELECT $1, gen_random_uuid(), 'old-' || i, 'CHARGE', false, 'old-' || i, 'USD', 1000, 1000, $2, $2, 'v' || i % $4, 'VISITOR_ID', 'c' || i % $4
		FROM generate_series(1, $3) AS i`, b.site.ID, day, entries, customers)
	require.NoError(t, err)
	require.NoError(t, b.RebuildRollups(t.Context(), b.site.ID, nil))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	deleted := make(chan struct{})
	recorded := make([]int, 4)
	var writers sync.WaitGroup
	for w := range recorded {
		writers.Go(func() {
			for ; ctx.Err() == nil; recorded[w]++ {
				select {
				case <-deleted:
					return
				default:
				}
				in := charge(fmt.Sprintf("new-%d-%d", w, recorded[w]))
				in.CustomerID = ptr(fmt.Sprint("c", recorded[w]%customers))
				if _, err := b.record(in); err != nil {
					t.Errorf("writer: %v", err)
					return
				}
			}
		})
	}
	payload, err := b.DeletePayments(ctx, b.site, "token", model.Deletion{Range: model.Range{From: day, To: day.Add(time.Second)}}, now)
	close(deleted)
	writers.Wait()
	require.NoError(t, err)
	require.Equal(t, entries, payload.DeletedCount)
	require.Equal(t, model.Decimal("70000.00"), payload.Revenue.Net.Amount())

	require.Equal(t, int64(entries), value[int64](t, conn, "SELECT deleted_count FROM payment_deletions"), "all steps are in one audit row")
	total := 0
	for _, n := range recorded {
		require.Positive(t, n, "the deletion kept a writer waiting all the time")
		total += n
	}
	require.Equal(t, int64(total), value[int64](t, conn, "SELECT count(*) FROM payments"))
	require.Zero(t, value[int64](t, conn, "SELECT count(*) FROM payments WHERE visitor_id IS NOT NULL"),
		"nobody keeps a visitor that only deleted payments had made known")
}

// What follows a visitor's payments must not escape because those are deleted before it.
func TestStore_DeletePayments_manyOfVisitor(t *testing.T) {
	t.Parallel()
	const followers = 2500
	b := setup(t)
	conn := connect(t, b.dsn)
	_, err := b.record(model.RecordPaymentInput{TransactionID: "first", Amount: "10", Currency: "USD", VisitorID: ptr("v"), CustomerID: ptr("c"), OccurredAt: ptr(model.AtTime(now.AddDate(0, 0, -2)))})
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor,
			reporting_minor, occurred_at, recorded_at, visitor_id, basis, customer_id)
		SELECT $1, gen_random_uuid(), 'r-' || i, 'RENEWAL', true, 'r-' || i, 'USD', 1000, 1000, $2, $2, 'v', 'CUSTOMER_ID', 'c'
		FROM generate_series(1, $3) AS i`, b.site.ID, now, followers)
	require.NoError(t, err)
	require.NoError(t, b.RebuildRollups(t.Context(), b.site.ID, nil))

	visitor := model.Deletion{VisitorID: ptr("v")}
	dry := visitor
	dry.DryRun = true
	announced, err := b.DeletePayments(t.Context(), b.site, "token", dry, now)
	require.NoError(t, err)
	require.Equal(t, followers+1, announced.DeletedCount)
	deleted, err := b.DeletePayments(t.Context(), b.site, "token", visitor, now)
	require.NoError(t, err)
	require.Equal(t, announced.DeletedCount, deleted.DeletedCount)
	require.Zero(t, value[int64](t, conn, "SELECT count(*) FROM payments"))
}

// stops are when the transactions of a store began and ended.
type stops struct {
	mu           sync.Mutex
	begun, ended []time.Time
}

func (s *stops) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.HasPrefix(event.Query, "DELETE FROM payments") {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.begun = append(s.begun, time.Now())
	}
	return ctx
}

func (s *stops) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if event.Query == "COMMIT" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = append(s.ended, time.Now())
	}
}

// A deletion lets those go on who record, between its steps for as long as each took.
func TestStore_DeletePayments_givesWay(t *testing.T) {
	t.Parallel()
	when := &stops{}
	b := setupWith(t, db.Options{Hook: when})
	var inputs []model.RecordPaymentInput
	for i := range 400 {
		inputs = append(inputs, charge(fmt.Sprint("t", i)))
	}
	_, err := b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
	require.NoError(t, err)
	tx, err := connect(t, b.dsn).Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE visitors")
	require.NoError(t, err)
	viewed := make(chan struct{})
	go func() { defer close(viewed); b.view("v") }()
	waiting(t, b.dsn, 1)
	when.ended = nil

	deleted, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{Range: model.Range{From: now.AddDate(-1, 0, 0)}}, now)
	require.NoError(t, err)
	require.Equal(t, len(inputs), deleted.DeletedCount)
	require.NoError(t, tx.Rollback(t.Context()))
	<-viewed
	require.Greater(t, len(when.begun), 2, "steps")
	for step := 1; step < len(when.begun); step++ {
		require.Greater(t, when.begun[step].Sub(when.ended[step-1]), when.ended[step-1].Sub(when.begun[step-1])*9/10, "step %d", step)
	}
}
