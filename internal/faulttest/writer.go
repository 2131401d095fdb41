package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// writer is a client that does one thing after the other and keeps a journal of it. What it gets no answer to it
// leaves alone, until it settles that.
type writer struct {
	*journal
	n         int
	rng       *rand.Rand
	client    *client
	report    *report
	servers   []*server
	serial    int
	open      []*entry // charges of which all is known
	unsettled []act
}

// rest is how long a writer rests after each act, at most: so that its machine can do other things too.
const rest = 4 * time.Millisecond

// maxOpen is how many charges a writer remembers, to do more with them.
const maxOpen = 200

// name is how breaches name an entry.
func (w *writer) name(e *entry) string {
	return fmt.Sprintf("%s %s of %s", e.kind, e.id, w.site.Domain)
}

// next is the transaction id or visitor that was not used yet. Writers of two websites use the same.
func (w *writer) next(prefix string) string {
	w.serial++
	return fmt.Sprintf("%s-%d-%d", prefix, w.n, w.serial)
}

// work does things until it is told to stop.
func (w *writer) work(ctx context.Context, stopped func() bool) {
	for !stopped() && ctx.Err() == nil {
		switch dice := w.rng.IntN(100); {
		case dice < 32:
			w.charge(ctx)
		case dice < 40:
			w.deal(ctx)
		case dice < 50:
			w.batch(ctx)
		case dice < 62:
			w.again(ctx)
		case dice < 78:
			w.refund(ctx)
		case dice < 82:
			w.refundFirst(ctx)
		case dice < 88:
			w.delete(ctx)
		case dice < 91:
			w.deleteMany(ctx)
		default:
			w.do(ctx, &viewing{w.visitor(), w.server()})
		}
		time.Sleep(time.Duration(w.rng.Int64N(int64(rest))))
	}
}

// do does an act once, and remembers it if the outcome is not known.
func (w *writer) do(ctx context.Context, a act) (known bool) {
	known = a.try(ctx, w, true)
	if !known {
		w.unsettled = append(w.unsettled, a)
		w.await(ctx)
	}
	return known
}

// awaitMax is how long a writer that got no answer waits for a server that is ready, before it goes on all the same.
const awaitMax = 2 * time.Second

// await waits until a server is ready.
func (w *writer) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, awaitMax)
	defer cancel()
	for ctx.Err() == nil && w.client.send(ctx, w.server(), "", http.MethodGet, "/readyz", nil).status != http.StatusOK {
		time.Sleep(time.Duration(w.rng.Int64N(int64(100 * time.Millisecond))))
	}
}

// settle does again what is not known, until it is, and says whether it was before the context ended.
func (w *writer) settle(ctx context.Context) bool {
	for _, a := range w.unsettled {
		for !a.try(ctx, w, false) {
			if ctx.Err() != nil {
				return false
			}
			time.Sleep(50 * time.Millisecond)
		}
		w.report.count(func(f *figures) { f.retried++ })
	}
	w.unsettled = nil
	return true
}

func (w *writer) server() *server { return w.servers[w.rng.IntN(len(w.servers))] }

// some are the servers that get a request: one, and now and then several at the same time.
func (w *writer) some() []*server {
	if w.rng.IntN(6) > 0 {
		return []*server{w.server()}
	}
	return []*server{w.server(), w.server(), w.server()}
}

// visitor is a visitor of this writer: one that was there, one that was not, or "".
func (w *writer) visitor() string {
	return fmt.Sprintf("v-%d-%d", w.n, w.rng.IntN(w.serial/4+2))
}

// newEntry is a charge, renewal or free trial, now or some time ago.
func (w *writer) newEntry() *entry {
	e := &entry{id: w.next("t"), kind: kindCharge, minor: 1 + w.rng.Int64N(100_000)}
	switch w.rng.IntN(10) {
	case 0:
		e.kind, e.minor = kindTrial, 0
	case 1, 2:
		e.kind = kindRenewal
	}
	if w.rng.IntN(2) == 0 {
		e.visitor = w.visitor()
	}
	if w.rng.IntN(2) == 0 {
		e.at = longAgo.Add(time.Duration(w.rng.Int64N(int64(years)))).UTC().Format(time.RFC3339)
	}
	return e
}

// The time in which things happened that say when they did.
var longAgo = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

const years = 2 * 365 * 24 * time.Hour

