package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const recordPayments = `mutation ($input: RecordPaymentsInput!) {
	recordPayments(input: $input) { results { payload { outcome differences payment { transactionId kind } } error { code field fields message } } }
}`

// batch is the input of several payments.
func batch(payments ...vars) vars {
	inputs := make([]any, len(payments))
	for i, p := range payments {
		inputs[i] = p["input"]
	}
	return vars{"input": vars{"payments": inputs}}
}

func TestRecordPayments(t *testing.T) {
	t.Parallel()

	t.Run("each payment has its own outcome or error, in order", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v1", nil)
		b.pay("old", nil)
		refund := func(id, charge, amount string) vars {
			return payment(id, vars{"refunded": true, "refundOf": charge, "amount": amount})
		}
		got := b.ask(recordPayments, batch(
			payment("t1", vars{"visitorId": "v1"}),
			payment("bad currency", vars{"currency": "XXX"}),
			payment("t1", vars{"amount": "11"}),
			refund("r1", "t1", "6"),
			refund("r2", "t1", "5"),
			payment("bad amount", vars{"amount": "ten"}),
			refund("r3", "t2", "1"),
			payment("t2", nil),
			payment("old", vars{"rejectDuplicate": true}),
			payment("elsewhere", vars{"websiteId": "64f1c0ffee5b2a0012ab34cd"}),
			payment("t3", vars{"websiteId": b.site.ID, "amount": "0"}),
			payment("t4", vars{"amount": "5.555"}),
			payment("t5", vars{"amount": "12345678901234567890"}),
		))
		require.Equal(t, []any{
			"ATTRIBUTED", nil, "DUPLICATE", "REFUNDED", nil, nil, "REFUNDED", "RECORDED", nil, nil, "RECORDED", nil, nil,
		}, got.each("recordPayments.results", "payload.outcome"))
		require.Equal(t, []any{
			nil, "INVALID_CURRENCY", nil, nil, "REFUND_EXCEEDS_CHARGE", "INVALID_AMOUNT", nil, nil, "DUPLICATE_TRANSACTION", "CONFLICTING_FIELDS", nil, "AMOUNT_PRECISION", "INVALID_AMOUNT",
		}, got.each("recordPayments.results", "error.code"))
		require.Equal(t, []any{
			nil, "currency", nil, nil, "amount", "amount", nil, nil, "transactionId", "websiteId", nil, "amount", "amount",
		}, got.each("recordPayments.results", "error.field"))
		require.Equal(t, []any{"amount"}, got.at("recordPayments.results.2.payload.differences"))
		require.Equal(t, "30.00 − 7.00 = 23.00: 3 charges, 0 renewals, 2 refunds, 1 trials", b.totals())
		require.Equal(t, "REFUNDED_PAYMENT v1", b.bases()["r1"])
	})

	t.Run("all fields at fault are named, in order", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		got := b.ask(recordPayments, batch(
			payment("", vars{"currency": "XXX", "amount": "x", "email": "nobody"}),
			payment("t1", vars{"amount": "0.001"}),
			payment("t2", nil),
		))
		require.Equal(t, []any{[]any{"transactionId", "currency", "amount", "email"}, []any{"amount"}, nil}, got.each("recordPayments.results", "error.fields"))
		require.Equal(t, "transactionId", got.at("recordPayments.results.0.error.field"))
	})

	t.Run("all may be at fault", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		got := b.ask(recordPayments, batch(payment("t1", vars{"currency": "XXX"}), payment("", nil)))
		require.Equal(t, []any{"INVALID_CURRENCY", "INVALID_FIELD"}, got.each("recordPayments.results", "error.code"))
	})

	t.Run("a thousand, again, and not one more", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		payments := make([]vars, 1001)
		for i := range payments {
			payments[i] = payment(fmt.Sprint("t", i), vars{"amount": "0.01", "customerId": fmt.Sprint("c", i%100), "email": fmt.Sprintf("%d@shop.example", i%300)})
		}
		for _, outcome := range []string{"RECORDED", "DUPLICATE"} {
			got := b.ask(recordPayments, batch(payments[:1000]...))
			for i, one := range got.each("recordPayments.results", "payload") {
				require.Equal(t, outcome, node{one}.at("outcome"))
				require.Equal(t, fmt.Sprint("t", i), node{one}.at("payment.transactionId"))
			}
		}
		require.Equal(t, "10.00 − 0.00 = 10.00: 1000 charges, 0 renewals, 0 refunds, 0 trials", b.totals())
		for _, payments := range [][]vars{payments, nil} {
			got := b.refused(recordPayments, batch(payments...))
			require.Equal(t, []any{"TOO_MANY_ITEMS", "payments"}, []any{got.Extensions.Code, got.Extensions.Field})
		}
	})
}

