package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/metrics"
	"tributary/internal/server"
)

// figures is what Prometheus reads of a stack, by name and labels.
func figures(t testing.TB, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	all := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^([^#].*) (\S+)$`).FindAllStringSubmatch(w.Body.String(), -1) {
		all[found[1]] = found[2]
	}
	return all
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New("v1.2.3")
	s := start(t, options{Server: server.Config{Observer: m, TokenRate: 1, InFlight: 4}})
	m.WatchPool("primary", s.store.Pool)
	m.WatchCommits(s.store)

	s.posted(t, payment("transaction_id", `"t1"`))
	s.posted(t, payment("transaction_id", `"t2"`))
	s.post(t, payment("amount", "-1")).refused(t, http.StatusBadRequest, "invalid_amount")
	s.get(t, http.MethodGet, "/api/v1/"+canary)
	s.get(t, canary, "/"+canary)
	ask := func(body string) {
		r := s.request(t, http.MethodPost, "/graphql", body)
		r.Header.Set("Authorization", "Bearer "+s.token)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		received(t, res)
	}
	name := strings.ReplaceAll(canary, "-", "_") // as GraphQL names things
	ask(`{"query":"query ` + name + ` { ` + name + `: websites { id } other: websites { id } }"}`)
	ask(`{"query":"{ visitor(websiteId: \"` + canary + `\", id: \"v\") { id } }"}`)
	ask(`{"query":"{ ` + name + ` }"}`)
	ask(`{"query":"{ payments(first: 99999999) { nodes { id } } }"}`)
	release := s.block(t)
	held := meanwhile(func() answer { return s.post(t, payment("transaction_id", `"t3"`)) })
	s.awaitBlocked(t)
	require.Equal(t, "1", figures(t, m)["tributary_http_requests_in_flight"])
	require.Equal(t, "1", figures(t, m)[`tributary_db_connections_in_use{database="primary"}`])
	release()
	require.Equal(t, http.StatusOK, held().status)
	for range 10 {
		s.post(t, payment("transaction_id", `"t1"`))
	}

	got := figures(t, m)
	for figure, want := range map[string]string{
		`tributary_http_request_duration_seconds_count{method="POST",route="/api/v1/payments",status="2xx"}`:  "9",
		`tributary_http_request_duration_seconds_count{method="POST",route="/api/v1/payments",status="4xx"}`:  "5",
		`tributary_http_request_duration_seconds_count{method="GET",route="/api/",status="4xx"}`:              "1",
		`tributary_http_request_duration_seconds_count{method="other",route="/",status="4xx"}`:                "1",
		`tributary_graphql_field_duration_seconds_count{field="websites",operation="query",outcome="ok"}`:     "2",
		`tributary_graphql_field_duration_seconds_count{field="visitor",operation="query",outcome="refused"}`: "1",
		`tributary_graphql_refused_total`:                                     "2",
		`tributary_refused_total{limit="token_rate"}`:                         "4",
		`tributary_refused_total{limit="overload"}`:                           "0",
		`tributary_commit_batch_size_count{of="payments"}`:                    "9",
		`tributary_commit_batch_size_sum{of="payments"}`:                      "9",
		`tributary_commit_duration_seconds_count{of="payments",outcome="ok"}`: "9",
		`tributary_commit_waiting{of="payments"}`:                             "0",
		`tributary_db_connections_max{database="primary"}`:                    "8",
		`tributary_http_requests_in_flight`:                                   "0",
		`tributary_panics_total`:                                              "0",
	} {
		require.Equal(t, want, got[figure], figure)
	}
	for figure := range got {
		require.NotContains(t, strings.ReplaceAll(strings.ToLower(figure), "_", "-"), canary, "no client names a label")
	}
	require.Equal(t, "1", got[`tributary_build_info{go="`+runtime.Version()+`",version="v1.2.3"}`])
	require.Contains(t, got, "go_goroutines")

	t.Run("are not where the requests are", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusNotFound, s.get(t, http.MethodGet, metrics.Path).status)
	})
}

func TestMetrics_overload(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	s := start(t, options{Server: server.Config{Observer: m, InFlight: 2}})
	release := s.block(t)
	held := meanwhile(func() answer { return s.post(t, payment("", "")) })
	s.awaitBlocked(t)
	s.post(t, payment("", "")).refused(t, http.StatusServiceUnavailable, "unavailable")
	require.Equal(t, "1", figures(t, m)[`tributary_refused_total{limit="overload"}`])
	release()
	held()
}
