package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"tributary/graph/generated"
	"tributary/internal/logtest"
	"tributary/model"
	"tributary/openapi"
	"tributary/rest"
)

// logged is what the package logs while the tests run.
var logged logBuffer

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	os.Exit(m.Run())
}

type logBuffer struct{ logtest.Buffer }

// about is what was logged about a request.
func (b *logBuffer) about(requestID string) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(b.String()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["requestId"] == requestID {
			found = append(found, entry)
		}
	}
	return found
}

const path = "/api/v1/payments"

var now = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

// resolver stands for the application layer: it validates as the resolvers do, keeps what it was
// given, and answers what the test wants.
type resolver struct {
	generated.MutationResolver
	mu        sync.Mutex
	inputs    []model.RecordPaymentInput
	payments  []model.NewPayment
	deletions []model.Deletion

	views      []model.RecordVisitInput
	events     []model.RecordEventInput
	principals []model.Principal // of views and events

	site        model.Website
	outcome     model.RecordOutcome
	visitorSeen bool
	differences []string
	deleted     int
	err         error
}

func (r *resolver) RecordPayment(_ context.Context, input model.RecordPaymentInput) (*model.RecordPaymentPayload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inputs = append(r.inputs, input)
	payment, err := input.Validate(r.site, now)
	if err != nil || r.err != nil {
		return nil, errors.Join(err, r.err)
	}
	r.payments = append(r.payments, payment)
	payment.VisitorSeen = r.visitorSeen
	return &model.RecordPaymentPayload{Payment: &payment.Payment, Outcome: r.outcome, Differences: r.differences}, nil
}

func (r *resolver) DeletePayments(_ context.Context, input model.DeletePaymentsInput) (*model.DeletePaymentsPayload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	deletion, err := input.Validate(r.site)
	if err != nil || r.err != nil {
		return nil, errors.Join(err, r.err)
	}
	r.deletions = append(r.deletions, deletion)
	return &model.DeletePaymentsPayload{DeletedCount: r.deleted, Range: deletion.Range}, nil
}

func (r *resolver) RecordVisit(ctx context.Context, input model.RecordVisitInput) (*model.RecordVisitPayload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views = append(r.views, input)
	principal, err := model.PrincipalFrom(ctx)
	if err != nil {
		return nil, err
	}
	r.principals = append(r.principals, *principal)
	_, err = input.Validate(r.site, now, func(string) model.Client { return model.Client{} })
	return &model.RecordVisitPayload{}, errors.Join(err, r.err)
}

func (r *resolver) RecordEvent(ctx context.Context, input model.RecordEventInput) (*model.RecordEventPayload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, input)
	principal, err := model.PrincipalFrom(ctx)
	if err != nil {
		return nil, err
	}
	r.principals = append(r.principals, *principal)
	_, err = input.Validate(r.site, now)
	return &model.RecordEventPayload{}, errors.Join(err, r.err)
}

// published finds the operations of the published contract.
var published = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.YAML)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// api is the handler under test.
type api struct {
	*resolver
	handler http.Handler

	wait    time.Duration // until the client's address may send another event
	country string        // of the client
}

func newAPI(t testing.TB) *api {
	t.Helper()
	r := &resolver{
		site:    model.Website{ID: "64f1c0ffee5b2a0012ab34cd", Timezone: "Europe/Berlin", Currency: "USD"},
		outcome: model.OutcomeRecorded,
	}
	ready := func(context.Context) error { return r.err }
	a := &api{resolver: r}
	a.handler = rest.NewHandler(r, ready, func() time.Time { return now }, rest.Senders{
		Admit:   func(*http.Request) (time.Duration, bool) { return a.wait, a.wait == 0 },
		Country: func(*http.Request) string { return a.country },
		IsBot:   func(userAgent string) bool { return userAgent == "a bot" },
	})
	return a
}

// request makes a request as the server's middleware hands it on.
func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r.WithContext(model.WithRequestID(r.Context(), "req-1"))
}

// serve is the answer to a request, and its body.
func (a *api) serve(t testing.TB, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	recorder := httptest.NewRecorder()
	recorder.Header().Set("X-Request-Id", model.RequestID(r.Context())) // as the server's middleware does
	a.handler.ServeHTTP(recorder, r)
	res := recorder.Result()
	if res.StatusCode != http.StatusNoContent {
		require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	}
	return res, recorder.Body.Bytes()
}

// do is serve with an answer that the published contract has.
func (a *api) do(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	res, body := a.serve(t, r)
	router, err := published()
	require.NoError(t, err)
	if route, params, err := router.FindRoute(r); err == nil {
		require.NoError(t, openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
			Status:                 res.StatusCode, Header: res.Header,
			Body:    io.NopCloser(bytes.NewReader(body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}))
	}
	return res
}

// ok makes a request that must succeed, and is the text of its answer.
func (a *api) ok(t testing.TB, method, target, body string) string {
	t.Helper()
	res := a.do(t, request(method, target, body))
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, string(text))
	return strings.TrimSuffix(string(text), "\n")
}

// fails makes a request that must be refused, and is the error's reason and field.
func (a *api) fails(t testing.TB, status int, r *http.Request) (reason, field string) {
	t.Helper()
	detail := a.failure(t, a.do(t, r))
	require.Equal(t, status, detail.Code, detail.Message)
	if detail.Field != nil {
		field = *detail.Field
	}
	return string(detail.Reason), field
}

// failed is the error of a request that must be refused.
func (a *api) failed(t testing.TB, r *http.Request, status int) openapi.ErrorDetail {
	t.Helper()
	res := a.do(t, r)
	require.Equal(t, status, res.StatusCode)
	return a.failure(t, res)
}

func (a *api) failure(t testing.TB, res *http.Response) openapi.ErrorDetail {
	t.Helper()
	var envelope openapi.ErrorResponse
	require.NoError(t, json.NewDecoder(res.Body).Decode(&envelope))
	require.Equal(t, openapi.ErrorResponseStatusError, envelope.Status)
	require.Equal(t, res.StatusCode, envelope.Error.Code)
	require.Equal(t, "req-1", envelope.Error.RequestId)
	return envelope.Error
}
