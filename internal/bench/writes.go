package main

import (
	"context"
	"fmt"
)

// batchSize is how many payments batch.lua sends in one request.
const batchSize = 1000

const writing = `Ours is a server over HTTP: each payment is authorized, checked and idempotent, its rollups are kept, and it is
durable when it is answered. pgbench talks to Postgres without a server between, and does one prepared statement in one
transaction a payment: the insert and the same rollups, or the bare insert.`

// writes measures recording, in turns with pgbench or with another way to record.
func (b *bench) writes(ctx context.Context) (section, error) {
	s, part := b.written, section{title: "Writing", intro: writing}
	pgbench := map[string]turn{}
	for _, script := range []string{sameWork, bareInsert} {
		clients, tried, err := b.bestClients(ctx, s, script)
		if err != nil {
			return part, err
		}
		pgbench[script] = b.pgbenchTurn(ctx, s, script, clients)
		part.notes = append(part.notes, fmt.Sprintf("pgbench, %s, has the number of clients that did best in one try each; payments/s by clients: %s.", scriptNames[script], tried))
	}
	for _, pair := range []struct {
		ours, base turn
		unit       string
		aim        target
	}{
		{b.rest(ctx, s, 64), pgbench[sameWork], "payments/s", atLeast(3)},
		{b.rest(ctx, s, 64), pgbench[bareInsert], "payments/s", atLeast(1)},
		{b.rest(ctx, s, 256), pgbench[bareInsert], "payments/s", atLeast(1.25)},
		{turn{"`POST /api/v1/payments`, 1 connection, mean latency", func() (float64, error) {
			measured, err := b.wrk(ctx, s, load{"payment.lua", 1})
			return measured.Mean, err
		}}, turn{"pgbench, bare insert, 1 client, mean latency", func() (float64, error) {
			return b.pgbench(ctx, s, bareInsert, 1, latency)
		}}, "ms", atMost(2.5)},
		{b.rate(ctx, s, "GraphQL `recordPayment`, 64 connections", load{"graphql.lua", 64}, 1), b.rest(ctx, s, 64), "payments/s", atLeast(0.6)},
		{b.rate(ctx, s, "GraphQL `recordPayments` of 1,000, 4 connections", load{"batch.lua", 4}, batchSize), b.rest(ctx, s, 64), "payments/s", atLeast(1.5)},
		{b.rate(ctx, s, "`POST /api/v1/payments` of new customers, 64 connections", load{"customer.lua", 64}, 1), b.rest(ctx, s, 64), "payments/s", target{}},
		{b.rate(ctx, s, "`POST /api/events`, pageviews, 64 connections", load{"event.lua", 64}, 1), b.rest(ctx, s, 64), "a second", target{}},
	} {
		r, err := b.compare(pair.ours, pair.base, pair.unit, pair.aim)
		if err != nil {
			return part, err
		}
		part.rows = append(part.rows, r)
	}
	if err := b.forgetBare(ctx, s); err != nil {
		return part, err
	}
	slow, err := slowDisk(ctx, b.options)
	if err != nil {
		return part, fmt.Errorf("on a slow disk: %w", err)
	}
	part.rows = append(part.rows, slow...)
	if len(slow) > 0 {
		part.notes = append(part.notes, fmt.Sprintf("On the slow disk each sync takes %d ms longer, and pgbench has as many clients as a server has connections to Postgres, %d.", slowSync, poolSize))
	}
	return part, nil
}

// rest is recording by the REST API, one payment a request.
func (b *bench) rest(ctx context.Context, s *site, connections int) turn {
	return b.rate(ctx, s, fmt.Sprintf("`POST /api/v1/payments`, %d connections", connections), load{"payment.lua", connections}, 1)
}

// rate is how many items a second a load records, of which each request has some.
func (b *bench) rate(ctx context.Context, s *site, name string, l load, perRequest float64) turn {
	return turn{name, func() (float64, error) {
		measured, err := b.wrk(ctx, s, l)
		return measured.Requests * perRequest, err
	}}
}
