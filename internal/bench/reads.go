package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// question is a query that is measured at every scale.
type question struct {
	name  string
	query string
	aim   target // of the greatest scale over the smallest
}

// reading is what was measured of a question.
type reading struct {
	question
	times [][]float64 // ms, by scale and round; infinite if there was no answer in time
}

const (
	// asked is how often a question is asked in a round; the median counts.
	asked = 3
	// slow is from which time on a question is asked once a round.
	slow = 2 * time.Second
)

// questions are asked about all time and the last 30 days.
func questions(now time.Time) []question {
	month := fmt.Sprintf(`range: {from: "%s"}`, now.UTC().AddDate(0, 0, -30).Format(time.RFC3339))
	year := fmt.Sprintf(`range: {from: "%s"}`, now.UTC().AddDate(-1, 0, 0).Format(time.RFC3339))
	all := `range: {}`
	const net = `revenue { net { amount } }`
	qs := []question{
		{"`revenue`, all time", `{ revenue { net { amount } } }`, atMost(2)},
		{"`revenue`, 30 days", `{ revenue(` + month + `) { net { amount } } }`, atMost(2)},
		{"`revenueOverTime` by day, 30 days", `{ revenueOverTime(` + month + `) { date ` + net + ` } }`, atMost(2)},
		{"`revenueByVisitor`, all time", `{ revenueByVisitor(first: 50) { edges { node { visitor { id } ` + net + ` } } } }`, atMost(2)},
		{"`revenueByVisitor`, 30 days", `{ revenueByVisitor(first: 50, ` + month + `) { edges { node { visitor { id } ` + net + ` } } } }`, atMost(5)},
		{"`revenueBy` source, first touch, 30 days", revenueBy("FIRST_TOUCH", month), atMost(5)},
		{"`revenueBy` source, last touch, 30 days", revenueBy("LAST_TOUCH", month), atMost(5)},

		{"`revenueOverTime` by day, a year", `{ revenueOverTime(` + year + `) { date ` + net + ` } }`, target{}},
		{"`revenueOverTime` by month, all time", `{ revenueOverTime(` + all + `, interval: MONTH) { date ` + net + ` } }`, target{}},
		{"`payments`, first page", `{ payments(first: 50) { edges { node { transactionId amount { amount } } } } }`, target{}},
		{"`revenueBy` source, first touch, all time", revenueBy("FIRST_TOUCH", all), target{}},
		{"`revenueBy` source, last touch, all time", revenueBy("LAST_TOUCH", all), target{}},
	}
	for _, model := range []struct{ name, value string }{
		{"last non-direct", "LAST_NON_DIRECT"}, {"linear", "LINEAR"}, {"position-based", "POSITION_BASED"}, {"time decay", "TIME_DECAY"},
	} {
		qs = append(qs, question{"`revenueBy` source, " + model.name + ", 30 days", revenueBy(model.value, month), target{}})
	}
	return append(qs, question{"`revenueBy` source, time decay, all time", revenueBy("TIME_DECAY", all), target{}})
}

func revenueBy(model, when string) string {
	return `{ revenueBy(dimension: SOURCE, model: ` + model + `, ` + when + `) {
		edges { node { key revenue { net { amount } } visitors payers } } unattributed { net { amount } } } }`
}

const readingIntro = `One client asks websites with more and more payments the same by GraphQL over HTTP. The targets are for 10m payments
over 100k. A request has 30 seconds: beyond that it takes too long.`

// reads measures the questions at every scale, the scales in turns.
func (b *bench) reads(ctx context.Context) (section, error) {
	part := section{title: "Reading", intro: readingIntro}
	for _, q := range questions(time.Now()) {
		progress("%s", q.name)
		r := reading{q, make([][]float64, len(b.sites))}
		for range b.rounds {
			for i, s := range b.sites {
				took, err := b.askAgain(ctx, s, q.query)
				if err != nil {
					return part, err
				}
				r.times[i] = append(r.times[i], took)
			}
		}
		part.readings = append(part.readings, r)
	}
	return part, nil
}

// askAgain asks a question several times and answers the median, in ms.
func (b *bench) askAgain(ctx context.Context, s *site, query string) (float64, error) {
	var took []float64
	for range asked {
		t, err := b.ask(ctx, s, query)
		if errors.Is(err, errTooLong) {
			return math.Inf(1), nil
		}
		if err != nil {
			return 0, err
		}
		took = append(took, float64(t.Microseconds())/1000)
		if t > slow {
			break
		}
	}
	return median(took), nil
}

// ratios are those of each scale over the smallest, for people.
func (r reading) ratios() []string {
	var all []string
	for _, times := range r.times[1:] {
		all = append(all, spread(ratios(times, r.times[0])))
	}
	return all
}

// mark says whether the target of the greatest scale over the smallest is met.
func (r reading) mark() string {
	if len(r.times) == 1 {
		return ""
	}
	return r.aim.mark(ratios(r.times[len(r.times)-1], r.times[0]))
}

// spreads are the times at each scale, for people.
func (r reading) spreads() []string {
	var all []string
	for _, times := range r.times {
		all = append(all, spread(times))
	}
	return all
}
