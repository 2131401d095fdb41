package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/internal/server"
	"tributary/openapi"
	"tributary/rest"
)

// What a server answers, with all its parts behind it, is tested in internal/e2e.
func TestNew_panics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	panics := func(cause any) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(cause) })
	}
	handler := func(cause any) http.Handler {
		return server.New(server.Config{
			GraphQL: panics(cause), REST: panics(cause), Pages: panics(cause),
			GraphQLError: graph.WriteError, RESTError: rest.WriteError,
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
	}

	for _, path := range []string{"/healthz", "/", "/docs/"} {
		answer := httptest.NewRecorder()
		handler("a secret cause").ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusInternalServerError, answer.Code)
		var envelope openapi.ErrorResponse
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &envelope))
		require.Equal(t, openapi.ErrorReasonInternal, envelope.Error.Reason)
		require.Equal(t, answer.Header().Get("X-Request-Id"), envelope.Error.RequestId)
		require.NotContains(t, answer.Body.String(), "secret")
		require.Contains(t, log.String(), "a secret cause")
		require.Contains(t, log.String(), envelope.Error.RequestId)
	}

	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		handler(http.ErrAbortHandler).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}, "a handler that gives up on its connection is let through")
}
