package e2e_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// rateBooks are the published rates, in units for one euro, by day and currency.
type rateBooks map[string]map[string]string

// on is the rate of a day, if there is one.
func (r rateBooks) on(day time.Time, currency string) (*big.Rat, bool) {
	if currency == "EUR" {
		return big.NewRat(1, 1), true
	}
	text, ok := r[day.Format(time.DateOnly)][currency]
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// convert gives an entry its worth in the website's currency: by the rates of its day, or of one up to 7 days before.
func (b *books) convert(e *paid) {
	e.worth, e.worthIn = nil, b.currency
	if e.currency == b.currency {
		e.worth = &e.minor
		return
	}
	for back := range 8 {
		day := e.at.In(b.zone).AddDate(0, 0, -back)
		from, hasFrom := b.rates.on(day, e.currency)
		to, hasTo := b.rates.on(day, b.currency)
		if !hasFrom || !hasTo {
			continue
		}
		exact := new(big.Rat).Quo(new(big.Rat).Mul(big.NewRat(e.minor, 1), to), from)
		for n := decimals[e.currency]; n < decimals[b.currency]; n++ {
			exact.Mul(exact, big.NewRat(10, 1))
		}
		for n := decimals[b.currency]; n < decimals[e.currency]; n++ {
			exact.Quo(exact, big.NewRat(10, 1))
		}
		if worth := halfEven(exact); worth < 1<<53 && exact.Cmp(big.NewRat(1<<53, 1)) < 0 {
			e.worth = &worth
		}
		return
	}
}

// halfEven is the nearer of the whole numbers next to one that is not negative; of two, the even one.
func halfEven(exact *big.Rat) int64 {
	below := new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
	switch new(big.Rat).Sub(exact, big.NewRat(below, 1)).Cmp(big.NewRat(1, 2)) {
	case -1:
		return below
	case 1:
		return below + 1
	}
	return below + below%2
}

// convertWaiting converts what was not converted to the website's currency.
func (b *books) convertWaiting() {
	for _, e := range b.entries() {
		if e.worthIn != b.currency || e.worth == nil {
			b.convert(e)
		}
	}
}

// reporting is an entry's amount in the website's currency; nil if it is not known.
func (b *books) reporting(e *paid) *int64 {
	switch b.currency {
	case e.currency:
		return &e.minor
	case e.worthIn:
		return e.worth
	}
	return nil
}

// revenue writes down the sums of entries as revenueText does what the server says.
func (b *books) revenue(entries []*paid) string {
	counts, sums := map[string]int{}, map[string]int64{}
	currencies := map[string]bool{}
	waiting := map[string]int64{}
	for _, e := range entries {
		counts[e.kind]++
		if e.kind == "FREE_TRIAL" {
			continue
		}
		currencies[e.currency] = true
		sums[e.currency+e.kind] += e.minor
		if worth := b.reporting(e); worth != nil {
			sums[e.kind] += *worth
		} else if e.refunded {
			waiting[e.currency] -= e.minor
		} else {
			waiting[e.currency] += e.minor
		}
	}
	var text strings.Builder
	gross, refunded := sums["CHARGE"]+sums["RENEWAL"], sums["REFUND"]
	for _, sum := range []int64{gross, refunded, gross - refunded, sums["CHARGE"], sums["RENEWAL"]} {
		fmt.Fprint(&text, major(sum, b.currency), " ", b.currency, ", ")
	}
	fmt.Fprintf(&text, "%d charges, %d renewals, %d refunds, %d trials", counts["CHARGE"], counts["RENEWAL"], counts["REFUND"], counts["FREE_TRIAL"])
	for _, c := range slices.Sorted(maps.Keys(currencies)) {
		gross, refunded := sums[c+"CHARGE"]+sums[c+"RENEWAL"], sums[c+"REFUND"]
		fmt.Fprint(&text, ", ", c, " ", major(gross, c), "-", major(refunded, c), "=", major(gross-refunded, c))
	}
	for _, c := range slices.Sorted(maps.Keys(waiting)) {
		fmt.Fprint(&text, ", unconverted ", major(waiting[c], c), " ", c)
	}
	return text.String()
}

// major writes minor units as a decimal.
func major(minor int64, currency string) string {
	return new(big.Rat).SetFrac(big.NewInt(minor), power(decimals[currency])).FloatString(decimals[currency])
}

// minorOf reads a decimal as minor units.
func minorOf(decimal string, places int) int64 {
	value, _ := new(big.Rat).SetString(decimal)
	return value.Mul(value, new(big.Rat).SetInt(power(places))).Num().Int64()
}

func power(places int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
}

// within are the entries from a time to before another; one that is zero is open.
func within(entries []*paid, from, to time.Time) []*paid {
	return slices.DeleteFunc(slices.Clone(entries), func(e *paid) bool {
		return !from.IsZero() && e.at.Before(from) || !to.IsZero() && !e.at.Before(to)
	})
}

// grouped sorts entries by what key makes of them; those with "" belong nowhere.
func grouped(entries []*paid, key func(e *paid) string) map[string][]*paid {
	groups := map[string][]*paid{}
	for _, e := range entries {
		if key := key(e); key != "" {
			groups[key] = append(groups[key], e)
		}
	}
	return groups
}

// fullHour is how the beginning of an hour is written, by UTC.
const fullHour = "2006-01-02 15:04 "

// began is when the interval began that an entry is in: its first day, or the full hour and its day.
func (b *books) began(interval string) func(e *paid) string {
	return func(e *paid) string {
		day := e.at.In(b.zone)
		switch interval {
		case "WEEK":
			for day.Weekday() != time.Monday {
				day = day.AddDate(0, 0, -1)
			}
		case "MONTH":
			day = day.AddDate(0, 0, 1-day.Day())
		case "HOUR":
			hour := day.Add(-time.Duration(day.Minute()) * time.Minute)
			return hour.UTC().Format(fullHour) + day.Format(time.DateOnly)
		}
		return day.Format(time.DateOnly)
	}
}
