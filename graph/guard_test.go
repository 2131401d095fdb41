package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// way leads from payments to payments without end.
var way = []string{"payments(first: 1)", "edges", "node", "visitor"}

// deep is a selection set of so many fields inside one another, from a step of the way on.
func deep(fields, from int) string {
	var text strings.Builder
	for i := range fields {
		text.WriteString("{ " + way[(from+i)%len(way)] + " ")
	}
	return text.String() + "{ __typename }" + strings.Repeat(" }", fields)
}

// aliases are selections of one scalar under other names.
func aliases(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "a%d_%d: id ", n, i)
	}
	return text.String()
}

// bomb is a query whose fragments each spread the next one twice.
func bomb(fragments int, last string) string {
	var text strings.Builder
	text.WriteString(`{ visitor(id: "v") { ...f0 } }`)
	for i := range fragments {
		fmt.Fprintf(&text, " fragment f%d on Visitor { ...f%d ...f%[2]d }", i, i+1)
	}
	fmt.Fprintf(&text, " fragment f%d on Visitor { %s }", fragments, last)
	return text.String()
}

func TestGuard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("t1", vars{"visitorId": "v"})

	const (
		tooDeep = "the query is nested more than 10 levels deep: "
		// below costs 102 for each of a page's payments, so that a page of 9 passes and one of 10 does not.
		below    = `{ edges { node { visitor { payments(first: 100) { edges { cursor } } } } } }`
		variable = `query ($first: Int) { payments(first: $first) ` + below + ` }`
	)
	costs := func(n int) string {
		return fmt.Sprintf("the query costs about %d, more than 1000: ", n)
	}
	const typeAliases = `a: type { fields { args { name } } } b: type { fields { args { name } } } c: type { fields { args { name } } }`
	tree := strings.Repeat("payments(first: 100) { edges { node { visitor { ", 12) + "id" + strings.Repeat(" } } } }", 12)
	for name, test := range map[string]struct {
		query   string
		v       vars
		message string // how it begins; "" when the query is run
	}{
		"10 levels":                      {deep(10, 0), nil, ""},
		"11 levels":                      {deep(11, 0), nil, tooDeep},
		"10 levels, in fragments":        {`{ payments { ...c } } fragment c on PaymentConnection { edges { ...e } } fragment e on PaymentEdge ` + deep(8, 2), nil, ""},
		"11 levels, in fragments":        {`{ payments { ...c } } fragment c on PaymentConnection { edges { ...e } } fragment e on PaymentEdge ` + deep(9, 2), nil, tooDeep},
		"10 levels, in inline fragments": {`{ ... { payments { ... on PaymentConnection ` + deep(9, 1) + ` } } }`, nil, ""},
		"11 levels, in inline fragments": {`{ ... { payments { ... on PaymentConnection ` + deep(10, 1) + ` } } }`, nil, tooDeep},
		"a fragment at two depths":       {`{ websites { id } visitor(id: "v") { ...v a: payments { edges { node { visitor { ...v } } } } } } fragment v on Visitor ` + deep(6, 0), nil, tooDeep},
		"12 lists in each other":         {`{ ` + tree + ` }`, nil, tooDeep},
		"9 payments":                     {variable, vars{"first": 9}, ""},
		"10 payments":                    {variable, vars{"first": 10}, costs(1030)},
		"10 payments, literally":         {`{ payments(first: 10) ` + below + ` }`, nil, costs(1030)},
		"10 payments, by the query":      {`query ($first: Int = 10) { payments(first: $first) ` + below + ` }`, nil, costs(1030)},
		"a variable in quotes":           {variable, vars{"first": "10"}, costs(10300)},
		"a variable that is left out":    {variable, nil, costs(2060)},
		"a variable that is null":        {variable, vars{"first": nil}, costs(2060)},
		"2 aliases of 4":                 {`{ a: payments(first: 4) ` + below + ` b: payments(first: 4) ` + below + ` }`, nil, ""},
		"3 aliases of 4":                 {`{ a: payments(first: 4) ` + below + ` b: payments(first: 4) ` + below + ` c: payments(first: 4) ` + below + ` }`, nil, costs(1239)},
		"3 aliases of 4, in a fragment":  {`{ a: payments(first: 4) { ...c } b: payments(first: 4) { ...c } c: payments(first: 4) { ...c } } fragment c on PaymentConnection ` + below, nil, costs(1239)},
		"a page, and whose payments they are": {`{ payments(first: 100) { edges { node { amount { amount } reportingAmount { amount } conversion { rate }
			visitor { id identity { userId } firstVisit { source } lastVisit { source } revenue { net { amount } byCurrency { net { amount } } } } } } pageInfo { endCursor } } }`, nil, ""},
		"a page, and all visits":             {`{ payments(first: 100) { edges { node { visitor { visits { edges { cursor } } } } } } }`, nil, costs(2300)},
		"a page, and one scalar 10 times":    {`{ payments(first: 100) { edges { node { ` + aliases(10) + ` } } } }`, nil, costs(1100)},
		"30 aliases":                         {`{ visitor(id: "v") { ` + aliases(15) + ` ...v } } fragment v on Visitor { ` + aliases(15) + ` }`, nil, ""},
		"31 aliases":                         {`{ visitor(id: "v") { ` + aliases(15) + ` ...v } } fragment v on Visitor { ... { ` + aliases(16) + ` } }`, nil, "the query has more than 30 aliases: "},
		"20 directives":                      {`{ websites @skip(if: false) { ` + strings.Repeat("id @include(if: true) ", 19) + ` } }`, nil, ""},
		"21 directives":                      {`{ websites { ...w @skip(if: true) } } fragment w on Website { ` + strings.Repeat("id @include(if: true) ", 20) + ` }`, nil, "the query has more than 20 directives: "},
		"20 fields at the root":              {`{ ` + strings.Repeat("websites { id } ", 20) + ` }`, nil, ""},
		"21 fields at the root":              {`{ ` + strings.Repeat("websites { id } ", 19) + ` ...q ... { websites { id } } } fragment q on Query { websites { id } }`, nil, "the query has more than 20 fields at its root: "},
		"21 fields at several roots":         {`query a { websites { id } } query b { ` + strings.Repeat("websites { id } ", 20) + ` }`, nil, "the query has more than 20 fields at its root: "},
		"50 repeats":                         {`{ websites { ` + strings.Repeat("id ", 51) + ` } }`, nil, ""},
		"51 repeats":                         {`{ websites { ` + strings.Repeat("id ", 30) + ` } websites { ` + strings.Repeat("id ", 21) + ` } }`, nil, "the query asks more than 50 times "},
		"51 repeats, in a fragment":          {`{ websites { ...w id } } fragment w on Website { ... { ` + strings.Repeat("id ", 51) + ` } }`, nil, "the query asks more than 50 times "},
		"a page of no size":                  {`{ payments(first: -1000000) ` + below + ` }`, nil, "first must be"},
		"a page that is too large":           {`{ payments(first: 1000000) { edges { cursor } } }`, nil, "first must be"},
		"a page that is too large, and full": {`{ payments(first: 1000000) ` + below + ` }`, nil, costs(10300)},
		"another operation that is large":    {`query a { websites { id } } query b { payments(first: 10) ` + below + ` }`, nil, ""},
		"fragments that double 70 times":     {bomb(70, "id"), nil, "the query has more than 1000 fields "},
		"what GraphiQL asks for":             {introspection.Query, nil, ""},
		"fragments that double 27 times":     {bomb(27, "...none"), nil, "the query has more than 1000 fields "},
		"too many levels of introspection":   {`{ __type(name: "Query") { ofType ` + strings.Repeat("{ ofType ", 18) + "{ name }" + strings.Repeat(" }", 19) + ` }`, nil, tooDeep},
		"the schema, many times":             {`{ __schema { types { fields { args { name } ` + typeAliases + ` } } } }`, nil, "the query costs about "},
		"many levels of introspection":       {`{ __type(name: "Query") { ofType ` + strings.Repeat("{ ofType ", 12) + "{ name }" + strings.Repeat(" }", 13) + ` }`, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bundle{t: t, url: b.url, key: b.key}
			operation := ""
			if strings.HasPrefix(test.query, "query a ") {
				operation = "a"
			}
			body, err := json.Marshal(map[string]any{"query": test.query, "variables": test.v, "operationName": operation})
			require.NoError(t, err)
			_, raw := b.post(b.key, "application/json", bytes.NewReader(body))
			var response struct {
				Data   any
				Errors []fault
			}
			require.NoError(t, json.Unmarshal(raw, &response), "%s", raw)
			if test.message == "" {
				require.Empty(t, response.Errors)
				require.NotNil(t, response.Data)
				return
			}
			require.Nil(t, response.Data)
			require.Len(t, response.Errors, 1)
			got := response.Errors[0]
			require.Equal(t, test.message, got.Message[:min(len(got.Message), len(test.message))])
			require.Equal(t, []any{"TOO_MANY_ITEMS", "request-1"}, []any{got.Extensions.Code, got.Extensions.RequestID})
			if !strings.HasPrefix(test.message, "first") {
				require.NotContains(t, string(raw), `"data"`, "before the query is run")
			}
		})
	}

	t.Run("a fragment inside itself", func(t *testing.T) {
		t.Parallel()
		_, faults := (&bundle{t: t, url: b.url}).query(b.key, `{ visitor(id: "v") { ...f } } fragment f on Visitor { id ...f }`, nil)
		require.NotEmpty(t, faults)
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", faults[0].Extensions.Code)
	})
}