// record records entries, and opens the charges among them if all is known.
func (w *writer) record(ctx context.Context, servers []*server, entries ...*entry) bool {
	for _, e := range entries {
		w.add(e)
	}
	return w.do(ctx, &recording{entries: entries, byGraphQL: w.rng.IntN(3) == 0, servers: servers})
}

func (w *writer) remember(e *entry) {
	if len(w.open) < maxOpen {
		w.open = append(w.open, e)
	} else {
		w.open[w.rng.IntN(maxOpen)] = e
	}
}

// take takes one of the open charges, or nil if there is none.
func (w *writer) take() *entry {
	if len(w.open) == 0 {
		return nil
	}
	i, last := w.rng.IntN(len(w.open)), len(w.open)-1
	e := w.open[i]
	w.open[i], w.open = w.open[last], w.open[:last]
	return e
}

func (w *writer) charge(ctx context.Context) {
	if e := w.newEntry(); w.record(ctx, w.some(), e) {
		w.remember(e)
	}
}

func (w *writer) batch(ctx context.Context) {
	entries := make([]*entry, 2+w.rng.IntN(20))
	for i := range entries {
		entries[i] = w.newEntry()
	}
	if w.record(ctx, w.some(), entries...) {
		w.remember(entries[0])
	}
}

// again sends a charge that was recorded, with another amount now and then.
func (w *writer) again(ctx context.Context) {
	e := w.take()
	if e == nil {
		return
	}
	a := &recording{entries: []*entry{e}, byGraphQL: w.rng.IntN(3) == 0, servers: w.some()}
	if w.rng.IntN(4) == 0 && e.kind != kindTrial {
		a.instead = e.minor + 1
	}
	if w.do(ctx, a) {
		w.remember(e)
	}
}

// refund refunds a charge: all of it under its id, a part under another, or more than is left.
func (w *writer) refund(ctx context.Context) {
	e := w.take()
	if e == nil || e.kind == kindTrial {
		return
	}
	left := e.minor - e.refunded()
	back := &entry{id: w.next("r"), kind: kindRefund, of: e.id}
	switch dice := w.rng.IntN(8); {
	case dice == 0 || left == 0:
		back.minor, back.isOver = left+1, true
	case dice < 4 && w.entries[key{e.id, true}] == nil:
		back.id, back.of, back.minor = e.id, "", left
	default:
		back.minor = 1 + w.rng.Int64N(left)
	}
	e.refunds = append(e.refunds, back)
	if w.record(ctx, w.some(), back) {
		w.remember(e)
	}
}

// refundFirst sends a refund before its charge.
func (w *writer) refundFirst(ctx context.Context) {
	e := w.newEntry()
	if e.kind == kindTrial {
		return
	}
	back := &entry{id: w.next("r"), kind: kindRefund, of: e.id, minor: 1 + w.rng.Int64N(e.minor)}
	e.refunds = []*entry{back}
	known := w.record(ctx, w.some(), back)
	if w.record(ctx, w.some(), e) && known {
		w.remember(e)
	}
}

// delete deletes a charge and the refund of its id; some are recorded again.
func (w *writer) delete(ctx context.Context) {
	e := w.take()
	if e == nil {
		return
	}
	gone := []*entry{e}
	if back := w.entries[key{e.id, true}]; back != nil {
		gone = append(gone, back)
	}
	if !w.do(ctx, &deleting{gone, url.Values{"transaction_id": {e.id}}, w.server()}) || w.rng.IntN(3) > 0 || e.refunded() > e.minor {
		return
	}
	w.do(ctx, &recording{entries: []*entry{e}, servers: w.some()})
}

// deleteMany records payments of a visitor at one time of their own, and deletes them by either.
func (w *writer) deleteMany(ctx context.Context) {
	visitor := w.next("gone")
	at := longAgo.Add(-time.Duration(w.n*1_000_000+w.serial) * time.Second).UTC().Format(time.RFC3339)
	entries := make([]*entry, 1+w.rng.IntN(8))
	for i := range entries {
		entries[i] = w.newEntry()
		entries[i].visitor, entries[i].at = visitor, at
	}
	if !w.record(ctx, []*server{w.server()}, entries...) {
		return
	}
	filter := url.Values{"datafast_visitor_id": {visitor}}
	if w.rng.IntN(2) == 0 {
		filter = url.Values{"startAt": {at}, "endAt": {at}}
	}
	w.do(ctx, &deleting{entries, filter, w.server()})
}