func TestDeletePayments(t *testing.T) {
	t.Parallel()

	t.Run("deletes what all given filters match", func(t *testing.T) {
		t.Parallel()
		shared := setup(t)
		for name, test := range map[string]struct {
			filter vars
			left   []any // transaction ids, latest first
			net    string
		}{
			"a transaction with its refund": {vars{"transactionId": "t1"}, []any{"t3", "r2", "t2"}, "0.00"},
			"a visitor":                     {vars{"visitorId": "v2"}, []any{"t3", "t1", "t1"}, "8.00"},
			"from":                          {vars{"from": "2026-05-02T00:00:00Z"}, []any{"t1", "t1"}, "18.00"},
			"to, which is not in the range": {vars{"to": "2026-05-03T00:00:00Z"}, []any{"t3"}, "8.00"},
			"a range":                       {vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-03T00:00:00+02:00"}, []any{"t3", "t1", "t1"}, "8.00"},
			"a transaction in a range":      {vars{"transactionId": "t2", "from": "2026-05-01T12:00:00Z"}, []any{"t3", "r2", "t1", "t1"}, "10.00"},
			"a visitor in a range":          {vars{"visitorId": "v2", "to": "2026-05-02T00:00:00.000001Z"}, []any{"t3", "t1", "t1"}, "8.00"},
			"nobody's":                      {vars{"visitorId": "nobody"}, []any{"t3", "r2", "t2", "t1", "t1"}, "0.00"},
			"an empty range":                {vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-02T00:00:00Z"}, []any{"t3", "r2", "t2", "t1", "t1"}, "0.00"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := shared.another(t)
				b.pay("t1", vars{"visitorId": "v1", "occurredAt": "2026-05-01T00:00:00Z"})
				b.pay("t1", vars{"refunded": true, "occurredAt": "2026-05-01T00:00:00Z"})
				b.pay("t2", vars{"visitorId": "v2", "occurredAt": "2026-05-02T00:00:00Z"})
				b.refund("r2", "t2", vars{"amount": "2", "occurredAt": "2026-05-02T00:00:00Z"})
				b.pay("t3", vars{"visitorId": "v1", "occurredAt": "2026-05-03T00:00:00Z"})
				dry := vars{"dryRun": true}
				for k, v := range test.filter {
					dry[k] = v
				}
				would := b.ask(deletePayments, vars{"input": dry})
				require.Equal(t, true, would.at("deletePayments.dryRun"))
				require.Equal(t, test.net, would.at("deletePayments.revenue.net.amount"))
				require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM payment_deletions WHERE website_id = $1`, b.site.ID))

				did := b.ask(deletePayments, vars{"input": test.filter})
				require.Equal(t, would.at("deletePayments.deletedCount"), did.at("deletePayments.deletedCount"))
				require.Equal(t, float64(5-len(test.left)), did.at("deletePayments.deletedCount"))
				require.Equal(t, test.net, did.at("deletePayments.revenue.net.amount"))
				left := b.ask(`{ payments { edges { node { transactionId } } } }`, nil)
				require.Equal(t, test.left, left.each("payments.edges", "node.transactionId"))
			})
		}
	})

	t.Run("refuses what selects nothing in particular", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", nil)
		for _, test := range []struct {
			want   string
			filter vars
		}{
			{"MISSING_FILTER", vars{}},
			{"MISSING_FILTER", vars{"dryRun": true, "websiteId": b.site.ID}},
			{"PAYMENT_NOT_FOUND", vars{"transactionId": "t2"}},
			{"PAYMENT_NOT_FOUND", vars{"transactionId": "t2", "dryRun": true}},
			{"INVALID_FIELD", vars{"transactionId": ""}},
			{"INVALID_RANGE", vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}},
			{"INVALID_TIMESTAMP", vars{"from": "2026-05-02"}},
		} {
			require.Equal(t, test.want, b.refused(deletePayments, vars{"input": test.filter}).Extensions.Code)
		}
		require.Equal(t, 1, sql[int](b, `SELECT count(*)::int FROM payments`))
		require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM payment_deletions`))
	})

	t.Run("leaves an audit row of who deleted what", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", vars{"visitorId": "v1"})
		b.ask(deletePayments, vars{"input": vars{"transactionId": "t1", "visitorId": "v1", "from": "2026-05-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}})
		require.Equal(t, b.site.ID+" t1 v1 2026-05-01 2026-06-01 1 2026-05-20 true", sql[string](b, `
			SELECT concat_ws(' ', website_id, transaction_id, visitor_id, range_from::date, range_to::date, deleted_count, deleted_at::date,
				(SELECT 'true' FROM tokens t WHERE t.id = d.token_id AND t.website_id = d.website_id)) FROM payment_deletions d`))
	})

	t.Run("another website's payments are out of reach", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		other := b.another(t)
		other.pay("t1", vars{"visitorId": "v1"})
		require.Equal(t, "PAYMENT_NOT_FOUND", b.refused(deletePayments, vars{"input": vars{"transactionId": "t1"}}).Extensions.Code)
		require.Equal(t, 0.0, b.ask(deletePayments, vars{"input": vars{"visitorId": "v1"}}).at("deletePayments.deletedCount"))
		require.Equal(t, "10.00 − 0.00 = 10.00: 1 charges, 0 renewals, 0 refunds, 0 trials", other.totals())
	})
}
