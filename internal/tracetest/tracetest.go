// Package tracetest is a collector of traces for tests.
package tracetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Path is where a collector takes spans.
const Path = "/v1/traces"

// Collector keeps the spans that it is sent. It is safe for concurrent use.
type Collector struct {
	URL string // without Path

	mu       sync.Mutex
	received []*collector.ExportTraceServiceRequest
	headers  []http.Header
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		var received collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &received)
		}
		if err != nil {
			t.Errorf("the collector was sent what is no OTLP: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.received, c.headers = append(c.received, &received), append(c.headers, r.Header)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Requests are all requests so far, as they were sent.
func (c *Collector) Requests() []*collector.ExportTraceServiceRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received)
}

// Headers are those of all requests so far.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.headers)
}

// Spans are all spans so far, by when they began.
func (c *Collector) Spans() (all []*trace.Span) {
	for _, request := range c.Requests() {
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *trace.Span) int { return int(int64(a.StartTimeUnixNano) - int64(b.StartTimeUnixNano)) })
	return all
}

// Tree is all spans so far as text, each below its parent and with its status, attributes and the names of the spans
// that it is linked with. The ids of requests are left out.
func (c *Collector) Tree() string {
	var text strings.Builder
	all := c.Spans()
	var write func(parent []byte, indent string)
	write = func(parent []byte, indent string) {
		for _, span := range all {
			if string(span.ParentSpanId) == string(parent) {
				fmt.Fprintf(&text, "%s%s\n", indent, describe(span, all))
				write(span.SpanId, indent+"  ")
			}
		}
	}
	write(nil, "")
	return text.String()
}

func describe(span *trace.Span, all []*trace.Span) string {
	words := []string{span.Name}
	if code := span.GetStatus().GetCode(); code != trace.Status_STATUS_CODE_UNSET {
		words = append(words, code.String())
	}
	for _, attribute := range span.Attributes {
		if attribute.Key != "tributary.request_id" {
			words = append(words, attribute.Key+"="+Value(attribute.Value))
		}
	}
	for _, link := range span.Links {
		at := slices.IndexFunc(all, func(other *trace.Span) bool {
			return string(other.SpanId) == string(link.SpanId) && string(other.TraceId) == string(link.TraceId)
		})
		if at < 0 {
			words = append(words, "-> nothing")
		} else {
			words = append(words, "-> "+all[at].Name)
		}
	}
	return strings.Join(words, " ")
}

// Text is all that was sent so far, with a line for each span and each description of what has sent them.
func (c *Collector) Text() string {
	var text strings.Builder
	for _, request := range c.Requests() {
		for _, resource := range request.ResourceSpans {
			fmt.Fprintln(&text, resource.Resource)
			for _, scope := range resource.ScopeSpans {
				fmt.Fprintln(&text, scope.Scope)
			}
		}
	}
	for _, span := range c.Spans() {
		fmt.Fprintln(&text, span)
	}
	return text.String()
}

// Value is a value of an attribute that is text or a number.
func Value(value *common.AnyValue) string {
	if text, ok := value.Value.(*common.AnyValue_StringValue); ok {
		return text.StringValue
	}
	return fmt.Sprint(value.GetIntValue())
}
