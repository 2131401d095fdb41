package span

import (
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tributary/model"
)

// methods are those that a span names. A client can send any text as a method.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// traceparent is the header by which a request goes on with a trace, as W3C has it.
const traceparent = "Traceparent"

// Served is the span of an HTTP request. The zero value belongs to no trace.
type Served struct{ recorded trace.Span }

// Tracer makes the spans of requests. The zero value makes none.
type Tracer struct{ of trace.Tracer }

// NewTracer makes a tracer whose spans go to a provider.
func NewTracer(provider trace.TracerProvider) Tracer { return Tracer{provider.Tracer(scope)} }

// Request begins the span of a request to a route, which is a pattern and not the path that was asked for, and puts it
// into the request's context. One that is trusted goes on with the trace that its traceparent names. The header
// tracestate is never read: it is text of whoever wrote it.
func (t Tracer) Request(r *http.Request, route string, trusts func(*http.Request) bool) (*http.Request, Served) {
	if t.of == nil {
		return r, Served{}
	}
	ctx := r.Context()
	if brought := r.Header[traceparent]; len(brought) == 1 && trusts(r) {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": brought[0]})
	}
	method, named := r.Method, r.Method
	if !slices.Contains(methods, method) {
		method, named = "_OTHER", "HTTP"
	}
	ctx, begun := t.of.Start(ctx, named+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route), attribute.String("tributary.request_id", model.RequestID(ctx)),
	))
	return r.WithContext(ctx), Served{begun}
}

// End ends the span with the status that was answered.
func (s Served) End(status int) {
	if s.recorded == nil {
		return
	}
	s.recorded.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if status >= http.StatusInternalServerError {
		s.recorded.SetStatus(codes.Error, "")
	}
	s.recorded.End()
}
