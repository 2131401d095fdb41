package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
	"tributary/rest"
)

// canary stands for what a client sent and nobody may see again.
const canary = "canary-7f3a@secret.example"

// faultyStore is a store whose revenue goes wrong in a way that nobody expects.
type faultyStore struct {
	graph.Store
	revenue func() (*model.Revenue, error)
}

func (s faultyStore) Revenue(context.Context, model.Website, model.RevenueQuery) (*model.Revenue, error) {
	return s.revenue()
}

func (s faultyStore) RevenueOfVisitors(context.Context, model.Website, []string, model.Range) (map[string]*model.Revenue, error) {
	_, err := s.revenue()
	return nil, err
}

func TestErrors_internal(t *testing.T) {
	t.Parallel()
	masked := fault{Message: model.ErrInternal.Message}
	masked.Extensions.Code, masked.Extensions.RequestID = "INTERNAL", "request-1"
	for name, revenue := range map[string]func() (*model.Revenue, error){
		"an error that is not ours": func() (*model.Revenue, error) { return nil, errors.New(`pq: relation "payments" ` + canary) },
		"a panic":                   func() (*model.Revenue, error) { panic(canary) },
	} {
		t.Run(name+" is masked", func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.visit("v", nil)
			b.serve(faultyStore{b.store, revenue})
			for _, query := range []string{`{ revenue { charges } }`, `{ visitor(id: "v") { revenue { charges } } }`} {
				got := b.refused(query, nil)
				got.Path = nil
				require.Equal(t, masked, got)
			}
			b.ask(`{ websites { id } }`, nil) // the server lives
		})
	}

	t.Run("a database that is gone is UNAVAILABLE, with a time to try again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.NoError(t, b.store.Close())
		res, body := b.post(b.key, "application/json", strings.NewReader(`{"query":"{ websites { id } }"}`))
		require.Equal(t, []any{http.StatusServiceUnavailable, "1"}, []any{res.StatusCode, res.Header.Get("Retry-After")})
		require.JSONEq(t, `{"errors": [{"message": "the database cannot answer now; try again", "extensions": {"code": "UNAVAILABLE", "requestId": "request-1"}}]}`, string(body))
	})
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	write := func(err error) *http.Response {
		recorder := httptest.NewRecorder()
		graph.WriteError(recorder, httptest.NewRequest(http.MethodPost, "/graphql", nil), err)
		return recorder.Result()
	}

	t.Run("gives an error that comes before a query the status that REST gives it", func(t *testing.T) {
		t.Parallel()
		both := 0
		for _, code := range model.Codes {
			if status := write(model.Errorf(code, "", "")).StatusCode; status != http.StatusInternalServerError {
				require.Equal(t, rest.StatusOf(code), status, code)
				both++
			}
		}
		require.Equal(t, 9, both)
	})

	t.Run("says when to try again as REST does", func(t *testing.T) {
		t.Parallel()
		for _, wait := range []time.Duration{0, 1100 * time.Millisecond, time.Minute} {
			err := &model.Error{Code: model.CodeUnavailable, RetryAfter: wait}
			asREST := httptest.NewRecorder()
			rest.WriteError(asREST, httptest.NewRequest(http.MethodPost, "/", nil), err)
			require.Equal(t, asREST.Header().Get("Retry-After"), write(err).Header.Get("Retry-After"), wait)
		}
	})
}

func TestErrors_request(t *testing.T) {
	t.Parallel()
	b := setup(t)
	text := func(s string) string { raw, _ := json.Marshal(s); return string(raw) }
	for name, test := range map[string]struct {
		contentType, body string
		status            int
		code              string
	}{
		"plain text":          {"text/plain", `{"query":"{ websites { id } }"}`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"an upload":           {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + `{"query":"{ websites { id } }"}` + "\r\n--x--", 415, "UNSUPPORTED_MEDIA_TYPE"},
		"a form":              {"application/x-www-form-urlencoded", `query=` + canary, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"no type":             {"", `{"query":"{ websites { id } }"}`, 415, "UNSUPPORTED_MEDIA_TYPE"},
		"more than 256 KB":    {"application/json", `{"query":` + text("#"+strings.Repeat(" ", 256<<10)) + `}`, 413, "PAYLOAD_TOO_LARGE"},
		"truncated JSON":      {"application/json", `{"query":"{ websites { id } }","variables":{"email":"` + canary, 400, "INVALID_JSON"},
		"another JSON type":   {"application/json", `["` + canary + `"]`, 400, "INVALID_JSON"},
		"a second JSON value": {"application/json", `{"query":"{ websites { id } }"} "` + canary + `"`, 400, "INVALID_JSON"},
		"JSON 20,000 deep":    {"application/json", `{"variables":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`, 400, "INVALID_JSON"},
		"no body":             {"application/json", ``, 400, "INVALID_JSON"},
		"no query":            {"application/json", `null`, 400, "INVALID_JSON"},
		"no GraphQL":          {"application/json", `{"query":"{ ` + canary + ` }"}`, 200, "GRAPHQL_PARSE_FAILED"},
		"1,001 tokens":        {"application/json", `{"query":"{` + strings.Repeat(" websites", 1000) + ` { id } }"}`, 200, "GRAPHQL_PARSE_FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, body := (&bundle{t: t, url: b.url}).post(b.key, test.contentType, strings.NewReader(test.body))
			var response struct{ Errors []fault }
			require.NoError(t, json.Unmarshal(body, &response), "%s", body)
			require.Equal(t, []any{test.status, test.code, "request-1"}, []any{res.StatusCode, response.Errors[0].Extensions.Code, response.Errors[0].Extensions.RequestID})
			require.NotContains(t, string(body), "canary")
		})
	}

	t.Run("a query by GET", func(t *testing.T) {
		t.Parallel()
		for query, status := range map[string]int{
			"query=" + url.QueryEscape(`{ website { id } }`): 200, "query=%zz" + canary: 400,
			"query=" + url.QueryEscape(`{ website { id } }`) + "&variables=" + canary: 400,
			"query=" + url.QueryEscape(`{ website `+canary):                           200, "": 200,
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"?"+query, nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+b.key)
			res, body := (&bundle{t: t, url: b.url}).do(req)
			require.Equal(t, status, res.StatusCode, query)
			require.NotContains(t, string(body), "canary")
		}
	})
}

