package main

import "fmt"

// turn is one side of a comparison.
type turn struct {
	name    string
	measure func() (float64, error)
}

// compare measures two sides in turns.
func (b *bench) compare(ours, base turn, unit string, aim target) (row, error) {
	r := row{name: ours.name, base: base.name, unit: unit, target: aim}
	for round := range b.rounds {
		progress("%s against %s (%d of %d)", ours.name, base.name, round+1, b.rounds)
		value, err := ours.measure()
		if err != nil {
			return r, fmt.Errorf("%s: %w", ours.name, err)
		}
		r.values = append(r.values, value)
		if value, err = base.measure(); err != nil {
			return r, fmt.Errorf("%s: %w", base.name, err)
		}
		r.baseValues = append(r.baseValues, value)
	}
	return r, nil
}
