package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestRevenue(t *testing.T) {
	t.Parallel()

	t.Run("of nothing is zero in the reporting currency", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		zero := func() map[string]any { return map[string]any{"amount": "0.00"} }
		require.Equal(t, map[string]any{
			"gross": map[string]any{"amount": "0.00", "currency": "USD"}, "refunded": zero(), "net": zero(), "new": zero(), "renewal": zero(),
			"charges": 0.0, "renewals": 0.0, "refunds": 0.0, "freeTrials": 0.0, "byCurrency": []any{}, "unconverted": []any{},
		}, b.ask(`{ revenue `+revenueFields+` }`, nil).at("revenue"))
	})

	t.Run("keeps currencies apart", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("u1", vars{"amount": "10.50"})
		b.pay("u2", vars{"amount": "5", "renewal": true})
		b.refund("u3", "u1", vars{"amount": "0.5"})
		b.pay("j1", vars{"amount": "1000", "currency": "JPY"})
		b.pay("k1", vars{"amount": "1.234", "currency": "KWD"})
		b.refund("k2", "k1", vars{"amount": "1.004", "currency": "KWD"})
		b.refund("e1", "unknown", vars{"amount": "7", "currency": "EUR"})
		b.pay("trial", vars{"amount": "9", "currency": "GBP", "freeTrial": true})
		revenue := node{b.ask(`{ revenue `+revenueFields+` }`, nil).at("revenue")}
		require.Equal(t, []any{"15.50", "0.50", "15.00", "10.50", "5.00"}, []any{
			revenue.at("gross.amount"), revenue.at("refunded.amount"), revenue.at("net.amount"), revenue.at("new.amount"), revenue.at("renewal.amount"),
		})
		require.Equal(t, []any{3.0, 1.0, 3.0, 1.0}, []any{revenue.at("charges"), revenue.at("renewals"), revenue.at("refunds"), revenue.at("freeTrials")})
		require.Equal(t, []any{"EUR", "JPY", "KWD", "USD"}, revenue.each("byCurrency", "currency"))
		require.Equal(t, []any{"0.00", "1000", "1.234", "15.50"}, revenue.each("byCurrency", "gross.amount"))
		require.Equal(t, []any{"7.00", "0", "1.004", "0.50"}, revenue.each("byCurrency", "refunded.amount"))
		require.Equal(t, []any{"-7.00", "1000", "0.230", "15.00"}, revenue.each("byCurrency", "net.amount"))
		require.Equal(t, []any{"EUR -7.00", "JPY 1000", "KWD 0.230"}, texts(revenue, "unconverted"))
		require.Nil(t, b.pay("j1", vars{"amount": "1000", "currency": "JPY"}).at("payment.reportingAmount"))
	})

	t.Run("has the decimals of the reporting currency", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.site = b.website(model.Website{Currency: "KWD"})
		b.key = b.websiteKey(b.site)
		b.pay("t1", vars{"amount": "1.5", "currency": "KWD"})
		require.Equal(t, "1.500 − 0.000 = 1.500: 1 charges, 0 renewals, 0 refunds, 0 trials", b.totals())
	})

	t.Run("is exact beyond 64 bits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		payments := make([]vars, 1100)
		for i := range payments {
			payments[i] = payment(fmt.Sprint("t", i), vars{"amount": "90071992547409.91", "visitorId": "v"})
		}
		b.ask(recordPayments, batch(payments[:1000]...))
		b.ask(recordPayments, batch(payments[1000:]...))
		require.Equal(t, "99079191802150901.00 − 0.00 = 99079191802150901.00: 1100 charges, 0 renewals, 0 refunds, 0 trials", b.totals())
		got := b.ask(`{ revenueByVisitor(filter: {minNet: "90071992547409.91"}) { edges { node { revenue { net { amount } } } } } }`, nil)
		require.Equal(t, []any{"99079191802150901.00"}, got.each("revenueByVisitor.edges", "node.revenue.net.amount"))
		require.Equal(t, "INVALID_AMOUNT", b.refusedPayment("more", vars{"amount": "90071992547409.92"}).Extensions.Code)
		got = b.ask(deletePayments, vars{"input": vars{"visitorId": "v"}})
		require.Equal(t, "99079191802150901.00", got.at("deletePayments.revenue.net.amount"))
	})

	t.Run("of a range has its start and not its end", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for day := 1; day <= 3; day++ {
			b.pay(fmt.Sprint("t", day), vars{"amount": day, "occurredAt": fmt.Sprintf("2026-05-0%dT00:00:00Z", day), "visitorId": "v"})
		}
		for _, test := range []struct {
			in   vars
			want string
		}{
			{nil, "6.00"}, {vars{}, "6.00"}, {vars{"from": "2026-05-02T00:00:00Z"}, "5.00"}, {vars{"to": "2026-05-02T00:00:00Z"}, "1.00"},
			{vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-03T00:00:00Z"}, "2.00"}, {vars{"from": "2026-05-02T02:00:00+02:00", "to": "2026-05-02T00:00:00.000001Z"}, "2.00"},
			{vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-02T00:00:00Z"}, "0.00"}, {vars{"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}, "6.00"},
		} {
			got := b.ask(`query ($in: TimeRange) { revenue(range: $in) { net { amount } } visitor(id: "v") { revenue(range: $in) { net { amount } } } }`, vars{"in": test.in})
			require.Equal(t, []any{test.want, test.want}, []any{got.at("revenue.net.amount"), got.at("visitor.revenue.net.amount")}, test.in)
		}
		const backwards = `{from: "2026-05-02T00:00:00Z", to: "2026-05-01T00:00:00Z"}`
		for _, query := range []string{`{ revenue(range: ` + backwards + `) { charges } }`, `{ visitor(id: "v") { revenue(range: ` + backwards + `) { charges } } }`} {
			got := b.refused(query, nil)
			require.Equal(t, []any{"INVALID_RANGE", "range"}, []any{got.Extensions.Code, got.Extensions.Field})
		}
	})
}

// texts are a list of money in short.
func texts(n node, list string) []any {
	all := []any{}
	for i, currency := range n.each(list, "currency") {
		all = append(all, fmt.Sprint(currency, " ", n.each(list, "amount")[i]))
	}
	return all
}
