package graph_test

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// published are made-up rates that look like those of a Wednesday; today is one.
var published = map[model.Currency]model.Decimal{
	"USD": "1.1328", "JPY": "162.35", "GBP": "0.84180", "KWD": "0.34795", "SEK": "10.9055", "IDR": "18584.23", "CLF": "0.027183",
}

// imports imports rates for a date, such as 2026-05-20.
func (b *bundle) imports(date string, perEuro map[model.Currency]model.Decimal) model.RateImport {
	b.t.Helper()
	return b.importsAs("test", date, perEuro)
}

func (b *bundle) importsAs(source, date string, perEuro map[model.Currency]model.Decimal) model.RateImport {
	b.t.Helper()
	day, err := model.ParseDate(date)
	require.NoError(b.t, err)
	var rates []model.Rate
	for currency, value := range perEuro {
		rates = append(rates, model.Rate{Date: day, Currency: currency, PerEuro: value, Source: source})
	}
	done, err := b.store.ImportRates(context.Background(), rates, true, today)
	require.NoError(b.t, err)
	return done
}

// convert converts what waits on the bundle's website, and answers how many payments that were.
func (b *bundle) convert() int {
	b.t.Helper()
	n, err := b.store.ConvertPayments(context.Background(), b.site.ID, nil)
	require.NoError(b.t, err)
	return n
}

// worth is a payment's amount in the reporting currency and the day of its rates; "" without a rate.
func (b *bundle) worth(id string) string {
	b.t.Helper()
	data := b.ask(`query ($id: String) { payments(filter: {transactionId: $id}) { edges { node { kind reportingAmount { amount currency }
		conversion { rate date source paidPerEuro reportingPerEuro } } } } }`, vars{"id": id})
	p := node{data.at("payments.edges.0.node")}
	switch {
	case p.at("reportingAmount") == nil:
		require.Nil(b.t, p.at("conversion"))
		return ""
	case p.at("conversion") == nil:
		return fmt.Sprint(p.at("reportingAmount.amount"), " ", p.at("reportingAmount.currency"))
	}
	return fmt.Sprint(p.at("reportingAmount.amount"), " ", p.at("reportingAmount.currency"), " of ", p.at("conversion.date"))
}

// rat is a number that is written in decimal digits.
func rat(t testing.TB, text any) *big.Rat {
	t.Helper()
	value, ok := new(big.Rat).SetString(fmt.Sprint(text))
	require.True(t, ok, text)
	return value
}

// TestConversion_amounts compares conversions with what they are by definition: no amount with the decimals
// of the reporting currency is nearer, and of two that are equally near it is the even one.
func TestConversion_amounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.imports("2026-05-20", published)
	decimals := map[model.Currency]int{"USD": 2, "JPY": 0, "GBP": 2, "KWD": 3, "SEK": 2, "IDR": 2, "CLF": 4, "EUR": 2}
	for to, places := range decimals {
		t.Run(string(to), func(t *testing.T) {
			t.Parallel()
			b := &bundle{t: t, dsn: b.dsn, store: b.store, url: b.url}
			b.site = b.website(model.Website{Currency: to})
			b.key = b.websiteKey(b.site)
			n := 0
			for from := range decimals {
				for _, amount := range []string{"1", "2", "3", "10", "29", "100", "999", "123456", "98765432"} {
					n++
					got := b.ask(`mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { amount { amount }
						reportingAmount { amount currency } conversion { rate date source paidPerEuro reportingPerEuro } } } }`,
						payment(fmt.Sprint("t", n), vars{"amount": amount, "currency": from}))
					p := node{got.at("recordPayment.payment")}
					require.Equal(t, string(to), p.at("reportingAmount.currency"))
					if from == to {
						require.Equal(t, p.at("amount.amount"), p.at("reportingAmount.amount"))
						require.Nil(t, p.at("conversion"))
						continue
					}
					perEuro := func(c model.Currency) string { return string(cmp.Or(published[c], "1")) }
					require.Equal(t, []any{"2026-05-20", "test", perEuro(from), perEuro(to)},
						[]any{p.at("conversion.date"), p.at("conversion.source"), p.at("conversion.paidPerEuro"), p.at("conversion.reportingPerEuro")})
					exact := new(big.Rat).Mul(rat(t, amount), new(big.Rat).Quo(rat(t, perEuro(to)), rat(t, perEuro(from))))
					text := fmt.Sprint(p.at("reportingAmount.amount"))
					unit := new(big.Rat).Inv(new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)))
					off := new(big.Rat).Sub(rat(t, text), exact)
					require.LessOrEqual(t, off.Abs(off).Cmp(new(big.Rat).Mul(unit, big.NewRat(1, 2))), 0, "%s %s is %s, not %s", amount, from, exact.FloatString(8), text)
					require.True(t, new(big.Rat).Quo(rat(t, text), unit).IsInt())

					rate := rat(t, p.at("conversion.rate"))
					apart := new(big.Rat).Sub(new(big.Rat).Quo(rate, new(big.Rat).Quo(rat(t, perEuro(to)), rat(t, perEuro(from)))), big.NewRat(1, 1))
					require.Less(t, apart.Abs(apart).Cmp(big.NewRat(1, 100_000_000_000)), 0, "%v", p.at("conversion.rate"))
				}
			}
		})
	}
}

