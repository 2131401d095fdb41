package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/internal/server"
	"tributary/internal/span"
	"tributary/internal/traces"
	"tributary/model"
	"tributary/rest"
)

// memory is a store that knows one website and its key, and keeps nothing.
type memory struct {
	graph.Store
	site  model.Website
	token model.Token
}

func (m memory) TokenByHash(context.Context, []byte, time.Time) (model.Token, error) {
	return m.token, nil
}

func (m memory) Website(context.Context, string) (model.Website, error) { return m.site, nil }

func (m memory) RecordPayment(_ context.Context, _ model.Website, p *model.NewPayment) (*model.RecordPaymentPayload, error) {
	return &model.RecordPaymentPayload{Payment: &p.Payment, Outcome: model.OutcomeRecorded}, nil
}

// answer keeps of an answer what a benchmark checks.
type answer struct {
	header http.Header
	text   []byte
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(int) {}

func (a *answer) Write(text []byte) (int, error) {
	a.text = append(a.text, text...)
	return len(text), nil
}

// payments are those that are measured, by how they are sent.
var payments = map[string]struct{ path, body, success string }{
	"DataFast": {
		"/api/v1/payments", `{"amount":29.99,"currency":"USD","transaction_id":"payment_456","datafast_visitor_id":"visitor-1"}`, `"message":"Payment recorded`,
	},
	"Faurya": {
		"/api/v1/payments", `{"amount":29.99,"transaction_id":"payment_456","faurya_visitor_id":"visitor-1","metadata":{"plan":"starter"}}`, `"message":"Payment recorded`,
	},
	"GraphQL": {
		"/graphql", `{"query":"mutation($p:RecordPaymentInput!){recordPayment(input:$p){outcome}}","variables":{"p":` +
			`{"transactionId":"payment_456","amount":"29.99","currency":"USD","visitorId":"visitor-1"}}}`, `"outcome":"RECORDED"`,
	},
}

// newPayer makes a server on a store in memory, with a tracer, and is what pays there.
func newPayer(b *testing.B, name string, tracer span.Tracer) (pay func()) {
	b.Helper()
	token, secret := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: "64f1c0ffee5b2a0012ab34cd"})
	store := memory{site: model.Website{ID: token.WebsiteID, Timezone: "Europe/Berlin", Currency: "USD"}, token: token}
	now := func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) }
	resolver := &graph.Resolver{Store: store, Now: now}
	handler := server.New(server.Config{
		GraphQL: graph.NewHandler(resolver), REST: rest.NewHandler(resolver.Mutation(), nil, now, rest.Senders{}), Tracer: tracer,
		Tokens: store, Now: now, GraphQLError: graph.WriteError, RESTError: rest.WriteError, Logger: slog.New(slog.DiscardHandler),
	})
	sent := payments[name]
	body := strings.NewReader(sent.body)
	r, err := http.NewRequest(http.MethodPost, sent.path, io.NopCloser(body))
	require.NoError(b, err)
	r.ContentLength = body.Size()
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	return func() {
		body.Reset(sent.body)
		got := answer{header: http.Header{}}
		handler.ServeHTTP(&got, r)
		if !bytes.Contains(got.text, []byte(sent.success)) {
			b.Fatal(string(got.text))
		}
	}
}

// BenchmarkNew_payments measures what a payment costs outside of the database and of net/http.
func BenchmarkNew_payments(b *testing.B) {
	for name := range payments {
		b.Run(name, func(b *testing.B) {
			pay := newPayer(b, name, span.Tracer{})
			b.ReportAllocs()
			for b.Loop() {
				pay()
			}
		})
	}
}

// BenchmarkNew_traces measures what traces add to that: each payment is made with all of them recorded and without, in
// turns.
func BenchmarkNew_traces(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer collector.Close()
	sent, err := traces.Open(b.Context(), traces.Config{Endpoint: collector.URL, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	defer sent.Close(context.Background())
	for name := range payments {
		b.Run(name, func(b *testing.B) {
			payWithout, payWith := newPayer(b, name, span.Tracer{}), newPayer(b, name, sent.Tracer)
			var without, with time.Duration
			for b.Loop() {
				began := time.Now()
				payWithout()
				turn := time.Now()
				payWith()
				without, with = without+turn.Sub(began), with+time.Since(turn)
			}
			b.ReportMetric(float64(with)/float64(without), "with/without")
			b.ReportMetric(float64((with-without).Nanoseconds())/float64(b.N), "more-ns/op")
		})
	}
}