func TestGuard_mutation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var payments []vars
	for i := range 10 {
		payments = append(payments, payment(fmt.Sprint("t", i), vars{"visitorId": "v"}))
	}
	query := `mutation ($input: RecordPaymentsInput!) {
		recordPayments(input: $input) { results { payload { payment { visitor { payments(first: 100) { edges { cursor } } } } } } }
	}`
	require.Contains(t, b.refused(query, batch(payments[:10]...)).Message, "send fewer payments at once")
	require.Zero(t, sql[int](b, `SELECT count(*) FROM payments`))
	b.ask(query, batch(payments[:9]...))
}

// endingStore ends a request once its payments are read, and counts what is asked afterwards.
type endingStore struct {
	graph.Store
	end   context.CancelFunc
	asked int
}

func (s *endingStore) Payments(ctx context.Context, site model.Website, query model.PaymentQuery) (*model.PaymentConnection, error) {
	defer s.end()
	return s.Store.Payments(ctx, site, query)
}

func (s *endingStore) Visitors(ctx context.Context, websiteID string, ids []string) (map[string]*model.Visitor, error) {
	s.asked++
	return s.Store.Visitors(ctx, websiteID, ids)
}

func TestLoaders_end(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("t1", vars{"visitorId": "v"})
	ctx, cancel := context.WithCancel(model.WithPrincipal(t.Context(), &model.Principal{AccountID: b.site.AccountID, WebsiteID: b.site.ID}))
	defer cancel()
	store := &endingStore{Store: b.store, end: cancel}
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"query":"{ payments { edges { node { visitor { id } } } } }"}`))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	graph.NewHandler(&graph.Resolver{Store: store, Now: b.now}).ServeHTTP(answer, request)
	require.Contains(t, answer.Body.String(), `"message":"the request took too long; ask for less at once"`)
	require.Contains(t, answer.Body.String(), `"code":"UNAVAILABLE"`)
	require.Zero(t, store.asked, "nothing is read for a request that has ended")
}
