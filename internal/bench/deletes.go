package main

import (
	"context"
	"fmt"
	"time"
)

const deleting = `A client deletes %s payments by ranges of time, %d after one another, by REST, and repeats each until nothing is left
of it. Meanwhile and before, 64 connections record payments by REST.`

// deletes measures what writers notice of a delete of many payments: on the website that they write to, and on
// another. The first takes the older half of the website's payments, the second the rest.
func (b *bench) deletes(ctx context.Context) (section, error) {
	count := scaleName(b.written.payments / 2)
	part := section{title: "Deleting", intro: fmt.Sprintf(deleting, count, b.rounds)}
	parts, err := b.ranges(ctx, b.written, 2*b.rounds)
	if err != nil {
		return part, err
	}
	for i, writers := range []struct {
		s    *site
		name string
	}{{b.written, "to the same website"}, {b.other, "to another website"}} {
		r := row{name: "p99 of those who write " + writers.name, base: "before", unit: "ms", target: atMost(3)}
		var took time.Duration
		for round, span := range parts[i*b.rounds : (i+1)*b.rounds] {
			progress("a delete beside writers %s (%d of %d)", writers.name, round+1, b.rounds)
			before, err := b.wrk(ctx, writers.s, load{"payment.lua", 64})
			if err != nil {
				return part, err
			}
			during, err := b.wrkDuring(ctx, writers.s, load{"payment.lua", 64}, func() error {
				began := time.Now()
				defer func() { took += time.Since(began) }()
				return b.delete(ctx, b.written, span[0], span[1])
			})
			if err != nil {
				return part, err
			}
			r.values, r.baseValues = append(r.values, during.P99), append(r.baseValues, before.P99)
		}
		part.rows = append(part.rows, r)
		part.notes = append(part.notes, fmt.Sprintf("Beside writers %s, the delete of %s payments took %s s.", writers.name, count, figure(took.Seconds())))
	}
	if err := b.verifyRollups(ctx); err != nil {
		return part, err
	}
	part.notes = append(part.notes, "Afterwards `tributary rollups verify` found the rollups of all websites right.")
	return part, nil
}

// ranges divides the time of a website's payments that were made for it into equal parts.
func (b *bench) ranges(ctx context.Context, s *site, n int) ([][2]time.Time, error) {
	var first, last time.Time
	err := b.db.QueryRow(ctx, "SELECT min(occurred_at), max(occurred_at) FROM payments WHERE website_id = $1 AND transaction_id IN ('p0', $2)",
		s.ID, fmt.Sprint("p", s.payments-1)).Scan(&first, &last)
	if err != nil {
		return nil, err
	}
	first = first.Truncate(time.Second)
	length := (last.Sub(first) + time.Second).Truncate(time.Second)
	at := func(i int) time.Time {
		return first.Add(length * time.Duration(i) / time.Duration(n)).Truncate(time.Second)
	}
	var parts [][2]time.Time
	for i := range n {
		parts = append(parts, [2]time.Time{at(i), at(i + 1)})
	}
	return parts, nil
}
