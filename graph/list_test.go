package graph_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

const listPayments = `query ($filter: PaymentFilter, $first: Int, $after: String) {
	payments(filter: $filter, first: $first, after: $after) { edges { cursor node { transactionId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
}`

func (b *bundle) transactions(v vars) []any {
	b.t.Helper()
	return b.ask(listPayments, v).each("payments.edges", "node.transactionId")
}

func TestPayments(t *testing.T) {
	t.Parallel()

	t.Run("lists the latest first, in pages without gaps", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for i := range 7 { // three at one time
			b.pay(fmt.Sprint("t", i), vars{"occurredAt": fmt.Sprintf("2026-05-0%dT00:00:00.000001Z", max(1, i-2))})
		}
		whole := b.transactions(nil)
		require.Equal(t, []any{"t6", "t5", "t4", "t3", "t2", "t1", "t0"}, whole)
		for first := 1; first <= 4; first++ {
			var all []any
			var after any
			for range len(whole) {
				got := b.ask(listPayments, vars{"first": first, "after": after})
				all = append(all, got.each("payments.edges", "node.transactionId")...)
				after = got.at("payments.pageInfo.endCursor")
				if got.at("payments.pageInfo.hasNextPage") == false {
					break
				}
			}
			require.Equal(t, whole, all, first)
		}
		last := b.ask(listPayments, nil).at("payments.pageInfo.endCursor")
		require.Equal(t, map[string]any{"hasNextPage": false, "hasPreviousPage": true, "startCursor": nil, "endCursor": nil},
			b.ask(listPayments, vars{"after": last}).at("payments.pageInfo"), "nothing follows the end")
	})

	t.Run("filters", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.visit("v", nil)
		b.pay("charge", vars{"visitorId": "v", "customerId": "c", "occurredAt": "2026-05-05T00:00:00Z"})
		b.pay("renewal", vars{"renewal": true, "customerId": "c", "occurredAt": "2026-05-04T00:00:00Z"})
		b.pay("trial", vars{"amount": "0", "visitorId": "unseen", "occurredAt": "2026-05-03T00:00:00Z"})
		b.pay("charge", vars{"refunded": true, "occurredAt": "2026-05-02T00:00:00Z"})
		for name, test := range map[string]struct {
			filter vars
			want   []any
		}{
			"none":                     {nil, []any{"charge", "renewal", "trial", "charge"}},
			"transaction":              {vars{"transactionId": "charge"}, []any{"charge", "charge"}},
			"visitor":                  {vars{"visitorId": "v"}, []any{"charge", "renewal", "charge"}},
			"visitor who was not seen": {vars{"visitorId": "unseen"}, []any{"trial"}},
			"customer":                 {vars{"customerId": "c"}, []any{"charge", "renewal"}},
			"kinds":                    {vars{"kinds": []string{"REFUND", "FREE_TRIAL"}}, []any{"trial", "charge"}},
			"attributed":               {vars{"attributed": true}, []any{"charge", "renewal", "charge"}},
			"not attributed":           {vars{"attributed": false}, []any{"trial"}},
			"range":                    {vars{"range": vars{"from": "2026-05-03T00:00:00Z", "to": "2026-05-05T00:00:00Z"}}, []any{"renewal", "trial"}},
			"all of them":              {vars{"visitorId": "v", "customerId": "c", "kinds": []string{"RENEWAL"}, "attributed": true, "transactionId": "renewal"}, []any{"renewal"}},
			"what nothing is":          {vars{"customerId": "C"}, []any{}},
		} {
			require.Equal(t, test.want, b.transactions(vars{"filter": test.filter}), name)
		}
		for _, field := range []string{"visitorId", "customerId", "transactionId"} {
			got := b.refused(listPayments, vars{"filter": vars{field: "a\u0000b"}})
			require.Equal(t, []any{"INVALID_FIELD", field}, []any{got.Extensions.Code, got.Extensions.Field})
		}
		require.Equal(t, "INVALID_FIELD", b.refused(listPayments, vars{"filter": vars{"kinds": []string{"charge"}}}).Extensions.Code)
	})
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := shop(t)
	queries := map[string]string{
		"payments":         `payments(first: $first, after: $after) { pageInfo { endCursor } }`,
		"revenueByVisitor": `revenueByVisitor(first: $first, after: $after) { pageInfo { endCursor } }`,
		"visitor.visits":   `visitor(id: "v1") { visits(first: $first, after: $after) { pageInfo { endCursor } } }`,
		"visitor.payments": `visitor(id: "v1") { payments(first: $first, after: $after) { pageInfo { endCursor } } }`,
	}
	cursors := map[string]any{}
	for name, query := range queries {
		cursors[name] = b.ask(`query ($first: Int, $after: String) { `+query+` }`, vars{"first": 1}).at(name + ".pageInfo.endCursor")
		require.NotEmpty(t, cursors[name])
	}
	text := base64.RawURLEncoding.EncodeToString
	for name, query := range queries {
		query = `query ($first: Int, $after: String) { ` + query + ` }`
		t.Run(name+" refuses sizes beyond 1 to 100", func(t *testing.T) {
			t.Parallel()
			for _, first := range []int{0, -1, 101, 99999999} {
				got := b.refused(query, vars{"first": first})
				require.Equal(t, []any{"TOO_MANY_ITEMS", "first"}, []any{got.Extensions.Code, got.Extensions.Field}, first)
			}
			b.ask(query, vars{"first": 100})
		})
		t.Run(name+" refuses cursors that are not its own", func(t *testing.T) {
			t.Parallel()
			garbage := []any{
				"", "x", "💥", "AAAA", text([]byte(`{}`)), text([]byte(`[]`)), text([]byte(`{"o":"payments","k":"x","i":"x"}`)), text(make([]byte, 3000)),
				text([]byte(`{"o":"payments","k":"0000-01-01T00:00:00Z","i":"018f0000-0000-7000-8000-000000000000"}`)),
				text([]byte(`{"o":"visits","k":"2026-05-20T12:00:00Z","i":"not a uuid"}`)),
				text([]byte(`{"o":"NET DESC","k":"1e9","i":"v1"}`)), text([]byte(`{"o":"NET DESC","k":"","i":"v1"}`)), text([]byte(`{"o":"NET DESC","k":"1","i":"v\u0000"}`)),
			}
			for other, cursor := range cursors {
				if other != name && !(name == "payments" && other == "visitor.payments") && !(name == "visitor.payments" && other == "payments") {
					garbage = append(garbage, cursor)
				}
			}
			for _, after := range garbage {
				got := b.refused(query, vars{"after": after})
				require.Equal(t, []any{"INVALID_CURSOR", "after"}, []any{got.Extensions.Code, got.Extensions.Field}, after)
			}
		})
		t.Run(name+" shows nothing of a website by another's cursor", func(t *testing.T) {
			t.Parallel()
			other := b.another(t)
			data, faults := other.query(other.key, query, vars{"after": cursors[name]})
			require.Empty(t, faults)
			require.Nil(t, data.at(name+".pageInfo.endCursor"))
		})
	}

	t.Run("cursors of another order are refused", func(t *testing.T) {
		t.Parallel()
		for order, key := range map[string]string{"LAST_PAYMENT_AT ASC": "0000-05-01 00:00:00+00", "PAYMENTS DESC": "99999999999999999999", "GROSS ASC": "1-2"} {
			var field, direction string
			_, err := fmt.Sscan(order, &field, &direction)
			require.NoError(t, err)
			by := vars{"field": field, "direction": direction}
			for _, after := range []any{cursors["revenueByVisitor"], text([]byte(`{"o":"` + order + `","k":"` + key + `","i":"v1"}`))} {
				require.Equal(t, "INVALID_CURSOR", b.refused(revenueByVisitor, vars{"orderBy": by, "after": after}).Extensions.Code, order)
			}
		}
	})
}

