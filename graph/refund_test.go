package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordPayment_refunds(t *testing.T) {
	t.Parallel()

	t.Run("under the id of the charge, once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v1", nil)
		b.pay("t1", vars{"visitorId": "v1"})
		got := b.pay("t1", vars{"refunded": true})
		require.Equal(t, []any{"REFUNDED", "REFUND", "10.00", "v1", "REFUNDED_PAYMENT"}, []any{
			got.at("outcome"), got.at("payment.kind"), got.at("payment.amount.amount"), got.at("payment.visitorId"), got.at("payment.attribution"),
		})
		require.Equal(t, "DUPLICATE", b.pay("t1", vars{"refunded": true}).at("outcome"))
		require.Equal(t, "10.00 − 10.00 = 0.00: 1 charges, 0 renewals, 1 refunds, 0 trials", b.totals())
	})

	t.Run("in parts, never above the charge", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", nil)
		b.refund("r1", "t1", vars{"amount": "6"})
		got := b.refused(recordPayment, payment("r2", vars{"amount": "4.01", "refunded": true, "refundOf": "t1"}))
		require.Equal(t, []any{"REFUND_EXCEEDS_CHARGE", "amount"}, []any{got.Extensions.Code, got.Extensions.Field})
		require.Equal(t, "REFUNDED", b.refund("r2", "t1", vars{"amount": "4"}).at("outcome"))
		require.Equal(t, "DUPLICATE", b.refund("r2", "t1", vars{"amount": "4"}).at("outcome"), "a refund that is sent again does not count twice")
		require.Equal(t, "10.00 − 10.00 = 0.00: 1 charges, 0 renewals, 2 refunds, 0 trials", b.totals())
	})

	t.Run("that cannot be are refused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", nil)
		b.pay("trial", vars{"amount": "0"})
		for want, fields := range map[string]vars{
			"INVALID_AMOUNT":           {"amount": "0", "refunded": true, "refundOf": "t1"},
			"REFUND_CURRENCY_MISMATCH": {"currency": "EUR", "refunded": true, "refundOf": "t1"},
			"REFUND_EXCEEDS_CHARGE":    {"amount": "0.01", "refunded": true, "refundOf": "trial"},
			"CONFLICTING_FIELDS":       {"refundOf": "t1"},
		} {
			require.Equal(t, want, b.refusedPayment("r1", fields).Extensions.Code)
		}
		require.Equal(t, "CONFLICTING_FIELDS", b.refusedPayment("r1", vars{"refunded": true, "freeTrial": true}).Extensions.Code)
		require.Equal(t, "10.00 − 0.00 = 10.00: 1 charges, 0 renewals, 0 refunds, 1 trials", b.totals())
	})

	t.Run("before the charge keep to it all the same", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v1", nil)
		b.refund("r1", "t1", vars{"amount": "4"})
		require.Equal(t, "0.00 − 4.00 = -4.00: 0 charges, 0 renewals, 1 refunds, 0 trials", b.totals())
		require.Equal(t, "REFUND_EXCEEDS_CHARGE", b.refusedPayment("t1", vars{"amount": "3.99"}).Extensions.Code)
		require.Equal(t, "REFUND_CURRENCY_MISMATCH", b.refusedPayment("t1", vars{"currency": "EUR"}).Extensions.Code)
		b.pay("t1", vars{"visitorId": "v1"})
		require.Equal(t, "10.00 − 4.00 = 6.00: 1 charges, 0 renewals, 1 refunds, 0 trials", b.totals())
		require.Equal(t, map[string]string{"t1": "VISITOR_ID v1", "r1": "REFUNDED_PAYMENT v1"}, b.bases())
	})

	t.Run("50 at once never exceed the charge", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", nil)
		outcomes := concurrently(50, func(i int) string {
			data, faults := b.query(b.key, recordPayment, payment(fmt.Sprint("r", i), vars{"amount": "0.30", "refunded": true, "refundOf": "t1"}))
			if len(faults) > 0 {
				return faults[0].Extensions.Code
			}
			return fmt.Sprint(data.at("recordPayment.outcome"))
		})
		require.Equal(t, map[string]int{"REFUNDED": 33, "REFUND_EXCEEDS_CHARGE": 17}, outcomes)
		require.Equal(t, "10.00 − 9.90 = 0.10: 1 charges, 0 renewals, 33 refunds, 0 trials", b.totals())
	})

	t.Run("charge and refunds at once never leave more refunded than charged", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		concurrently(8, func(i int) string {
			fields := vars{"amount": "4", "refunded": true, "refundOf": "t1"}
			if i == 0 {
				fields = nil
			}
			_, _ = b.query(b.key, recordPayment, payment(fmt.Sprint("t", i+1), fields))
			return ""
		})
		require.Equal(t, 0, sql[int](b, `SELECT count(*)::int FROM payments c WHERE NOT is_refund AND amount_minor <
			(SELECT sum(amount_minor) FROM payments r WHERE r.charge_id = c.transaction_id AND r.is_refund)`))
	})
}

func TestRecordPayment_order(t *testing.T) {
	t.Parallel()
	steps := []vars{
		payment("t1", vars{"visitorId": "v1", "customerId": "c"}),
		payment("r1", vars{"amount": "3", "refunded": true, "refundOf": "t1"}),
		payment("t2", vars{"renewal": true, "customerId": "c", "email": "A@b.example"}),
		payment("t2", vars{"renewal": true, "refunded": true, "amount": "2"}),
		payment("t1", vars{"visitorId": "v1", "customerId": "c"}), // again
	}
	shared := setup(t)
	for _, order := range permutations(len(steps)) {
		t.Run(fmt.Sprint("in the order ", order, " totals and attribution are the same"), func(t *testing.T) {
			t.Parallel()
			b := shared.another(t)
			b.visit("v1", nil)
			for _, i := range order {
				b.ask(recordPayment, steps[i])
			}
			require.Equal(t, "20.00 − 5.00 = 15.00: 1 charges, 1 renewals, 2 refunds, 0 trials", b.totals())
			require.Equal(t, "15.00", b.ask(`{ visitor(id: "v1") { revenue { net { amount } } } }`, nil).at("visitor.revenue.net.amount"))
		})
	}
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, append(append(append([]int(nil), shorter[:at]...), n-1), shorter[at:]...))
		}
	}
	return all
}
