package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"tributary/openapi"
)

const payments = "/api/v1/payments"

// contract finds the operations of the published contract.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.YAML)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   string // without the newline at its end
}

// do makes a REST exchange and holds both of its sides against the contract.
func (s *stack) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	var sent []byte
	if r.GetBody != nil {
		body, err := r.GetBody()
		require.NoError(t, err)
		sent, err = io.ReadAll(body)
		require.NoError(t, err)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	got := received(t, res)
	conform(t, r, sent, got)
	return got
}

func received(t testing.TB, res *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return answer{res.StatusCode, res.Header, strings.TrimSuffix(string(body), "\n")}
}

// refusals are the statuses of requests that need not be as the contract says.
var refusals = []int{http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}

// conform fails the test unless the answer is one of the contract, and so is the request if it was not refused.
func conform(t testing.TB, r *http.Request, sent []byte, got answer) {
	t.Helper()
	router, err := contract()
	require.NoError(t, err)
	route, params, err := router.FindRoute(r)
	if err != nil {
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnauthorized}, got.status, "the contract lacks %s %s", r.Method, r.URL.Path)
		return
	}
	copied := r.Clone(t.Context())
	copied.Body = io.NopCloser(bytes.NewReader(sent))
	request := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true},
	}
	if !slices.Contains(refusals, got.status) {
		require.NoError(t, openapi3filter.ValidateRequest(t.Context(), request), "the contract refuses a request that got %d %s", got.status, got.body)
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: got.status, Header: got.header,
		Body:    io.NopCloser(strings.NewReader(got.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}))
}

// watched holds the REST exchanges of clients that are no part of the test against the contract.
func watched(t testing.TB) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/api/") {
				next.ServeHTTP(w, r)
				return
			}
			sent, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			r.Body = io.NopCloser(bytes.NewReader(sent))
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			got := received(t, recorder.Result())
			conform(t, r, sent, got)
			maps.Copy(w.Header(), got.header)
			w.WriteHeader(got.status)
			_, err = io.WriteString(w, got.body)
			require.NoError(t, err)
		})
	}
}

// request is a request to the REST API with the website's key.
func (s *stack) request(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+target, content)
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	return r
}

// post records a payment.
func (s *stack) post(t testing.TB, body string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodPost, payments, body))
}

// posted records a payment that must be accepted, and is the answer's message.
func (s *stack) posted(t testing.TB, body string) string {
	t.Helper()
	got := s.post(t, body)
	require.Equal(t, http.StatusOK, got.status, got.body)
	var result openapi.RecordPaymentResult
	require.NoError(t, json.Unmarshal([]byte(got.body), &result))
	return result.Message
}

// delete deletes payments, by filters in the query string or in a body.
func (s *stack) delete(t testing.TB, query, body string) answer {
	t.Helper()
	return s.do(t, s.request(t, http.MethodDelete, payments+query, body))
}

// refused is the error of an answer, which must have this status and reason.
func (a answer) refused(t testing.TB, status int, reason string) openapi.ErrorDetail {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	var envelope openapi.ErrorResponse
	require.NoError(t, json.Unmarshal([]byte(a.body), &envelope), a.body)
	require.Equal(t, openapi.ErrorResponseStatusError, envelope.Status)
	require.Equal(t, status, envelope.Error.Code)
	require.Equal(t, reason, string(envelope.Error.Reason), envelope.Error.Message)
	require.Equal(t, a.header.Get("X-Request-Id"), envelope.Error.RequestId)
	return envelope.Error
}

// compact is JSON without its white space; the order of keys stays.
func compact(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, json.Compact(&out, []byte(text)))
	return out.String()
}

// text is all that a client sees of an answer.
func (a answer) text() string {
	var text strings.Builder
	_ = a.header.Write(&text) // a builder takes all
	return text.String() + a.body
}

// withoutID is an answer without what no two have in common.
func (a answer) withoutID() string {
	return strings.ReplaceAll(a.body, a.header.Get("X-Request-Id"), "id")
}