func TestWebsites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.website(model.Website{Timezone: "Europe/Paris", Currency: "EUR"})
	foreign, err := b.store.CreateAccount(t.Context(), model.Account{Name: "other", CreatedAt: today})
	require.NoError(t, err)
	b.website(model.Website{AccountID: foreign.ID})
	const fields = `{ id trackingId domain name timezone currency suspended createdAt }`
	shown := map[string]any{
		"id": second.ID, "trackingId": second.TrackingID, "domain": "shop.example", "name": "Shop", "timezone": "Europe/Paris",
		"currency": "EUR", "suspended": false, "createdAt": "2026-05-20T12:00:00Z",
	}
	_, account := b.token(model.Token{AccountID: b.site.AccountID, Scopes: []model.Scope{model.ScopeWebsitesRead}})
	_, limited := b.token(model.Token{WebsiteIDs: []string{second.ID}, Scopes: []model.Scope{model.ScopeAll}})
	for name, test := range map[string]struct {
		token string
		want  []any
	}{"a key": {b.key, []any{b.site.ID}}, "an account token": {account, []any{b.site.ID, second.ID}}, "one limited to a website": {limited, []any{second.ID}}} {
		got, faults := b.query(test.token, `{ websites `+fields+` }`, nil)
		require.Empty(t, faults)
		require.ElementsMatch(t, test.want, got.each("websites", "id"), name)
	}
	got, faults := b.query(account, `query ($id: ID) { website(id: $id) `+fields+` }`, vars{"id": second.ID})
	require.Empty(t, faults)
	require.Equal(t, shown, got.at("website"))
	require.Equal(t, b.site.ID, b.ask(`{ website { id } }`, nil).at("website.id"))
}
