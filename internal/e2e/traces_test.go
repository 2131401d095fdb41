package e2e_test

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
	"tributary/internal/traces"
	"tributary/internal/tracetest"
)

// traced is a stack whose traces are sent to a collector.
type traced struct {
	*stack
	collector *tracetest.Collector
	sent      *traces.Traces
	served    sync.WaitGroup
}

func startTraced(t *testing.T, config server.Config) *traced {
	t.Helper()
	s := &traced{collector: tracetest.New(t)}
	var err error
	s.sent, err = traces.Open(t.Context(), traces.Config{Endpoint: s.collector.URL, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	config.Tracer = s.sent.Tracer
	s.stack = start(t, options{Server: config, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.served.Add(1)
			defer s.served.Done()
			next.ServeHTTP(w, r)
		})
	}})
	return s
}

// tree is all that was traced, of which there is no more.
func (s *traced) tree(t *testing.T) string {
	t.Helper()
	s.served.Wait() // clients have their answers before the spans end
	s.sent.Close(t.Context())
	return s.collector.Tree()
}

func TestTraces(t *testing.T) {
	t.Parallel()
	const commit = "commit payments db.system.name=postgresql tributary.commit.of=payments tributary.commit.items="

	t.Run("of a payment by REST have its transaction", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		s.posted(t, payment("", ""))
		require.Equal(t, `POST /api/v1/payments http.request.method=POST http.route=/api/v1/payments http.response.status_code=200 -> commit payments
`+commit+`1 -> POST /api/v1/payments
`, s.tree(t))
	})

	t.Run("of a payment by GraphQL have the field and its transaction", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		s.graphqlAs(t, s.key, `mutation Canary { canary: recordPayment(input: {transactionId: "t1", amount: 5, currency: "USD"}) { outcome } }`, nil)
		require.Equal(t, `POST /graphql http.request.method=POST http.route=/graphql http.response.status_code=200
  mutation recordPayment graphql.operation.type=mutation tributary.graphql.field=recordPayment -> commit payments
`+commit+`1 -> mutation recordPayment
`, s.tree(t))
	})

	t.Run("of reports have what is read", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		s.graphqlAs(t, s.key, `{ revenue { charges } }`, nil)
		s.graphqlAs(t, s.key, `{ visitor(id: "`+canary+`") { id } }`, nil)
		require.Equal(t, `POST /graphql http.request.method=POST http.route=/graphql http.response.status_code=200
  query revenue graphql.operation.type=query tributary.graphql.field=revenue
    read revenue db.system.name=postgresql
POST /graphql http.request.method=POST http.route=/graphql http.response.status_code=200
  query visitor graphql.operation.type=query tributary.graphql.field=visitor
    read visitors db.system.name=postgresql
`, s.tree(t))
	})

	t.Run("of payments that share a transaction are all linked with it", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		release := s.block(t)
		var held []func() answer
		send := func(id string) {
			held = append(held, meanwhile(func() answer { return s.post(t, payment("transaction_id", `"`+id+`"`)) }))
		}
		send("first")
		send("other") // in the other lane
		require.Eventually(t, func() bool {
			return s.count(t, "pg_locks WHERE NOT granted AND relation = 'payments'::regclass") == 2
		}, patience, 5*time.Millisecond)
		const others = 300 // in each lane more than OpenTelemetry links by default
		for i := range others {
			send(fmt.Sprint("other-", i))
		}
		require.Eventually(t, func() bool { return s.store.Uncommitted()["payments"] == others }, patience, 5*time.Millisecond)
		release()
		for _, one := range held {
			require.Equal(t, http.StatusOK, one().status)
		}
		tree := s.tree(t)
		require.Equal(t, 2, strings.Count(tree, commit+"1 -> POST /api/v1/payments\n"))
		shared := regexp.MustCompile(commit+`(\d{3})((?: -> POST /api/v1/payments)+)\n`).FindAllStringSubmatch(tree, -1)
		require.Len(t, shared, 2)
		all := 0
		for _, one := range shared {
			links := strings.Count(one[2], " -> ")
			require.Equal(t, one[1], fmt.Sprint(links))
			require.Greater(t, links, 128)
			all += links
		}
		require.Equal(t, others, all)
		require.Equal(t, 2+others, strings.Count(tree, "http.response.status_code=200 -> commit payments\n"))
	})

	t.Run("name codes and routes, and nothing that was sent", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		s.post(t, payment("amount", "-1")).refused(t, http.StatusBadRequest, "invalid_amount")
		s.get(t, "CANARY", "/"+canary)
		s.graphqlAs(t, s.key, `mutation { deletePayments(input: {transactionId: "`+canary+`"}) { deletedCount } }`, nil)
		s.graphqlAs(t, s.key, `{ `+strings.ReplaceAll(canary, "-", "_")+` }`, nil)
		require.Equal(t, `POST /api/v1/payments http.request.method=POST http.route=/api/v1/payments error.type=INVALID_AMOUNT http.response.status_code=400
HTTP / http.request.method=_OTHER http.route=/ error.type=NOT_FOUND http.response.status_code=404
POST /graphql http.request.method=POST http.route=/graphql http.response.status_code=200
  mutation deletePayments graphql.operation.type=mutation tributary.graphql.field=deletePayments error.type=PAYMENT_NOT_FOUND
POST /graphql http.request.method=POST http.route=/graphql http.response.status_code=200
`, s.tree(t))
	})

	t.Run("have the ids of requests", func(t *testing.T) {
		t.Parallel()
		s := startTraced(t, server.Config{})
		id := s.get(t, http.MethodGet, "/healthz").header.Get("X-Request-Id")
		_ = s.tree(t)
		for _, attribute := range s.collector.Spans()[0].Attributes {
			if attribute.Key == "tributary.request_id" {
				require.Equal(t, id, tracetest.Value(attribute.Value))
				return
			}
		}
		t.Fatal("there is none")
	})
}

