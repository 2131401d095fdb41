package traces_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/span"
	"tributary/internal/traces"
)

// logged is a log that is written while a test reads it.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// tracing makes spans of requests of nobody.
type tracing struct {
	sent *traces.Traces
	log  logged
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
		_, served := span.Request(c.sent.Tracer, r, "/", func(*http.Request) bool { return false })
		served.End(http.StatusOK)
	}
}

// TestTraces_bounded makes a hundred times as many spans as may wait, for a collector that never answers. None of
// them waits, and what they take does not grow.
func TestTraces_bounded(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
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
}

// TestTraces_overflow makes more spans than may wait, for a collector that takes its time.
func TestTraces_overflow(t *testing.T) {
	taken := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-taken }))
	t.Cleanup(slow.Close)
	c := open(t, slow.URL)
	c.fill(20_000)
	close(taken)
	c.sent.Close(t.Context())
	require.Equal(t, 1, strings.Count(c.log.String(), "more are made than the collector takes"))
}
