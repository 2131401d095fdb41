package traces_test

import (
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"tributary/internal/logtest"
	"tributary/internal/span"
	"tributary/internal/traces"
	"tributary/internal/tracetest"
)

// tracing makes spans of requests of nobody.
type tracing struct {
	sent *traces.Traces
	log  logtest.Buffer
}

func open(t *testing.T, url string) *tracing {
	t.Helper()
	c := &tracing{}
	var err error
	c.sent, err = traces.Open(t.Context(), traces.Config{Endpoint: url, Logger: slog.New(slog.NewTextHandler(&c.log, nil))})
	require.NoError(t, err)
	return c
}

// fill makes spans.
func (c *tracing) fill(spans int) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for range spans {
		_, served := c.sent.Tracer.Request(r, "/", func(*http.Request) bool { return false })
		served.End(http.StatusOK)
	}
}

// TestTraces_bounded makes a hundred times as many spans as may wait, for a collector that never answers. None of
// them waits, and what they take does not grow.
func TestTraces_bounded(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000")
	t.Setenv("OTEL_BSP_EXPORT_TIMEOUT", "3600000")
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	connected := make(chan net.Conn, 1)
	go func() {
		conn, _ := silent.Accept()
		connected <- conn
	}()
	c := open(t, "http://"+silent.Addr().String())
	memory := func() uint64 {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	c.fill(10_000) // the queue is full
	before := memory()
	c.fill(200_000)
	require.Less(t, memory(), before+(8<<20), "bytes")
	c.sent.Close(t.Context())
	require.Contains(t, c.log.String(), "the last traces were not sent")
	conn := <-connected
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = io.Copy(io.Discard, conn)
	require.NoError(t, err, "it is still sent to")
}

// TestTraces_overflow makes more spans than may wait, for a collector that takes its time.
func TestTraces_overflow(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"as it is":                            nil,
		"with batches larger than what waits": {"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100000"}, // which OpenTelemetry does not heed
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range variables {
				t.Setenv(variable, value)
			}
			taken := make(chan struct{})
			slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-taken }))
			t.Cleanup(slow.Close)
			c := open(t, slow.URL)
			c.fill(20_000)
			close(taken)
			c.sent.Close(t.Context())
			require.Equal(t, 1, strings.Count(c.log.String(), "more are made than the collector takes"))
		})
	}
}

// TestTraces_whole has a client choose an id that no ratio takes: of a request that is recorded all is, as of others.
func TestTraces_whole(t *testing.T) {
	t.Setenv("OTEL_TRACES_SAMPLER", "traceidratio")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
	collector := tracetest.New(t)
	c := open(t, collector.URL)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6ffffffffffffffff-00f067aa0ba902b7-01")
	for range 100 {
		r, served := c.sent.Tracer.Request(r, "/", func(*http.Request) bool { return true })
		span.Read(r.Context(), "revenue")()
		served.End(http.StatusOK)
	}
	c.sent.Close(t.Context())
	requests, reads := 0, 0
	for _, recorded := range collector.Spans() {
		if recorded.Kind == trace.Span_SPAN_KIND_SERVER {
			requests++
		} else {
			reads++
		}
	}
	require.NotZero(t, requests)
	require.Equal(t, requests, reads)
}

// TestTraces_certificate has a certificate for all collectors of a cluster, of which one beside the server needs none.
func TestTraces_certificate(t *testing.T) {
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"https": httptest.NewTLSServer, "http": httptest.NewServer} {
		t.Run(scheme, func(t *testing.T) {
			var taken atomic.Int64
			collector := start(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
			t.Cleanup(collector.Close)
			other := httptest.NewTLSServer(nil) // has the same certificate
			t.Cleanup(other.Close)
			file := filepath.Join(t.TempDir(), "ca.pem")
			text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw})
			require.NoError(t, os.WriteFile(file, text, 0o600))
			t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", file)
			c := open(t, collector.URL)
			c.fill(1)
			c.sent.Close(t.Context())
			require.EqualValues(t, 1, taken.Load(), "%s", &c.log)
		})
	}
}

// TestTraces_redirected has a collector send its requests on to somebody else.
func TestTraces_redirected(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret")
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			var got atomic.Int64
			other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
			t.Cleanup(other.Close)
			collector := httptest.NewServer(http.RedirectHandler(other.URL, status))
			t.Cleanup(collector.Close)
			c := open(t, collector.URL)
			c.fill(1)
			c.sent.Close(t.Context())
			require.Zero(t, got.Load(), "requests to another address, with the key")
			require.Contains(t, c.log.String(), "the collector redirects")
		})
	}
}