func TestConversion_day(t *testing.T) {
	t.Parallel()
	usd := func(perEuro model.Decimal) map[model.Currency]model.Decimal {
		return map[model.Currency]model.Decimal{"USD": perEuro}
	}
	for name, test := range map[string]struct {
		zone string
		at   string // of 100.00 EUR
		want string // in USD
	}{
		"its own":                            {"UTC", "2026-05-15T12:00:00Z", "115.00 USD of 2026-05-15"},
		"Friday's on a Saturday":             {"UTC", "2026-05-16T12:00:00Z", "115.00 USD of 2026-05-15"},
		"seven days before":                  {"UTC", "2026-05-13T23:59:59.999999Z", "106.00 USD of 2026-05-06"},
		"not eight days before":              {"UTC", "2026-05-14T00:00:00Z", ""},
		"not the day after":                  {"UTC", "2026-05-05T23:59:59Z", ""},
		"the local one, east of UTC":         {"Asia/Tokyo", "2026-05-14T20:00:00Z", "115.00 USD of 2026-05-15"},
		"the local one, west of UTC":         {"America/Los_Angeles", "2026-05-15T06:59:59Z", ""},
		"the local one, from midnight there": {"America/Los_Angeles", "2026-05-15T07:00:00Z", "115.00 USD of 2026-05-15"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.imports("2026-05-06", usd("1.06"))
			b.imports("2026-05-15", usd("1.15"))
			b.site = b.website(model.Website{Timezone: test.zone})
			b.key = b.websiteKey(b.site)
			fields := vars{"amount": "100", "currency": "EUR", "occurredAt": test.at}
			b.pay("t1", fields)
			require.Equal(t, test.want, b.worth("t1"))
			require.Zero(t, b.convert(), "it is the same later")
			require.Equal(t, test.want, b.worth("t1"))
			if test.want == "" {
				require.Equal(t, []any{"EUR 100.00"}, texts(node{b.ask(`{ revenue { unconverted { amount currency } } }`, nil).at("revenue")}, "unconverted"))
			}
		})
	}

	t.Run("is one for both currencies", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-18", map[model.Currency]model.Decimal{"USD": "1.1", "JPY": "165"})
		b.imports("2026-05-19", usd("1.2"))
		b.importsAs("bank", "2026-05-20", map[model.Currency]model.Decimal{"JPY": "180"})
		b.pay("yen", vars{"amount": "300", "currency": "JPY"})
		b.pay("euro", vars{"amount": "1", "currency": "EUR"})
		require.Equal(t, "2.00 USD of 2026-05-18", b.worth("yen"))
		require.Equal(t, "1.20 USD of 2026-05-19", b.worth("euro"))

		b.imports("2026-05-20", usd("1.2"))
		b.pay("later", vars{"amount": "300", "currency": "JPY"})
		require.Equal(t, "2.00 USD of 2026-05-20", b.worth("later"))
		require.Equal(t, "2.00 USD of 2026-05-18", b.worth("yen"), "history does not move")
		data := b.ask(`{ payments(filter: {transactionId: "later"}) { edges { node { conversion { source rate } } } } }`, nil)
		require.Equal(t, map[string]any{"source": "bank, test", "rate": "0.00666666666667"}, data.at("payments.edges.0.node.conversion"))
	})
}

