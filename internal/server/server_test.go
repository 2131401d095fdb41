package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/internal/metrics"
	"tributary/internal/server"
	"tributary/openapi"
	"tributary/rest"
)

// What a server answers, with all its parts behind it, is tested in internal/e2e.
func TestNew_panics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	figures := metrics.New("")
	var observer server.Observer = figures
	panics := func(cause any) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(cause) })
	}
	handler := func(cause any) http.Handler {
		return server.New(server.Config{
			GraphQL: panics(cause), REST: panics(cause), Pages: panics(cause),
			GraphQLError: graph.WriteError, RESTError: rest.WriteError,
			Logger: slog.New(slog.NewTextHandler(&log, nil)), Observer: observer,
		})
	}

	panicking := handler("a secret cause")
	for _, path := range []string{"/healthz", "/", "/docs/"} {
		answer := httptest.NewRecorder()
		panicking.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusInternalServerError, answer.Code)
		var envelope openapi.ErrorResponse
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &envelope))
		require.Equal(t, openapi.ErrorReasonInternal, envelope.Error.Reason)
		require.Equal(t, answer.Header().Get("X-Request-Id"), envelope.Error.RequestId)
		require.NotContains(t, answer.Body.String(), "secret")
		require.Contains(t, log.String(), "a secret cause")
		require.Contains(t, log.String(), envelope.Error.RequestId)
	}
	counted := httptest.NewRecorder()
	figures.Handler().ServeHTTP(counted, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	require.Contains(t, counted.Body.String(), "\ntributary_panics_total 3\n")

	observer = nil
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		handler(http.ErrAbortHandler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}, "a handler that gives up on its connection is let through")
}

// A client that does not fetch its answer keeps nobody else from one.
func TestNew_slowReader(t *testing.T) {
	t.Parallel()
	answering := make(chan struct{}, 100)
	events := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answering <- struct{}{}
		_, _ = w.Write(make([]byte, 64<<20)) // more than a connection buffers
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	handler := server.New(server.Config{REST: events, RESTError: rest.WriteError, InFlight: 2, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() {
		stopped <- server.Serve(ctx, listener, handler, server.Limits{}, slog.New(slog.DiscardHandler))
	}()
	for range 10 {
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			_, err = io.WriteString(conn, "GET /api/events HTTP/1.1\r\nHost: tributary\r\n\r\n")
			require.NoError(t, err)
			status, err := bufio.NewReaderSize(conn, 16).ReadString(' ') // and no more of it
			require.NoError(t, err)
			return status == "HTTP/1.1 " && len(answering) > 0 && <-answering == struct{}{}
		}, 20*time.Second, time.Millisecond)
	}
	stop()
	require.NoError(t, <-stopped)
}
