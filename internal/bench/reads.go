package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// question is a query that is measured at every scale.
type question struct {
	name   string
	query  string
	target string // of the greatest scale over the smallest
}

// asked is how often a question is asked in a round; the median counts.
const asked = 3

// questions are asked about all time and the last 30 days.
func questions(now time.Time) []question {
	month := fmt.Sprintf(`range: {from: "%s"}`, now.UTC().AddDate(0, 0, -30).Format(time.RFC3339))
	all := `range: {}`
	const net = `revenue { net { amount } }`
	qs := []question{
		{"revenue, all time", `{ revenue { net { amount } } }`, "≤ 2"},
		{"revenueOverTime by day, 30 days", `{ revenueOverTime(` + month + `) { date ` + net + ` } }`, "≤ 2"},
		{"revenueOverTime by month, all time", `{ revenueOverTime(` + all + `, interval: MONTH) { date ` + net + ` } }`, ""},
		{"revenueByVisitor, all time", `{ revenueByVisitor(first: 50) { edges { node { visitor { id } ` + net + ` } } } }`, "≤ 2"},
		{"revenueByVisitor, 30 days", `{ revenueByVisitor(first: 50, ` + month + `) { edges { node { visitor { id } ` + net + ` } } } }`, "≤ 5"},
		{"payments, first page", `{ payments(first: 50) { edges { node { transactionId amount { amount } } } } }`, ""},
	}
	for _, model := range []string{"FIRST_TOUCH", "LAST_TOUCH", "LAST_NON_DIRECT", "LINEAR", "POSITION_BASED", "TIME_DECAY"} {
		target := ""
		if strings.HasSuffix(model, "TOUCH") {
			target = "≤ 5"
		}
		qs = append(qs,
			question{"revenueBy source, " + model + ", 30 days", revenueBy(model, month), target},
			question{"revenueBy source, " + model + ", all time", revenueBy(model, all), ""})
	}
	return qs
}

func revenueBy(model, when string) string {
	return `{ revenueBy(dimension: SOURCE, model: ` + model + `, ` + when + `) {
		edges { node { key revenue { net { amount } } visitors payers } } unattributed { net { amount } } } }`
}

// reads measures the questions at every scale, the scales in turns.
func (b *bench) reads(ctx context.Context) ([]row, error) {
	var rows []row
	for _, q := range questions(time.Now()) {
		progress("%s", q.name)
		times := make([][]float64, len(b.sites))
		for range b.rounds {
			for i, s := range b.sites {
				var took []float64
				for range asked {
					t, err := b.ask(ctx, s, q.query)
					if err != nil {
						return nil, err
					}
					took = append(took, float64(t.Microseconds())/1000)
				}
				times[i] = append(times[i], median(took))
			}
		}
		last := len(b.sites) - 1
		r := row{name: q.name, unit: "ms", values: times[last], target: q.target, scale: b.sites[last].payments}
		if last > 0 {
			r.base, r.baseValues = "the same at "+scaleName(b.sites[0].payments), times[0]
		}
		rows = append(rows, r)
		for i := range last - 1 {
			rows = append(rows, row{name: q.name, unit: "ms", values: times[i+1], scale: b.sites[i+1].payments,
				base: r.base, baseValues: times[0]})
		}
	}
	return rows, nil
}