func TestConversion(t *testing.T) {
	t.Parallel()

	t.Run("is made up for when the rates arrive", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v", nil)
		b.pay("usd", vars{"visitorId": "v"})
		b.pay("jpy", vars{"amount": "10000", "currency": "JPY", "visitorId": "v"})
		b.pay("kwd", vars{"amount": "1.005", "currency": "KWD", "renewal": true})
		b.pay("trial", vars{"amount": "0", "currency": "JPY"})
		b.refund("back", "jpy", vars{"amount": "1000", "currency": "JPY"})
		const all = `{ revenue ` + revenueFields + ` revenueOverTime(range: {}) { revenue ` + revenueFields + ` }
			visitor(id: "v") { revenue ` + revenueFields + ` } revenueByVisitor { edges { node { revenue ` + revenueFields + ` } } } }`
		before := b.ask(all, nil)
		require.Equal(t, "10.00 − 0.00 = 10.00: 2 charges, 1 renewals, 1 refunds, 1 trials", b.totals())
		require.Equal(t, []any{"JPY 9000", "KWD 1.005"}, texts(node{before.at("revenue")}, "unconverted"))

		b.imports("2026-05-19", published)
		require.Equal(t, 4, b.convert())
		after := b.ask(all, nil)
		// 10000 JPY = 69.775…, 1.005 KWD = 3.2718…, 1000 JPY = 6.9775… USD
		require.Equal(t, "83.05 − 6.98 = 76.07: 2 charges, 1 renewals, 1 refunds, 1 trials", b.totals())
		require.Empty(t, after.at("revenue.unconverted"))
		require.Equal(t, after.at("revenue"), after.at("revenueOverTime.0.revenue"))
		require.Equal(t, "72.80", after.at("visitor.revenue.net.amount"))
		require.Equal(t, after.at("visitor.revenue"), after.at("revenueByVisitor.edges.0.node.revenue"))
		require.Equal(t, before.at("revenue.byCurrency"), after.at("revenue.byCurrency"), "what was paid does not change")
		require.Zero(t, b.convert())
	})

	t.Run("stays when rates are imported again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.Equal(t, model.RateImport{New: 2}, b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "1.10", "JPY": "165"}))
		require.Equal(t, model.RateImport{Unchanged: 2}, b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "1.1", "JPY": "165"}))
		b.pay("before", vars{"currency": "EUR"})
		require.Equal(t, model.RateImport{Different: 1, Unchanged: 1}, b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "1.2", "JPY": "165"}))
		require.Zero(t, b.convert())
		b.pay("after", vars{"currency": "EUR"})
		require.Equal(t, []string{"11.00 USD of 2026-05-20", "12.00 USD of 2026-05-20"}, []string{b.worth("before"), b.worth("after")})
		require.Equal(t, "DUPLICATE", b.pay("before", vars{"currency": "EUR"}).at("outcome"))
		require.Equal(t, "11.00", b.pay("before", vars{"currency": "EUR"}).at("payment.reportingAmount.amount"))

		kept, err := b.store.ImportRates(t.Context(), []model.Rate{{Date: model.DateOf(today), Currency: "USD", PerEuro: "1.3", Source: "test"}}, false, today)
		require.NoError(t, err)
		require.Equal(t, model.RateImport{Different: 1}, kept)
		b.pay("last", vars{"currency": "EUR"})
		require.Equal(t, "12.00 USD of 2026-05-20", b.worth("last"))
	})

	t.Run("of a refund is that of its own day", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-18", map[model.Currency]model.Decimal{"USD": "1.1"})
		b.imports("2026-05-19", map[model.Currency]model.Decimal{"USD": "1.2"})
		b.pay("t1", vars{"currency": "EUR", "occurredAt": "2026-05-18T10:00:00Z"})
		b.refund("r1", "t1", vars{"currency": "EUR", "occurredAt": "2026-05-19T10:00:00Z"})
		require.Equal(t, "11.00 − 12.00 = -1.00: 1 charges, 0 renewals, 1 refunds, 0 trials", b.totals())
	})

	t.Run("is in what is deleted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", map[model.Currency]model.Decimal{"USD": "1.1"})
		b.pay("t1", vars{"currency": "EUR", "visitorId": "v"})
		b.pay("t2", vars{"currency": "JPY", "visitorId": "v"})
		for _, dry := range []bool{true, false} {
			got := b.ask(`mutation ($dry: Boolean) { deletePayments(input: {visitorId: "v", dryRun: $dry}) { revenue { gross { amount } unconverted { amount currency } } } }`, vars{"dry": dry})
			revenue := node{got.at("deletePayments.revenue")}
			require.Equal(t, "11.00", revenue.at("gross.amount"))
			require.Equal(t, []any{"JPY 10"}, texts(revenue, "unconverted"))
		}
	})

	t.Run("is none where the amount would not fit", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", published)
		b.site = b.website(model.Website{Currency: "IDR"})
		b.key = b.websiteKey(b.site)
		b.pay("t1", vars{"amount": "90071992547409.91", "currency": "USD"})
		require.Empty(t, b.worth("t1"))
		require.Zero(t, b.convert())
	})

	t.Run("needs no statement unless another currency is paid in, and one for a batch", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.imports("2026-05-20", published)
		count := func(currencies ...string) int64 {
			var payments []vars
			for i, c := range currencies {
				payments = append(payments, vars{"transactionId": fmt.Sprint(c, len(currencies), i), "amount": "10", "currency": c})
			}
			before := b.statements.Load()
			b.ask(`mutation ($p: [RecordPaymentInput!]!) { recordPayments(input: {payments: $p}) { results { payload { outcome } } } }`, vars{"p": payments})
			return b.statements.Load() - before
		}
		count("USD") // notes when the key was last used
		own := count("USD", "USD", "USD")
		require.Equal(t, own, count("USD", "USD"))
		require.Equal(t, own+1, count("JPY"))
		require.Equal(t, own+1, count("JPY", "USD", "GBP", "EUR"))
	})

	t.Run("of another website's payments is none of ours", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.pay("t1", vars{"currency": "EUR"})
		other := b.another(t)
		other.pay("t1", vars{"currency": "EUR"})
		b.imports("2026-05-20", published)
		require.Equal(t, 1, b.convert())
		require.Equal(t, "", other.worth("t1"))
	})
}
