// Package metrics counts what a server does, for Prometheus. No label has a value that a client can choose.
package metrics

import (
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tributary/db"
	"tributary/model"
	"tributary/rest"
)

// Path is where the figures are.
const Path = "/metrics"

// seconds are the bounds of durations: a payment takes one to some ten milliseconds, a request at most 30 seconds.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are the figures of one server. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	fields   *prometheus.HistogramVec
	queries  prometheus.Counter
	batches  *prometheus.HistogramVec
	commits  *prometheus.HistogramVec
	panics   prometheus.Counter
	refused  *prometheus.CounterVec
	cut      prometheus.Counter
}

// New makes the figures of a server of this version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: histogram("tributary_http_request_duration_seconds",
			"Time until a request was answered, by route, method and class of status.", seconds, "route", "method", "status"),
		fields: histogram("tributary_graphql_field_duration_seconds",
			"Time that a root field of a GraphQL operation took, by its name in the schema; outcome is ok, refused (the client's fault) or failed.",
			seconds, "operation", "field", "outcome"),
		queries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tributary_graphql_refused_total", Help: "GraphQL queries that were not run: not well formed, not of the schema, or above a limit.",
		}),
		batches: histogram("tributary_commit_batch_size",
			"Payments, pageviews or other events that share a transaction.", []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000}, "of"),
		commits: histogram("tributary_commit_duration_seconds", "Time that such a transaction took.", seconds, "of", "outcome"),
		panics:  prometheus.NewCounter(prometheus.CounterOpts{Name: "tributary_panics_total", Help: "Panics while a request was answered: faults in Tributary."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tributary_refused_total",
			Help: "Requests refused for a limit: overload (requests at a time), token_rate, event_rate (of an address).",
		}, []string{"limit"}),
		cut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tributary_connections_cut_total", Help: "Connections closed for others, at the limit of connections.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tributary_build_info", Help: "1, with the version of the server.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.fields, m.queries, m.batches, m.commits, m.panics, m.refused, m.cut, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, limit := range []string{limitOverload, limitTokenRate, limitEventRate} {
		m.refused.WithLabelValues(limit) // is 0 from the start
	}
	return m
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// Handler serves the figures at Path, in the formats that Prometheus asks for.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// methods are those that have a label of their own.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodOptions}

// Answered counts a request. The route is a pattern, not the path that was asked for.
func (m *Metrics) Answered(route, method string, status int, took time.Duration) {
	if !slices.Contains(methods, method) {
		method = "other"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// Resolved counts a root field of an operation, named as in the schema. The code is that of its first error, "" if it
// has none.
func (m *Metrics) Resolved(operation, field string, code model.Code, took time.Duration) {
	outcome := "refused"
	switch code {
	case "":
		outcome = "ok"
	case model.CodeInternal, model.CodeUnavailable:
		outcome = "failed"
	}
	m.fields.WithLabelValues(operation, field, outcome).Observe(took.Seconds())
}

// Refused counts a GraphQL query that was not run. It has no field yet that it could be counted by.
func (m *Metrics) Refused() { m.queries.Inc() }

func (m *Metrics) committed(c db.Commit) {
	outcome := "ok"
	if c.Err != nil {
		outcome = "failed"
	}
	m.batches.WithLabelValues(c.Of).Observe(float64(c.Items))
	m.commits.WithLabelValues(c.Of, outcome).Observe(c.Took.Seconds())
}

// The limits that requests are refused for.
const (
	limitOverload  = "overload"
	limitTokenRate = "token_rate"
	limitEventRate = "event_rate"
)

// Panicked counts a panic.
func (m *Metrics) Panicked() { m.panics.Inc() }

// Overloaded counts a request that was refused because too many are under way.
func (m *Metrics) Overloaded() { m.refused.WithLabelValues(limitOverload).Inc() }

// TokenLimited counts a request that was refused because its token asks too often.
func (m *Metrics) TokenLimited() { m.refused.WithLabelValues(limitTokenRate).Inc() }

// CountSenders counts the events that are refused because their address sends too many.
func (m *Metrics) CountSenders(senders rest.Senders) rest.Senders {
	admit := senders.Admit
	senders.Admit = func(r *http.Request) (time.Duration, bool) {
		wait, ok := admit(r)
		if !ok {
			m.refused.WithLabelValues(limitEventRate).Inc()
		}
		return wait, ok
	}
	return senders
}

// ConnectionCut counts a connection that was closed for another one.
func (m *Metrics) ConnectionCut() { m.cut.Inc() }
