package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// attack is a request that has to be refused before it costs anything.
type attack struct {
	body    string
	status  int
	message string // of the first error, how it begins
}

// asking is the body of a request.
func asking(query string, variables string) string {
	text, _ := json.Marshal(query)
	if variables == "" {
		variables = "null"
	}
	return `{"query":` + string(text) + `,"variables":` + variables + `}`
}

// many is a text for each number.
func many(n int, text func(i int) string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(text(i))
	}
	return all.String()
}

// nested is a text inside itself.
func nested(n int, open, within, end string) string {
	return strings.Repeat(open, n) + within + strings.Repeat(end, n)
}

// attacks are requests of a client with a valid token.
func attacks() map[string]attack {
	const (
		invalidJSON = "the body must be a JSON object"
		tokens      = "exceeded token limit of 1000"
		fields      = "the query has more than 1000 fields"
		repeats     = "the query asks more than 50 times"
		aliased     = "the query has more than 30 aliases"
		cost        = "the query costs about"
		large       = "a request has at most 256 KB"
		text        = "the text of a query has at most 64 KB"
		tooDeep     = "the query is nested more than 10 levels deep"
		list        = `mutation ($i: RecordPaymentsInput!) { recordPayments(input: $i) { results { payload { outcome } } } }`
	)
	long := strings.Repeat("x", 60<<10)
	return map[string]attack{
		"a bomb of 27 levels":             {asking(bomb(27, "firstVisit { id }"), ""), 200, fields},
		"depth 100":                       {asking(nested(100, "{ visitor ", "{ id }", "}"), ""), 200, tooDeep},
		"depth 5,000":                     {asking(nested(5000, "{ a ", "{ id }", "}"), ""), 200, tokens},
		"a page of 99999999":              {asking(`{ payments(first: 99999999) { edges { node { id } } } }`, ""), 200, "first must be from 1 to 100"},
		"a page of -1":                    {asking(`{ payments(first: -1) { edges { node { id } } } }`, ""), 200, "first must be from 1 to 100"},
		"a page of 0":                     {asking(`query ($n: Int) { payments(first: $n) { edges { node { id } } } }`, `{"n":0}`), 200, "first must be from 1 to 100"},
		"3,000 aliases":                   {asking(`{ website { `+many(3000, func(i int) string { return fmt.Sprintf("a%d: id ", i) })+`} }`, ""), 200, tokens},
		"10,000 times __typename":         {asking(`{ `+strings.Repeat("__typename ", 10000)+`}`, ""), 200, text},
		"50,000 unknown directives":       {asking(`{ __typename `+strings.Repeat("@a", 50000)+` }`, ""), 200, text},
		"a comment of 50 MB":              {asking(`{ __typename } #`+strings.Repeat(" ", 50<<20), ""), 413, large},
		"variables 10,000 levels deep":    {asking(`{ __typename }`, `{"v":`+nested(9_998, "[", "", "]")+`}`), 400, "the variables are nested more than 10 levels deep"},
		"truncated JSON":                  {`{"query":"{ website { id } }","variables":{"email":"` + canary, 400, invalidJSON},
		"NaN for a decimal":               {asking(recordPayment, `{"input":{"transactionId":"t","currency":"USD","amount":"NaN"}}`), 200, "must be a decimal number"},
		"two operations and no name":      {asking(`query a { website { id } } query b { website { id } }`, ""), 200, "the query has several operations"},
		"991 times the same field":        {asking(`{ website { `+strings.Repeat("id ", 991)+`} }`, ""), 200, repeats},
		"30 times 30 fields":              {asking(`{ visitor(id: "v") { `+strings.Repeat("firstVisit { "+strings.Repeat("id ", 29)+"} ", 30)+`} }`, ""), 200, repeats},
		"the same field, other arguments": {asking(`{ website { `+many(160, func(i int) string { return fmt.Sprintf("x(a: %d) ", i) })+`} }`, ""), 200, repeats},
		"conflicts up to the limit":       {asking(`{ website { `+many(51, func(i int) string { return fmt.Sprintf("x(a: %d) ", i) })+`} }`, ""), 200, "Cannot query field"},
		"a bomb of scalars":               {asking(bomb(27, "id"), ""), 200, fields},
		"a bomb of what is not there":     {asking(bomb(80, "...none"), ""), 200, fields},
		"fragments in a circle":           {asking(`{ website { ...f0 } }`+many(100, func(i int) string { return fmt.Sprintf(" fragment f%d on Website { ...f%d }", i, (i+1)%100) }), ""), 200, "a fragment is spread within itself"},
		"fragments in each other": {asking(`{ website { ...f0 } }`+many(17, func(i int) string {
			return fmt.Sprintf(" fragment f%d on Website { %s }", i, many(17, func(j int) string { return fmt.Sprintf("...f%d ", j) }))
		}), ""), 200, "a fragment is spread within itself"},
		"many fields in an unused one":     {asking(`{ website { id } } fragment f on Website { `+strings.Repeat("id ", 980)+`}`, ""), 200, "a fragment is never used"},
		"many fields in one used by name":  {asking(`{ website { ...f } } fragment f on Website { id } fragment f on Website { `+strings.Repeat("id ", 970)+`}`, ""), 200, "a fragment is never used, or is not the only one"},
		"60 operations":                    {asking(many(60, func(i int) string { return fmt.Sprintf("query q%d { ...f } ", i) })+`fragment f on Query { payments(first: "`+long+`") { pageInfo { endCursor } } }`, ""), 200, "the query has several operations"},
		"20 operations, and a long value":  {`{"operationName":"q0",` + asking(many(20, func(i int) string { return fmt.Sprintf("query q%d { ...f } ", i) })+`fragment f on Query { payments(first: "`+long+`") { pageInfo { endCursor } } }`, "")[1:], 200, "Int cannot represent"},
		"an array of 1,000 requests":       {`[` + strings.TrimSuffix(strings.Repeat(asking(`{ website { id } }`, "")+",", 1000), ",") + `]`, 400, invalidJSON},
		"80,000 empty objects":             {asking(list, `{"i":{"payments":[`+strings.Repeat("{},", 80000)+`{}]}}`), 400, "the variables have more than 20000 values"},
		"9,000 empty objects":              {asking(list, `{"i":{"payments":[`+strings.Repeat("{},", 9000)+`{}]}}`), 200, "variable.i.payments[0].transactionId: must be defined"},
		"9,900 small objects":              {asking(list, `{"i":{"payments":[`+strings.Repeat(`{"":0},`, 9900)+`{}]}}`), 200, "variable.i.payments[0]"},
		"the schema, again and again":      {asking(`{ __schema { types { `+many(30, func(i int) string { return fmt.Sprintf("a%d: fields { type { fields { name } } } ", i) })+`} } }`, ""), 200, cost},
		"the schema, 100 levels deep":      {asking(`{ __schema { types { `+nested(100, "ofType { ", "name", " }")+` } } }`, ""), 200, tooDeep},
		"metadata 30 times":                {asking(`{ payments(first: 100) { edges { node { `+many(30, func(i int) string { return fmt.Sprintf("a%d: metadata ", i) })+`} } } }`, ""), 200, cost},
		"40 aliases of a deletion":         {asking(`mutation { `+many(40, func(i int) string { return fmt.Sprintf(`a%d: deletePayments(input: {visitorId: "v"}) { dryRun } `, i) })+`}`, ""), 200, "the query has more than 20 fields at its root"},
		"31 aliases":                       {asking(`{ website { `+many(31, func(i int) string { return fmt.Sprintf("a%d: id ", i) })+`} }`, ""), 200, aliased},
		"a deletion and an erasure":        {asking(`mutation { a: deletePayments(input: {visitorId: "v"}) { dryRun } b: erasePerson(input: {visitorId: "v"}) { dryRun } }`, ""), 200, "a request deletes payments once"},
		"two deletions, one in a fragment": {asking(`mutation { ...f b: deletePayments(input: {visitorId: "w"}) { dryRun } } fragment f on Mutation { a: deletePayments(input: {visitorId: "v"}) { dryRun } }`, ""), 200, "a request deletes payments once"},
		"20 batches in one request": {asking(`mutation ($i: RecordPaymentsInput!) { `+many(20, func(i int) string {
			return fmt.Sprintf(`a%d: recordPayments(input: $i) { results { payload { outcome } } } `, i)
		})+`}`, `{"i":{"payments":[`+strings.Repeat("{},", 999)+`{}]}}`), 200, cost},
		"a name of 60 KB":             {asking(`{ website { `+long+` } }`, ""), 200, "Cannot query field"},
		"a text of escapes":           {asking(`{ website(id: "`+strings.Repeat(`\u0041`, 9000)+`") { id } }`, ""), 200, "the key belongs to another website"},
		"a number that nobody writes": {asking(`query ($n: Int) { payments(first: $n) { edges { cursor } } }`, `{"n":1e999999999}`), 200, "variable.n: cannot be used as Int"},
		"a zip bomb":                  {"\x1f\x8b" + strings.Repeat("\x00", 200<<10), 400, invalidJSON},
		"a query that is kept elsewhere": {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}}`,
			400, invalidJSON},
	}
}

// oneSite is a store of one website without anything in it.
type oneSite struct{ graph.Store }

func (oneSite) Payments(context.Context, model.Website, model.PaymentQuery) (*model.PaymentConnection, error) {
	return &model.PaymentConnection{}, nil
}

func (oneSite) Website(_ context.Context, id string) (model.Website, error) {
	return model.Website{ID: id, Timezone: "UTC", Currency: "USD"}, nil
}

// attackable answers a request of a website key, outside of the network.
func attackable() func(body string) *httptest.ResponseRecorder {
	handler := graph.NewHandler(&graph.Resolver{Store: oneSite{}, Now: func() time.Time { return today }})
	ctx := model.WithPrincipal(context.Background(), &model.Principal{WebsiteID: "64f1c0ffee5b2a0012ab34cd"})
	return func(body string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer
	}
}

// maxAllocated is what a request that is refused may allocate, in bytes.
const maxAllocated = 5 << 20

// Others must not allocate or log meanwhile, so that this test is not parallel.
func TestAttacks(t *testing.T) {
	var log bytes.Buffer
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(usual)
	ask := attackable()
	ask(asking(`{ __typename }`, "")) // what is made once
	for name, attack := range attacks() {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := ask(attack.body)
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d KB", allocated>>10)
			require.Less(t, allocated, uint64(maxAllocated), "bytes")

			require.Equal(t, attack.status, got.Code)
			body := got.Body.String()
			require.Less(t, len(body), 12<<10, "bytes of the answer")
			require.NotContains(t, body, "canary")
			require.NotContains(t, strings.ToLower(body), "did you mean")
			var response struct {
				Data   any
				Errors []fault
			}
			require.NoError(t, json.Unmarshal(got.Body.Bytes(), &response), body)
			require.NotEmpty(t, response.Errors, body)
			require.LessOrEqual(t, len(response.Errors), 10)
			require.Nil(t, response.Data)
			require.Truef(t, strings.HasPrefix(response.Errors[0].Message, attack.message), "%.200s", response.Errors[0].Message)
			require.NotEmpty(t, response.Errors[0].Extensions.Code)
			require.Empty(t, log.String(), "a fault of the client is not logged")
		})
	}
}

// Others must not allocate meanwhile, so that this test is not parallel.
func TestRememberedQueries(t *testing.T) {
	held := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	ask := attackable()
	before := held()
	kinds := strings.Repeat("CHARGE ", 900)
	for i := range 300 {
		got := ask(asking(fmt.Sprintf(`{ payments(filter: {kinds: [%s]}) { __typename } } # %d`, kinds, i), ""))
		require.Contains(t, got.Body.String(), `"__typename":"PaymentConnection"`)
	}
	after := held()
	require.Less(t, max(after, before)-before, uint64(24<<20), "bytes")
	ask(asking(`{ __typename }`, ""))
}

