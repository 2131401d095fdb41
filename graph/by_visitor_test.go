package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

const revenueByVisitor = `query ($range: TimeRange, $filter: VisitorRevenueFilter, $orderBy: VisitorRevenueOrder, $first: Int, $after: String) {
	revenueByVisitor(range: $range, filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
		edges { cursor node { visitor { id seen } revenue { gross { amount } net { amount } charges renewals } firstPaymentAt lastPaymentAt } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
	}
}`

// visitors lists who a query finds, in order.
func (b *bundle) visitors(v vars) []any {
	b.t.Helper()
	return b.ask(revenueByVisitor, v).each("revenueByVisitor.edges", "node.visitor.id")
}

// shop is a website with visitors, among whom there are ties in every order.
func shop(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	for i, visit := range []vars{
		{"url": "https://shop.example/?utm_source=news&utm_campaign=spring", "country": "DE"},
		{"url": "https://shop.example/?utm_source=news&utm_campaign=fall", "country": "FR"},
		{"referrer": "https://www.search.example/?q=x", "country": "DE"},
		{},
	} {
		visit["occurredAt"] = "2026-04-30T10:00:00Z"
		b.visit(fmt.Sprint("v", i+1), visit)
	}
	b.visit("v1", vars{"url": "https://shop.example/?utm_source=later&utm_campaign=later", "country": "IT", "occurredAt": "2026-05-21T10:00:00Z"})
	for i, p := range []struct {
		visitor, amount string
		fields          vars
	}{
		{"v1", "20", vars{"occurredAt": "2026-05-01T00:00:00Z"}}, {"v1", "10", vars{"renewal": true, "occurredAt": "2026-05-03T00:00:00Z"}},
		{"v2", "30", vars{"occurredAt": "2026-05-02T00:00:00Z"}}, {"v2", "5", vars{"refunded": true, "occurredAt": "2026-05-03T00:00:00Z"}},
		{"v3", "25", vars{"occurredAt": "2026-05-03T00:00:00Z"}}, {"v4", "0", vars{"occurredAt": "2026-05-04T00:00:00Z"}},
		{"v5", "4", vars{"refunded": true, "occurredAt": "2026-05-02T00:00:00Z"}}, {"v6", "8", vars{"currency": "EUR", "occurredAt": "2026-05-02T00:00:00Z"}},
	} {
		p.fields["amount"], p.fields["visitorId"] = p.amount, p.visitor
		b.pay(fmt.Sprint("t", i), p.fields)
	}
	b.pay("nobody's", vars{"amount": "1000"})
	return b
}

