package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// act is something that a writer asks of the servers, and asks again until it knows what became of it.
type act interface {
	// try asks, and says whether the outcome is known.
	try(ctx context.Context, w *writer, isFirst bool) (known bool)
}

// recording records entries, by as many requests at the same time as there are servers to send them to.
type recording struct {
	entries   []*entry
	byGraphQL bool
	servers   []*server
	// instead, if it is not 0, is another amount for an entry that was recorded: nothing must change.
	instead int64
}

func (a *recording) try(ctx context.Context, w *writer, isFirst bool) (known bool) {
	answers := make([][]outcome, len(a.servers))
	var copies sync.WaitGroup
	for i, s := range a.servers {
		copies.Go(func() { answers[i] = a.send(ctx, w, s) })
	}
	copies.Wait()
	known = true
	for n, e := range a.entries {
		var got []outcome
		for _, answer := range answers {
			got = append(got, answer[n])
		}
		isNew := isFirst && e.state == absent
		known = e.learn(w.report, w.name(e), isNew, got) && known
	}
	return known
}

// send sends one request and says what it did to each of the entries.
func (a *recording) send(ctx context.Context, w *writer, s *server) []outcome {
	if len(a.entries) > 1 {
		return a.sendBatch(ctx, w, s)
	}
	if a.byGraphQL {
		var data struct {
			RecordPayment *struct{ Outcome string }
		}
		code, known := w.client.query(ctx, s, w.site.Key, `mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) { outcome } }`,
			map[string]any{"input": a.input(a.entries[0])}, &data)
		if !known || code == "" && data.RecordPayment == nil {
			return []outcome{noAnswer}
		}
		if code != "" {
			return []outcome{refused}
		}
		return []outcome{outcomeOf(data.RecordPayment.Outcome)}
	}
	got := w.client.send(ctx, s, w.site.Key, http.MethodPost, "/api/v1/payments", a.body(a.entries[0]))
	switch {
	case !got.isKnown():
		return []outcome{noAnswer}
	case got.status != http.StatusOK:
		return []outcome{refused}
	case strings.Contains(string(got.body), `"Payment already recorded`):
		return []outcome{duplicate}
	}
	return []outcome{recorded}
}

func (a *recording) sendBatch(ctx context.Context, w *writer, s *server) []outcome {
	inputs := make([]map[string]any, len(a.entries))
	for i, e := range a.entries {
		inputs[i] = a.input(e)
	}
	var data struct {
		RecordPayments *struct {
			Results []struct {
				Payload *struct{ Outcome string }
				Error   *struct{ Code string }
			}
		}
	}
	_, known := w.client.query(ctx, s, w.site.Key, `mutation ($input: RecordPaymentsInput!) { recordPayments(input: $input) {
		results { payload { outcome } error { code } } } }`, map[string]any{"input": map[string]any{"payments": inputs}}, &data)
	outcomes := make([]outcome, len(a.entries))
	if !known || data.RecordPayments == nil {
		return outcomes
	}
	for i, result := range data.RecordPayments.Results {
		if outcomes[i] = refused; result.Payload != nil {
			outcomes[i] = outcomeOf(result.Payload.Outcome)
		}
	}
	return outcomes
}

func outcomeOf(name string) outcome {
	if name == "DUPLICATE" {
		return duplicate
	}
	return recorded
}

func (a *recording) amount(e *entry) json.Number {
	if a.instead != 0 {
		return json.Number(decimal(a.instead))
	}
	return json.Number(decimal(e.minor))
}

// body is an entry as REST has it.
func (a *recording) body(e *entry) map[string]any {
	return withGiven(map[string]any{
		"transaction_id": e.id, "amount": a.amount(e), "currency": "USD",
		"renewal": e.kind == kindRenewal, "refunded": e.isRefund(), "is_free_trial": e.kind == kindTrial,
	}, map[string]string{
		"datafast_visitor_id": e.visitor, "timestamp": e.at, "refund_of": e.of, "customer_id": e.customer, "email": e.email,
	})
}

// input is an entry as GraphQL has it.
func (a *recording) input(e *entry) map[string]any {
	return withGiven(map[string]any{
		"transactionId": e.id, "amount": a.amount(e).String(), "currency": "USD",
		"renewal": e.kind == kindRenewal, "refunded": e.isRefund(), "freeTrial": e.kind == kindTrial,
	}, map[string]string{
		"visitorId": e.visitor, "occurredAt": e.at, "refundOf": e.of, "customerId": e.customer, "email": e.email,
	})
}

func withGiven(fields map[string]any, given map[string]string) map[string]any {
	for name, value := range given {
		if value != "" {
			fields[name] = value
		}
	}
	return fields
}

// deleting deletes entries: all that the filter selects.
type deleting struct {
	entries []*entry
	filter  url.Values // of REST
	server  *server
}

func (a *deleting) try(ctx context.Context, w *writer, isFirst bool) (known bool) {
	expected := 0
	for _, e := range a.entries {
		if e.state != absent {
			expected++
		}
	}
	got := w.client.send(ctx, a.server, w.site.Key, http.MethodDelete, "/api/v1/payments?"+a.filter.Encode(), nil)
	if !got.isKnown() {
		w.report.count(func(f *figures) { f.unknown++ })
		for _, e := range a.entries {
			e.state = unsure
		}
		if isFirst {
			w.deletedMax += expected
		}
		return false
	}
	var answer struct{ Data []struct{ Deleted int } }
	deleted := 0
	if got.status == http.StatusOK && json.Unmarshal(got.body, &answer) == nil && len(answer.Data) > 0 {
		deleted = answer.Data[0].Deleted
	}
	switch name := fmt.Sprintf("deleting %s of %s", a.filter.Encode(), w.site.Domain); {
	case got.status != http.StatusOK && got.status != http.StatusNotFound:
		w.report.breach(wrong, "%s: %d %s", name, got.status, got.body)
	case isFirst && deleted < expected:
		w.report.breach(lost, "%s found %d of %d entries that were acknowledged", name, deleted, expected)
	case deleted > expected:
		w.report.breach(doubled, "%s found %d entries, of %d", name, deleted, expected)
	}
	w.report.count(func(f *figures) { f.acknowledged++ })
	for _, e := range a.entries {
		e.state = absent
	}
	w.deletedMin += deleted
	if isFirst {
		w.deletedMax += expected
	}
	return true
}

// viewing is a pageview.
type viewing struct {
	visitor string
	server  *server
}

func (a *viewing) try(ctx context.Context, w *writer, _ bool) (known bool) {
	v := w.visitors[a.visitor]
	if v == nil {
		v = &views{}
		w.visitors[a.visitor] = v
	}
	v.sent++
	got := w.client.send(ctx, a.server, "", http.MethodPost, "/api/events", map[string]any{
		"websiteId": w.site.TrackingID, "domain": w.site.Domain, "visitorId": a.visitor, "sessionId": "s" + a.visitor,
		"type": "pageview", "href": "https://" + w.site.Domain + "/?utm_source=faults",
	})
	if known = w.heard(got, "a pageview of "+w.site.Domain); known {
		v.acknowledged++
	}
	return known
}

// heard notes the answer to an event, and says whether there was one.
func (w *writer) heard(got answer, what string) (known bool) {
	switch {
	case !got.isKnown():
		w.report.count(func(f *figures) { f.unknown++ })
		return false
	case got.status != http.StatusOK:
		w.report.breach(wrong, "%s: %d %s", what, got.status, got.body)
	}
	w.report.count(func(f *figures) { f.acknowledged++ })
	return true
}
