package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestSuspendedWebsite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("t1", vars{"visitorId": "v"})
	require.NoError(t, b.store.SuspendWebsite(t.Context(), b.site.ID, true))
	for _, write := range []struct {
		query string
		v     vars
	}{
		{recordPayment, payment("t2", nil)}, {recordPayments, batch(payment("t2", nil))}, {recordVisit, vars{"input": vars{"visitorId": "v", "url": "https://shop.example/"}}},
		{deletePayments, vars{"input": vars{"transactionId": "t1"}}},
	} {
		require.Equal(t, "WEBSITE_SUSPENDED", b.refused(write.query, write.v).Extensions.Code, write.query)
	}
	require.Equal(t, "10.00 − 0.00 = 10.00: 1 charges, 0 renewals, 0 refunds, 0 trials", b.totals(), "reading goes on")
	require.NoError(t, b.store.SuspendWebsite(t.Context(), b.site.ID, false))
	b.pay("t2", nil)
}

func TestEventLimit(t *testing.T) {
	t.Parallel()

	limited := func(t *testing.T, limit int64) *bundle {
		b := setup(t)
		require.NoError(t, b.store.LimitAccount(t.Context(), b.site.AccountID, limit))
		return b
	}
	outcome := func(b *bundle, id string) string {
		data, faults := b.query(b.key, recordPayment, payment(id, nil))
		if len(faults) > 0 {
			return faults[0].Extensions.Code
		}
		return fmt.Sprint(data.at("recordPayment.outcome"))
	}

	t.Run("counts what is recorded, not duplicates, and begins again each month", func(t *testing.T) {
		t.Parallel()
		b := limited(t, 3)
		b.pay("t1", nil)
		b.pay("t1", nil)
		require.Equal(t, "REFUND_EXCEEDS_CHARGE", b.refusedPayment("t1", vars{"amount": "11", "refunded": true}).Extensions.Code)
		b.visit("v", nil)
		b.visit("v", vars{"url": "https://shop.example/2"})
		require.Equal(t, "EVENT_LIMIT_REACHED", outcome(b, "t2"))
		require.Equal(t, "DUPLICATE", outcome(b, "t1"), "a repeat is always answered")
		b.visit("v", vars{"url": "https://shop.example/2"})
		got := b.refused(recordVisit, vars{"input": vars{"visitorId": "w", "url": "https://shop.example/"}})
		require.Equal(t, []any{"EVENT_LIMIT_REACHED", "Account event limit reached", ""}, []any{got.Extensions.Code, got.Message, got.Extensions.Field})
		require.Nil(t, b.ask(`{ visitor(id: "w") { id } }`, nil).at("visitor"), "nothing of the refused visit stays")

		b.setClock(time.Date(2026, 5, 31, 23, 59, 59, 999_999_000, time.UTC))
		require.Equal(t, "EVENT_LIMIT_REACHED", outcome(b, "t2"))
		b.setClock(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
		require.Equal(t, "RECORDED", outcome(b, "t2"))
	})

	t.Run("is shared by the websites of the account", func(t *testing.T) {
		t.Parallel()
		b := limited(t, 1)
		b.pay("t1", nil)
		other := b.website(model.Website{})
		_, faults := b.query(b.websiteKey(other), recordPayment, payment("t1", nil))
		require.Equal(t, "EVENT_LIMIT_REACHED", faults[0].Extensions.Code)
	})

	t.Run("lets as many of a batch in as are left", func(t *testing.T) {
		t.Parallel()
		b := limited(t, 2)
		got := b.ask(recordPayments, batch(payment("t1", nil), payment("t1", nil), payment("t2", nil), payment("t3", nil), payment("t2", nil)))
		require.Equal(t, []any{"RECORDED", "DUPLICATE", "RECORDED", nil, "DUPLICATE"}, got.each("recordPayments.results", "payload.outcome"))
		require.Equal(t, "EVENT_LIMIT_REACHED", got.at("recordPayments.results.3.error.code"))
	})

	t.Run("is never exceeded by many at once", func(t *testing.T) {
		t.Parallel()
		b := limited(t, 10)
		got := concurrently(32, func(i int) string { return outcome(b, fmt.Sprint("t", i)) })
		require.Equal(t, map[string]int{"RECORDED": 10, "EVENT_LIMIT_REACHED": 22}, got)
		require.Equal(t, 10, sql[int](b, `SELECT count(*)::int FROM payments`))
	})
}
