package main

import (
	"context"
	"fmt"
	"io"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/demo"
	"tributary/internal/server/pages"
	"tributary/model"
)

// demoView is the demonstration of a running server: a website with data, and what to try it with.
type demoView struct {
	WebsiteID string `json:"website_id"`
	Key       string `json:"key"`
	VisitorID string `json:"visitor_id"` // a known one; "" if all payments of the demo were deleted
}

// openDemo finds or makes the demo website, with the key of the last start if it is still valid.
func (a *app) openDemo(ctx context.Context, store *db.Store, resolver *graph.Resolver) (*demoView, error) {
	site, err := demo.Seed(ctx, store, resolver.Mutation(), now(), func(total int) {
		a.log.Info("creating the demo's data", "records", total)
	})
	if err != nil {
		return nil, err
	}
	key, err := demo.Key(ctx, store, string(a.DataDir), site, now())
	if err != nil {
		return nil, err
	}
	visitor, err := payingVisitor(ctx, store, site)
	return &demoView{WebsiteID: site.ID, Key: key, VisitorID: visitor}, err
}

// payingVisitor is who the latest payment is credited to.
func payingVisitor(ctx context.Context, store *db.Store, site model.Website) (string, error) {
	found, err := store.Payments(ctx, site, model.PaymentQuery{
		PaymentFilter: model.PaymentFilter{Attributed: new(true)}, Page: model.Page{First: 1},
	})
	if err != nil || len(found.Edges) == 0 {
		return "", err
	}
	return *found.Edges[0].Node.VisitorID, nil
}

// playground opens with the demo's key and examples, if there is a demo.
func (d *demoView) playground() pages.Playground {
	if d == nil {
		return pages.Playground{}
	}
	playground := pages.Playground{Key: d.Key}
	for _, operation := range demo.Operations() {
		playground.Tabs = append(playground.Tabs, pages.Tab{Query: operation.Query, Variables: operation.Variables})
	}
	return playground
}

// write shows a person what to try.
func (d *demoView) write(out io.Writer, p placeView) {
	id := now().Format("demo_20060102_150405") // another at each start: a payment is recorded only once
	payment := `{"amount": 29.99, "currency": "USD", "transaction_id": "` + id + `"`
	if d.VisitorID != "" {
		payment += `, "datafast_visitor_id": "` + d.VisitorID + `"`
	}
	query := `{"query": "{ payments(filter: {transactionId: \"` + id + `\"}) { edges { node { transactionId amount { amount currency } ` +
		`attribution visitor { id firstVisit { source } revenue { net { amount currency } } } } } } }"}`
	headers := "  -H 'Authorization: Bearer " + d.Key + "' -H 'Content-Type: application/json' \\\n"
	fmt.Fprintf(out, "The website %s has demo data. Its key is\n\n  %s\n\n", demo.Domain, d.Key)
	fmt.Fprintf(out, "Record a payment, in another terminal:\n\ncurl %s \\\n%s  -d '%s}'\n\n", p.Payments, headers, payment)
	fmt.Fprintf(out, "Ask in GraphQL who brought it:\n\ncurl %s \\\n%s  -d '%s'\n\n", p.GraphQL, headers, query)
}
