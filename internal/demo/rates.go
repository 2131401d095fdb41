package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"tributary/model"
)

// rateSource is the source of the demo's made-up exchange rates.
const rateSource = "demo"

// rateBases are what the rates are around, in ten-thousandths of a unit for one euro.
var rateBases = []struct {
	currency model.Currency
	base     int64
}{{"USD", 10900}, {"GBP", 8520}, {"JPY", 1625000}}

// withRates does something while there are exchange rates for the days of the plan. They are made up, so
// they are only there if no other website could meet them, and go when the demo's payments are converted:
// these keep theirs. Rates that were imported before stay and go first.
func withRates(ctx context.Context, store Store, at time.Time, do func() error) error {
	websites, err := store.Websites(ctx, "")
	if err != nil {
		return err
	}
	if len(websites) == 1 {
		if _, err := store.ImportRates(ctx, rates(at), false, at); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	return store.DeleteRates(ctx, rateSource)
}

// rates are those of the working days of a plan. A date has the same ones in every plan.
func rates(at time.Time) []model.Rate {
	var all []model.Rate
	end := at.UTC().Truncate(day)
	for date := end.AddDate(0, 0, -days-7); date.Before(end); date = date.AddDate(0, 0, 1) {
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			continue
		}
		number := date.Unix() / int64(day/time.Second)
		for i, r := range rateBases {
			rng := rand.New(rand.NewPCG(uint64(number), uint64(i)))
			// Up and down by some percent within months, and by less from day to day.
			swing := number*int64(i+2)%160 - 80
			perEuro := r.base * (1000 + max(swing, -swing) - 40 + rng.Int64N(7)) / 1000
			all = append(all, model.Rate{
				Date: model.DateOf(date), Currency: r.currency, Source: rateSource,
				PerEuro: model.Decimal(fmt.Sprintf("%d.%04d", perEuro/10000, perEuro%10000)),
			})
		}
	}
	return all
}