func TestTraces_traceparent(t *testing.T) {
	t.Parallel()
	const id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, c := range map[string]struct {
		trusted      bool
		traceparents []string
		spans        int
		goesOn       bool
	}{
		"goes on with that of a proxy":                          {true, []string{"00-" + id + "-" + parent + "-01"}, 2, true},
		"is not recorded if the proxy says so":                  {true, []string{"00-" + id + "-" + parent + "-00"}, 0, false},
		"begins anew for others":                                {false, []string{"00-" + id + "-" + parent + "-01"}, 2, false},
		"begins anew for others, who cannot keep it from being": {false, []string{"00-" + id + "-" + parent + "-00"}, 2, false},
		"begins anew if there are two":                          {true, []string{"00-" + id + "-" + parent + "-01", "00-" + id + "-" + parent + "-01"}, 2, false},
		"begins anew if there is nonsense":                      {true, []string{canary}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startTraced(t, server.Config{Trusts: func(*http.Request) bool { return c.trusted }})
			r := s.request(t, http.MethodPost, "/api/v1/payments", payment("", ""))
			r.Header["Traceparent"], r.Header["Tracestate"] = c.traceparents, []string{"vendor=" + canary}
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			received(t, res)
			require.NotContains(t, strings.ToLower(s.tree(t)), canary)
			spans := s.collector.Spans()
			require.Len(t, spans, c.spans)
			for _, span := range spans {
				require.Empty(t, span.TraceState)
			}
			if c.goesOn {
				require.Equal(t, id, hex.EncodeToString(spans[0].TraceId))
				require.Equal(t, parent, hex.EncodeToString(spans[0].ParentSpanId))
			} else if c.spans > 0 {
				require.NotEqual(t, id, hex.EncodeToString(spans[0].TraceId))
				require.Empty(t, spans[0].ParentSpanId)
			}
		})
	}
}
