package graph_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// entry is a payment as simple books keep it.
type entry struct {
	currency model.Currency
	units    int64
	day      int                         // days before today
	worth    map[model.Currency]*big.Rat // what it was converted to last; at most one
}

// TestReportingCurrency_property pays, imports rates, changes the currency and converts at random, and
// compares what each payment is worth, and the totals, with books that are kept by the rules.
func TestReportingCurrency_property(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	currencies := []model.Currency{"USD", "EUR", "JPY", "KWD"}
	places := map[model.Currency]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
	zero := func() map[model.Currency]*big.Rat { return map[model.Currency]*big.Rat{} }
	nextDay := 0 // rates are of all websites, so each check has days of its own
	rapid.Check(t, func(rt *rapid.T) {
		b := shared.another(t)
		base := nextDay
		nextDay += 40
		rates := map[int]map[model.Currency]string{}
		books := map[string]*entry{}
		reporting := model.Currency("USD")
		date := func(day int) time.Time { return today.AddDate(0, 0, -base-day) }
		convert := func(e *entry) {
			e.worth = zero()
			for day := e.day; day <= e.day+7; day++ {
				paid, hasPaid := rates[day][e.currency]
				wanted, hasWanted := rates[day][reporting]
				if e.currency == "EUR" {
					paid, hasPaid = "1", true
				}
				if reporting == "EUR" {
					wanted, hasWanted = "1", true
				}
				if e.currency == reporting {
					paid, wanted, hasPaid, hasWanted = "1", "1", true, true
				}
				if hasPaid && hasWanted {
					exact := new(big.Rat).Mul(big.NewRat(e.units, 1), new(big.Rat).Quo(rat(t, wanted), rat(t, paid)))
					e.worth[reporting] = halfEven(exact, places[reporting])
					return
				}
			}
		}
		for i := range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"pay", "pay", "pay", "import", "change", "convert", "delete"}).Draw(rt, "step") {
			case "pay":
				e := &entry{currency: rapid.SampledFrom(currencies).Draw(rt, "currency"), units: rapid.Int64Range(1, 99).Draw(rt, "units"), day: rapid.IntRange(0, 20).Draw(rt, "day")}
				b.pay(fmt.Sprint("t", i), vars{"amount": e.units, "currency": e.currency, "occurredAt": date(e.day).Format(time.RFC3339)})
				books[fmt.Sprint("t", i)] = e
				convert(e)
			case "import":
				day := rapid.IntRange(0, 27).Draw(rt, "day")
				c := rapid.SampledFrom([]model.Currency{"USD", "JPY", "KWD"}).Draw(rt, "currency")
				value := rapid.SampledFrom([]string{"2", "0.5", "1.6", "3", "0.075", "0.125", "0.015", "160", "7.0000000001"}).Draw(rt, "rate")
				b.imports(date(day).Format(time.DateOnly), map[model.Currency]model.Decimal{c: model.Decimal(value)})
				if rates[day] == nil {
					rates[day] = map[model.Currency]string{}
				}
				rates[day][c] = value
			case "change":
				reporting = rapid.SampledFrom(currencies).Draw(rt, "currency")
				b.report(reporting)
			case "convert":
				b.convert()
				for _, e := range books {
					if e.worth[reporting] == nil {
						convert(e)
					}
				}
			case "delete":
				b.ask(deletePayments, vars{"input": vars{"from": date(10).Format(time.RFC3339), "to": date(9).Format(time.RFC3339)}})
				for id, e := range books {
					if e.day == 10 {
						delete(books, id)
					}
				}
			}
			gross, unconverted := new(big.Rat), zero()
			got := map[string]string{}
			data := b.ask(`{ payments(first: 100) { edges { node { transactionId reportingAmount { amount currency } } } } revenue { gross { amount currency } unconverted { amount currency } } }`, nil)
			for _, edge := range data.at("payments.edges").([]any) {
				p := node{edge}
				got[fmt.Sprint(p.at("node.transactionId"))] = fmt.Sprint(p.at("node.reportingAmount.amount"))
			}
			require.Len(rt, got, len(books))
			for id, e := range books {
				worth := e.worth[reporting]
				if e.currency == reporting {
					worth = big.NewRat(e.units, 1)
				}
				want := "<nil>"
				if worth != nil {
					want = worth.FloatString(places[reporting])
					gross.Add(gross, worth)
				} else {
					if unconverted[e.currency] == nil {
						unconverted[e.currency] = new(big.Rat)
					}
					unconverted[e.currency].Add(unconverted[e.currency], big.NewRat(e.units, 1))
				}
				require.Equal(rt, want, got[id], "%s: %+v", id, e)
			}
			require.Equal(rt, gross.FloatString(places[reporting]), data.at("revenue.gross.amount"))
			var left []any
			for _, c := range slices.Sorted(slices.Values(currencies)) {
				if unconverted[c] != nil {
					left = append(left, fmt.Sprint(c, " ", unconverted[c].FloatString(places[c])))
				}
			}
			require.ElementsMatch(rt, left, texts(node{data.at("revenue")}, "unconverted"))
		}
	})
}

// halfEven rounds to decimals by trying both neighbours.
func halfEven(exact *big.Rat, decimals int) *big.Rat {
	unit := big.NewRat(1, 1)
	for range decimals {
		unit.Quo(unit, big.NewRat(10, 1))
	}
	count := new(big.Rat).Quo(exact, unit)
	lower := new(big.Int).Quo(count.Num(), count.Denom())
	upper := new(big.Int).Add(lower, big.NewInt(1))
	below := new(big.Rat).Sub(count, new(big.Rat).SetInt(lower))
	above := new(big.Rat).Sub(new(big.Rat).SetInt(upper), count)
	chosen := lower
	if nearer := above.Cmp(below); nearer < 0 || nearer == 0 && upper.Bit(0) == 0 {
		chosen = upper
	}
	return new(big.Rat).Mul(new(big.Rat).SetInt(chosen), unit)
}
