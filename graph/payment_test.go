package graph_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordPayment(t *testing.T) {
	t.Parallel()

	t.Run("answers with the entry as it was sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v1", nil)
		got := b.pay("t1", vars{
			"amount": "29.990", "currency": "usd", "visitorId": "v1", "sessionId": "s1", "customerId": "c1", "email": "Ann@Shop.example", "name": "Ann <b>'); DROP TABLE payments;--",
			"renewal": true, "occurredAt": "2026-05-01T10:00:00.1234567+02:00", "metadata": vars{"plan": "pro", "seats": 3, "ratio": 1.50, "trial": false, "coupon": nil},
		})
		require.NotEmpty(t, got.at("payment.id"))
		delete(got.at("payment").(map[string]any), "id")
		require.Equal(t, map[string]any{
			"outcome": "ATTRIBUTED", "differences": []any{}, "payment": map[string]any{
				"transactionId": "t1", "kind": "RENEWAL", "renewal": true, "amount": map[string]any{"amount": "29.99", "currency": "USD"},
				"reportingAmount": map[string]any{"amount": "29.99", "currency": "USD"}, "occurredAt": "2026-05-01T08:00:00.123456Z", "recordedAt": "2026-05-20T12:00:00Z",
				"visitorId": "v1", "sessionId": "s1", "customerId": "c1", "email": "Ann@Shop.example", "name": "Ann <b>'); DROP TABLE payments;--",
				"refundOf": nil, "metadata": map[string]any{"plan": "pro", "seats": 3.0, "ratio": 1.5, "trial": false, "coupon": nil}, "attribution": "VISITOR_ID",
			},
		}, got.value)
	})

	t.Run("without a visitor, or with one that was not seen, is recorded", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.Equal(t, "RECORDED", b.pay("t1", nil).at("outcome"))
		got := b.pay("t2", vars{"visitorId": "unseen"})
		require.Equal(t, []any{"RECORDED", "unseen", "NONE"}, []any{got.at("outcome"), got.at("payment.visitorId"), got.at("payment.attribution")})
	})

	t.Run("a duplicate answers the first entry and what differs", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		first := b.pay("t1", vars{"customerId": "c1", "email": "a@b.example", "metadata": vars{"n": 100}})
		again := b.pay("t1", vars{"metadata": vars{"n": 100}})
		require.Equal(t, "DUPLICATE", again.at("outcome"))
		require.Empty(t, again.at("differences"), "what a repeat leaves out is no difference")
		require.Equal(t, first.at("payment"), again.at("payment"))

		again = b.pay("t1", vars{
			"amount": "11", "currency": "EUR", "visitorId": "v", "sessionId": "s", "customerId": "c2", "email": "x@b.example", "name": "N",
			"renewal": true, "occurredAt": "2026-01-01T00:00:00Z", "metadata": vars{"n": 101},
		})
		require.Equal(t, first.at("payment"), again.at("payment"))
		require.Equal(t, []any{"amount", "currency", "visitorId", "sessionId", "customerId", "email", "name", "renewal", "occurredAt", "metadata"}, again.at("differences"))
		require.Equal(t, "10.00 − 0.00 = 10.00: 1 charges, 0 renewals, 0 refunds, 0 trials", b.totals())
	})

	t.Run("can ask for a refusal instead of a duplicate or an unknown visitor", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.Equal(t, "VISITOR_NOT_FOUND", b.refusedPayment("t1", vars{"requireVisitor": true}).Extensions.Code)
		got := b.refusedPayment("t1", vars{"requireVisitor": true, "visitorId": "nobody"})
		require.Equal(t, []any{"VISITOR_NOT_FOUND", "visitorId"}, []any{got.Extensions.Code, got.Extensions.Field})
		b.visit("v1", nil)
		require.Equal(t, "ATTRIBUTED", b.pay("t1", vars{"requireVisitor": true, "visitorId": "v1", "rejectDuplicate": true}).at("outcome"))
		require.Equal(t, "DUPLICATE_TRANSACTION", b.refusedPayment("t1", vars{"visitorId": "v1", "rejectDuplicate": true}).Extensions.Code)
	})

	t.Run("free trials bring no revenue", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for id, fields := range map[string]vars{
			"zero": {"amount": "0"}, "minus zero": {"amount": "-0.00"}, "with an amount": {"freeTrial": true}, "renewed": {"amount": 0, "renewal": true},
		} {
			require.Equal(t, "FREE_TRIAL", b.pay(id, fields).at("payment.kind"), id)
		}
		require.Equal(t, "0.00 − 0.00 = 0.00: 0 charges, 0 renewals, 0 refunds, 4 trials", b.totals())
		require.Empty(t, b.ask(`{ revenue { byCurrency { currency } } }`, nil).at("revenue.byCurrency"))
	})

	t.Run("all faults are reported together", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		got := b.refusedPayment(" t1", vars{"amount": "1.005", "email": "nobody", "occurredAt": "2026-05-21T12:00:01Z", "refundOf": "x", "name": "a\u0000b"})
		require.Equal(t, "INVALID_FIELD", got.Extensions.Code)
		require.Equal(t, []string{"transactionId", "amount", "email", "name", "refundOf", "occurredAt"}, got.Extensions.Fields)
		require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM payments`))
	})

	t.Run("64 at once with one id make one entry", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		outcomes := concurrently(64, func(int) string {
			return fmt.Sprint(b.pay("t1", vars{"customerId": "c", "email": "a@b.example"}).at("outcome"))
		})
		require.Equal(t, map[string]int{"RECORDED": 1, "DUPLICATE": 63}, outcomes)
		require.Equal(t, 1, sql[int](b, `SELECT count(*)::int FROM payments`))
	})
}

// concurrently calls a function n times at once and counts its answers.
func concurrently(n int, do func(i int) string) map[string]int {
	var mu sync.Mutex
	var wait sync.WaitGroup
	answers := map[string]int{}
	for i := range n {
		wait.Go(func() {
			answer := do(i)
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
		})
	}
	wait.Wait()
	return answers
}