func TestRevenueByVisitor(t *testing.T) {
	t.Parallel()
	b := shop(t)

	t.Run("pages give the same list as the whole, in every order", func(t *testing.T) {
		t.Parallel()
		for field, descending := range map[string][]any{
			"NET":             {"v1", "v3", "v2", "v6", "v4", "v5"},
			"GROSS":           {"v2", "v1", "v3", "v6", "v5", "v4"},
			"LAST_PAYMENT_AT": {"v4", "v3", "v2", "v1", "v6", "v5"},
			"PAYMENTS":        {"v1", "v6", "v3", "v2", "v5", "v4"},
		} {
			for _, direction := range []string{"DESC", "ASC"} {
				want := slices.Clone(descending)
				if direction == "ASC" {
					slices.Reverse(want)
				}
				order := vars{"field": field, "direction": direction}
				require.Equal(t, want, b.visitors(vars{"orderBy": order, "first": 100}), order)
				for first := 1; first <= 3; first++ {
					require.Equal(t, want, b.paged(t, vars{"orderBy": order, "first": first}, len(want)), "%v by %d", order, first)
				}
			}
		}
		require.Equal(t, b.visitors(nil), b.visitors(vars{"orderBy": vars{"field": "NET", "direction": "DESC"}}), "by default")
	})

	t.Run("pages on after an id that is as long in a cursor as any", func(t *testing.T) {
		t.Parallel()
		b := b.another(t)
		ids := []any{strings.Repeat("<", 254) + "b", strings.Repeat("<", 255)}
		for i, id := range ids {
			b.pay(fmt.Sprint("t", i), vars{"visitorId": id})
		}
		require.Equal(t, ids, b.paged(t, vars{"first": 1}, len(ids)))
	})

	t.Run("tells what each brought", func(t *testing.T) {
		t.Parallel()
		got := b.ask(revenueByVisitor, vars{"filter": vars{"visitorIds": []string{"v2"}}})
		require.Equal(t, map[string]any{
			"visitor": map[string]any{"id": "v2", "seen": true}, "firstPaymentAt": "2026-05-02T00:00:00Z", "lastPaymentAt": "2026-05-03T00:00:00Z",
			"revenue": map[string]any{"gross": map[string]any{"amount": "30.00"}, "net": map[string]any{"amount": "25.00"}, "charges": 1.0, "renewals": 0.0},
		}, got.at("revenueByVisitor.edges.0.node"))
	})

	t.Run("filters", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			v    vars
			want []any
		}{
			"by the first visit's source":    {vars{"filter": vars{"source": "news"}}, []any{"v1", "v2"}},
			"by a referrer":                  {vars{"filter": vars{"source": "search.example"}}, []any{"v3"}},
			"by channel":                     {vars{"filter": vars{"channel": "REFERRAL"}}, []any{"v3"}},
			"by another channel":             {vars{"filter": vars{"channel": "OTHER"}}, []any{"v1", "v2"}},
			"by source and channel":          {vars{"filter": vars{"source": "news", "channel": "REFERRAL"}}, []any{}},
			"not by a later visit":           {vars{"filter": vars{"source": "later"}}, []any{}},
			"by campaign":                    {vars{"filter": vars{"campaign": "fall"}}, []any{"v2"}},
			"by country, in any letter case": {vars{"filter": vars{"country": "de"}}, []any{"v1", "v3"}},
			"by all of them":                 {vars{"filter": vars{"country": "DE", "source": "news", "campaign": "spring"}}, []any{"v1"}},
			"by net revenue":                 {vars{"filter": vars{"minNet": "25"}}, []any{"v1", "v3", "v2"}},
			"by net revenue below zero":      {vars{"filter": vars{"minNet": "-4"}}, []any{"v1", "v3", "v2", "v6", "v4", "v5"}},
			"and just above":                 {vars{"filter": vars{"minNet": "-3.99"}}, []any{"v1", "v3", "v2", "v6", "v4"}},
			"by visitors":                    {vars{"filter": vars{"visitorIds": []string{"v5", "v1", "unknown"}}}, []any{"v1", "v5"}},
			"by no visitors":                 {vars{"filter": vars{"visitorIds": []string{}}}, []any{}},
			"by a range, which limits the revenue too": {
				vars{"range": vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-03T00:00:00Z"}}, []any{"v2", "v6", "v5"},
			},
			"by a range and net revenue in it": {
				vars{"range": vars{"from": "2026-05-03T00:00:00Z"}, "filter": vars{"minNet": "10"}}, []any{"v3", "v1"},
			},
		} {
			require.Equal(t, test.want, b.visitors(test.v), name)
		}
	})

	t.Run("refuses what cannot be asked", func(t *testing.T) {
		t.Parallel()
		many := make([]string, 1001)
		for i := range many {
			many[i] = fmt.Sprint("v", i)
		}
		for _, test := range []struct {
			want, field string
			v           vars
		}{
			{"TOO_MANY_ITEMS", "visitorIds", vars{"filter": vars{"visitorIds": many}}},
			{"INVALID_FIELD", "visitorIds", vars{"filter": vars{"visitorIds": []string{"v\u0000"}}}},
			{"INVALID_FIELD", "source", vars{"filter": vars{"source": "a\u0000"}}},
			{"INVALID_FIELD", "channel", vars{"filter": vars{"channel": "referral"}}},
			{"INVALID_FIELD", "campaign", vars{"filter": vars{"campaign": "a\u0000"}}},
			{"INVALID_FIELD", "country", vars{"filter": vars{"country": "Germany"}}},
			{"INVALID_AMOUNT", "minNet", vars{"filter": vars{"minNet": "--1"}}},
			{"AMOUNT_PRECISION", "minNet", vars{"filter": vars{"minNet": "1.001"}}},
			{"INVALID_RANGE", "range", vars{"range": vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}}},
			{"INVALID_FIELD", "orderBy", vars{"orderBy": vars{"field": "net", "direction": "asc"}}},
		} {
			got := b.refused(revenueByVisitor, test.v)
			require.Equal(t, []any{test.want, test.field}, []any{got.Extensions.Code, got.Extensions.Field}, test.v)
		}
	})
}

// paged follows the cursors to the end and puts the pages together.
func (b *bundle) paged(t *testing.T, v vars, most int) []any {
	t.Helper()
	all := []any{}
	for page := 0; page <= most; page++ {
		got := b.ask(revenueByVisitor, v)
		edges := got.at("revenueByVisitor.edges").([]any)
		all = append(all, got.each("revenueByVisitor.edges", "node.visitor.id")...)
		require.Equal(t, page > 0, got.at("revenueByVisitor.pageInfo.hasPreviousPage"))
		require.Equal(t, node{edges[0]}.at("cursor"), got.at("revenueByVisitor.pageInfo.startCursor"))
		require.Equal(t, node{edges[len(edges)-1]}.at("cursor"), got.at("revenueByVisitor.pageInfo.endCursor"))
		if got.at("revenueByVisitor.pageInfo.hasNextPage") == false {
			return all
		}
		v["after"] = got.at("revenueByVisitor.pageInfo.endCursor")
	}
	t.Fatal("the pages do not end")
	return nil
}

// deletingStore deletes a visitor's payments as soon as they have been read.
type deletingStore struct{ graph.Store }

func (s deletingStore) RevenueByVisitor(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) (*model.VisitorRevenueConnection, error) {
	page, err := s.Store.RevenueByVisitor(ctx, site, query)
	if err != nil {
		return nil, err
	}
	visitor := page.Edges[0].Node.VisitorID
	_, err = s.DeletePayments(ctx, site, "token", model.Deletion{VisitorID: &visitor}, today)
	return page, err
}

func TestRevenueByVisitor_besideDeletes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("t", vars{"visitorId": "v"})
	b.serve(deletingStore{b.store})
	got := b.ask(`{ revenueByVisitor { edges { node { visitor { id seen } } } } }`, nil)
	require.Equal(t, []any{"v"}, got.each("revenueByVisitor.edges", "node.visitor.id"))
	require.Equal(t, []any{false}, got.each("revenueByVisitor.edges", "node.visitor.seen"))
}
