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