func TestErrors_many(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 12 {
		b.pay(fmt.Sprint("t", i), vars{"visitorId": "v"})
	}
	_, token := b.token(model.Token{AccountID: b.site.AccountID, Scopes: []model.Scope{model.ScopePaymentsRead}})
	for _, test := range []struct{ alias, shown, path int }{{6, 10, 5}, {1800, 4, 5}, {9000, 1, 0}} {
		query := `query ($id: ID) { payments(websiteId: $id) { edges { node { id ` + strings.Repeat("x", test.alias) + `: visitor { id } } } } }`
		body, err := json.Marshal(vars{"query": query, "variables": vars{"id": b.site.ID}})
		require.NoError(t, err)
		_, raw := b.post(token, "application/json", bytes.NewReader(body))
		var response struct {
			Data       struct{ Payments struct{ Edges []any } }
			Errors     []fault
			Extensions struct{ OmittedErrors int }
		}
		require.NoError(t, json.Unmarshal(raw, &response))
		require.Len(t, response.Data.Payments.Edges, 12)
		require.Len(t, response.Errors, test.shown)
		require.Equal(t, 12-test.shown, response.Extensions.OmittedErrors)
		for _, e := range response.Errors {
			require.Equal(t, []any{"FORBIDDEN", "the token lacks the scope analytics:read", "request-1"}, []any{e.Extensions.Code, e.Message, e.Extensions.RequestID})
			require.Len(t, e.Path, test.path)
		}
	}
}

func TestErrors_method(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("t", vars{"visitorId": "v"})
	refused := func(t *testing.T, allow, method, query string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, b.url+"?"+query, nil)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+b.key)
		res, body := (&bundle{t: t, url: b.url}).do(req)
		require.Equal(t, []any{http.StatusMethodNotAllowed, allow}, []any{res.StatusCode, res.Header.Get("Allow")}, method)
		var response struct{ Errors []fault }
		require.NoError(t, json.Unmarshal(body, &response), "%s", body)
		require.Equal(t, []any{"METHOD_NOT_ALLOWED", "request-1"}, []any{response.Errors[0].Extensions.Code, response.Errors[0].Extensions.RequestID})
	}

	t.Run("a mutation by GET is refused, and not run", func(t *testing.T) {
		t.Parallel()
		const mutation = `mutation m { deletePayments(input: {visitorId: "v"}) { deletedCount } }`
		refused(t, "POST", http.MethodGet, "query="+url.QueryEscape(mutation))
		refused(t, "POST", http.MethodGet, "operationName=m&query="+url.QueryEscape(`query q { website { id } } `+mutation))
		require.Equal(t, 1, sql[int](b, `SELECT count(*) FROM payments`))
	})

	t.Run("methods other than GET and POST are refused", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			refused(t, "GET, POST", method, "query="+url.QueryEscape(`{ website { id } }`))
		}
	})
}