// What a client names of another account is refused, or as if it were not there, however it is asked for.
func TestAttacks_otherAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	account, err := b.store.CreateAccount(t.Context(), model.Account{Name: "other", CreatedAt: today})
	require.NoError(t, err)
	mine, theirs := b, b.another(t)
	theirs.site = theirs.website(model.Website{AccountID: account.ID})
	theirs.key = theirs.websiteKey(theirs.site)
	for i, id := range []string{"t1", "t2", "t3"} {
		theirs.pay(id, vars{"visitorId": "their visitor", "name": "Their " + id})
		mine.pay(fmt.Sprint("m", i), vars{"visitorId": "my visitor", "name": "My own"})
	}
	theirs.visit("their visitor", nil)
	cursor := theirs.ask(`{ payments(first: 1) { edges { cursor } } }`, nil).at("payments.edges.0.cursor")
	_, token := b.token(model.Token{AccountID: b.site.AccountID, Scopes: []model.Scope{model.ScopeAll}})
	given := vars{"site": theirs.site.ID, "mine": mine.site.ID, "visitor": "their visitor", "after": cursor}
	for name, query := range map[string]string{
		"directly":    `query ($site: ID) { payments(websiteId: $site) { edges { node { name } } } }`,
		"by alias":    `query ($site: ID, $mine: ID) { a: payments(websiteId: $mine) { edges { node { id } } } b: payments(websiteId: $site) { edges { node { name } } } }`,
		"by fragment": `query ($site: ID) { ...q } fragment q on Query { ... on Query { payments(websiteId: $site) { edges { node { name } } } } }`,
		"by nesting":  `query ($mine: ID, $visitor: ID!) { visitor(websiteId: $mine, id: $visitor) { payments { edges { node { name visitor { payments { edges { node { name } } } } } } } } }`,
		"by cursor":   `query ($mine: ID, $after: String) { payments(websiteId: $mine, after: $after) { edges { node { name visitor { payments(after: $after) { edges { node { name } } } } } } } }`,
		"by filter":   `query ($mine: ID, $visitor: ID!) { payments(websiteId: $mine, filter: {visitorId: $visitor}) { edges { node { name } } } }`,
		"by deletion": `mutation ($site: ID, $visitor: ID) { deletePayments(input: {websiteId: $site, visitorId: $visitor}) { deletedCount } }`,
	} {
		asked := vars{}
		for variable, value := range given {
			if strings.Contains(query, "$"+variable+":") {
				asked[variable] = value
			}
		}
		data, faults := b.query(token, query, asked)
		shown := fmt.Sprint(data, faults)
		require.NotContains(t, shown, "Their", name)
		if _, names := asked["site"]; names {
			require.Contains(t, shown, "WEBSITE_NOT_FOUND", name)
		} else {
			require.Empty(t, faults, name)
		}
	}
	require.Len(t, theirs.ask(`{ payments { edges { node { id } } } }`, nil).at("payments.edges"), 3)
}

func BenchmarkAttacks(b *testing.B) {
	ask := attackable()
	for name, attack := range attacks() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask(attack.body)
			}
		})
	}
}
