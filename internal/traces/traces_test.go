package traces_test

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/span"
	"tributary/internal/traces"
)

// TestTraces_bounded makes a hundred times as many spans as may wait, for a collector that never answers. None of
// them waits, and what they take does not grow.
func TestTraces_bounded(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and never answers
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	var log strings.Builder
	sent, err := traces.Open(t.Context(), traces.Config{Endpoint: "http://" + silent.Addr().String(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	fill := func(spans int) uint64 {
		for range spans {
			_, served := span.Request(sent.Tracer, r, "/", func(*http.Request) bool { return false })
			served.End(http.StatusOK)
		}
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	before := fill(10_000) // the queue is full
	after := fill(200_000)
	require.Less(t, after, before+(8<<20), "bytes")
	sent.Close(t.Context())
	require.Contains(t, log.String(), "the last traces were not sent")
}
