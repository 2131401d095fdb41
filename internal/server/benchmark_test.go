package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/internal/server"
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

// BenchmarkNew_payments measures what a payment costs outside of the database and of net/http.
func BenchmarkNew_payments(b *testing.B) {
	token, secret := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: "64f1c0ffee5b2a0012ab34cd"})
	store := memory{site: model.Website{ID: token.WebsiteID, Timezone: "Europe/Berlin", Currency: "USD"}, token: token}
	now := func() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) }
	resolver := &graph.Resolver{Store: store, Now: now}
	handler := server.New(server.Config{
		GraphQL: graph.NewHandler(resolver), REST: rest.NewHandler(resolver.Mutation(), nil, now, rest.Senders{}),
		Tokens: store, Now: now, GraphQLError: graph.WriteError, RESTError: rest.WriteError, Logger: slog.New(slog.DiscardHandler),
	})
	for name, sent := range map[string]struct{ path, body, success string }{
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
	} {
		b.Run(name, func(b *testing.B) {
			body := strings.NewReader(sent.body)
			r, err := http.NewRequest(http.MethodPost, sent.path, io.NopCloser(body))
			require.NoError(b, err)
			r.ContentLength = body.Size()
			r.Header.Set("Authorization", "Bearer "+secret)
			r.Header.Set("Content-Type", "application/json")
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(sent.body)
				got := answer{header: http.Header{}}
				handler.ServeHTTP(&got, r)
				if !bytes.Contains(got.text, []byte(sent.success)) {
					b.Fatal(string(got.text))
				}
			}
		})
	}
}