func TestErrors_validation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const list = `query ($filter: PaymentFilter, $first: Int) { payments(filter: $filter, first: $first) { edges { cursor } } }`
	for name, test := range map[string]struct {
		query   string
		v       vars
		message string
	}{
		"an enum in a variable":     {list, vars{"filter": vars{"kinds": []string{canary}}}, "variable.filter.kinds[0]: must be a valid PaymentKind"},
		"an enum with its own text": {list, vars{"filter": vars{"kinds": []string{canary + " is not a valid " + canary}}}, "variable.filter.kinds[0]: must be a valid PaymentKind"},
		"a number in a variable":    {list, vars{"first": canary}, "variable.first: cannot use string as Int"},
		"a large number":            {list, vars{"first": json.Number("11111111111111111111111")}, "variable.first: cannot be used as Int"},
		"a fraction":                {list, vars{"first": 1.5}, "variable.first: cannot be used as Int"},
		"an object in a variable":   {list, vars{"filter": canary}, "variable.filter: must be a PaymentFilter, not a string"},
		"a boolean in a variable":   {list, vars{"filter": vars{"attributed": canary}}, "variable.filter.attributed: cannot use string as Boolean"},
		"a missing variable":        {recordPayment, vars{"input": vars{"transactionId": canary}}, "variable.input.amount: must be defined"},
		"an unknown field":          {recordPayment, vars{"input": vars{"transactionId": canary, "custmerId": canary}}, "variable.input.custmerId: unknown field"},
		"an id literal":             {`{ visitor(id: 1.5e-7) { id } }`, nil, "ID cannot represent a non-string and non-integer value"},
		"a string literal":          {`{ payments(filter: {transactionId: 7777777}) { edges { cursor } } }`, nil, "String cannot represent a non string value"},
		"a number literal":          {`{ payments(first: "` + canary + `") { edges { cursor } } }`, nil, "Int cannot represent non-integer value"},
		"a boolean literal":         {`{ payments(filter: {attributed: "` + canary + `"}) { edges { cursor } } }`, nil, "Boolean cannot represent a non boolean value"},
		"an enum literal":           {`{ payments(filter: {kinds: [canary]}) { edges { cursor } } }`, nil, `The value does not exist in "PaymentKind!" enum.`},
		"an enum as text":           {`{ payments(filter: {kinds: ["` + canary + `"]}) { edges { cursor } } }`, nil, `Enum "PaymentKind!" cannot represent non-enum value`},
		"an object literal":         {`{ payments(filter: "` + canary + `") { edges { cursor } } }`, nil, `Expected value of type "PaymentFilter"`},
		"text where syntax is":      {`{ payments "` + canary + `" }`, nil, "the query is not well-formed GraphQL at line 1, column 13"},
		"text that does not end":    {"{\n  payments(first: \"" + canary, nil, "the query is not well-formed GraphQL at line 2, column 46"},
		"a field nearly right":      {`{ website { idd } }`, nil, `Cannot query field "idd" on type "Website".`},
		"an argument nearly right":  {`{ payments(frist: 1) { edges { cursor } } }`, nil, `Unknown argument "frist" on field "Query.payments".`},
		"an input nearly right":     {`{ payments(filter: {visitorid: "v"}) { edges { cursor } } }`, nil, `Field "visitorid" is not defined by type "PaymentFilter".`},
		"a fragment nearly right":   {`{ website { ...w } } fragment w on Websit { id }`, nil, `Unknown type "Websit".`},
		"a type nearly right":       {`query ($f: PaymentFilte) { payments(filter: $f) { edges { cursor } } }`, nil, `Unknown type "PaymentFilte".`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bundle{t: t, url: b.url, key: b.key}
			_, faults := b.query(b.key, test.query, test.v)
			require.NotEmpty(t, faults)
			require.Equal(t, test.message, faults[0].Message)
			require.Contains(t, faults[0].Extensions.Code, "GRAPHQL_")
			shown := fmt.Sprint(faults)
			require.NotContains(t, shown, canary)
			require.NotContains(t, shown, "777777")
			require.NotContains(t, shown, "Did you mean")
		})
	}

	t.Run("an operation that is not there", func(t *testing.T) {
		t.Parallel()
		_, body := b.post(b.key, "application/json", strings.NewReader(`{"query":"query a { website { id } }","operationName":"`+canary+`"}`))
		require.Contains(t, string(body), "the query has no operation of that name")
		require.NotContains(t, string(body), canary)
	})
}

func TestErrors_fields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for field, test := range map[string]struct {
		code  string
		value any
	}{
		"amount":     {"INVALID_AMOUNT", true},
		"currency":   {"INVALID_CURRENCY", 840},
		"occurredAt": {"INVALID_TIMESTAMP", "2026-02-30T00:00:00Z"},
		"metadata":   {"INVALID_METADATA", []any{canary}},
	} {
		for _, value := range []any{test.value, canary} {
			got := b.refusedPayment("t1", vars{field: value})
			require.Equal(t, []any{test.code, field, "request-1"}, []any{got.Extensions.Code, got.Extensions.Field, got.Extensions.RequestID})
			require.NotContains(t, fmt.Sprint(got), canary)
		}
	}
	for _, metadata := range []any{vars{"a": vars{"b": 1}}, vars{"a": []any{1}}, vars{"": 1}, vars{"a": strings.Repeat("x", 256)}} {
		require.Equal(t, "INVALID_METADATA", b.refusedPayment("t1", vars{"metadata": metadata}).Extensions.Code)
	}
}
