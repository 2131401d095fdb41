package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

const erasePerson = `mutation ($input: ErasePersonInput!) {
	erasePerson(input: $input) { id dryRun emails customerIds visitorIds payments othersPayments visits events unproven }
}`

func TestErasePerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visit("v", vars{"url": "https://shop.example/?utm_source=news"})
	b.pay("t1", vars{"visitorId": "v", "email": "Ada@Shop.example", "customerId": "c1", "name": "Ada", "metadata": vars{"plan": "pro"}})
	b.pay("t2", vars{"visitorId": "other", "email": "bob@shop.example"})
	const revenue = `{ revenue { net { amount } charges } revenueOverTime(range: {from: "2026-05-01T00:00:00Z"}) { revenue { net { amount } } } }`
	before := b.ask(revenue, nil).value

	input := vars{"email": "ada@shop.example", "dryRun": true}
	would := b.ask(erasePerson, vars{"input": input})
	require.Equal(t, []any{nil, true, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0}, fields(would, "erasePerson.",
		"id", "dryRun", "emails", "customerIds", "visitorIds", "payments", "othersPayments", "visits", "events", "unproven"))
	input["dryRun"] = false
	did := b.ask(erasePerson, vars{"input": input})
	require.NotEmpty(t, did.at("erasePerson.id"))
	require.Equal(t, false, did.at("erasePerson.dryRun"))
	require.Equal(t, before, b.ask(revenue, nil).value)

	const entry = `{ payments(filter: {transactionId: "t1"}) { edges { node {
		erased visitorId visitor { id } sessionId customerId email name metadata attribution amount { amount } } } } visitor(id: "v") { id } }`
	got := b.ask(entry, nil)
	require.Equal(t, []any{true, nil, nil, nil, nil, nil, nil, nil, "NONE", "10.00"}, fields(got, "payments.edges.0.node.",
		"erased", "visitorId", "visitor", "sessionId", "customerId", "email", "name", "metadata", "attribution", "amount.amount"))
	require.Nil(t, got.at("visitor"))
	sources := b.ask(`{ revenueBy(dimension: SOURCE) { edges { node { key } } unattributed { net { amount } } } }`, nil)
	require.Equal(t, "20.00", sources.at("revenueBy.unattributed.net.amount"), "without visits, the revenue is credited to nothing")

	for name, test := range map[string]struct {
		input vars
		code  model.Code
		field string
	}{
		"nobody":             {vars{"dryRun": true}, model.CodeMissingFilter, ""},
		"by two":             {vars{"email": "a@b", "visitorId": "v"}, model.CodeConflictingFields, ""},
		"no e-mail":          {vars{"email": "ada"}, model.CodeInvalidField, "email"},
		"no customer":        {vars{"customerId": ""}, model.CodeInvalidField, "customerId"},
		"no visitor":         {vars{"visitorId": "\n"}, model.CodeInvalidField, "visitorId"},
		"a suspended site's": {vars{"email": "bob@shop.example"}, model.CodeWebsiteSuspended, ""},
	} {
		if test.code == model.CodeWebsiteSuspended {
			require.NoError(t, b.store.SuspendWebsite(t.Context(), b.site.ID, true))
		}
		fault := b.refused(erasePerson, vars{"input": test.input})
		require.Equal(t, []any{string(test.code), test.field}, []any{fault.Extensions.Code, fault.Extensions.Field}, name)
		require.NoError(t, b.store.SuspendWebsite(t.Context(), b.site.ID, false))
	}
}

// fields are the values of some fields below a path.
func fields(n node, path string, names ...string) (values []any) {
	for _, name := range names {
		values = append(values, n.at(path+name))
	}
	return values
}
