package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	s := start(t, options{Server: server.Config{Trusts: func(r *http.Request) bool { return r.Header.Get("From-Proxy") != "" }}})
	answered := func(proxy string, ids ...string) string {
		r := s.request(t, http.MethodGet, "/api/v1/nothing", "")
		r.Header["From-Proxy"], r.Header["X-Request-Id"] = []string{proxy}, ids
		got := s.do(t, r)
		got.refused(t, http.StatusNotFound, "not_found") // with the same id in its envelope
		return got.header.Get("X-Request-Id")
	}
	const own = "4bf92f35-77b3.4da6_A3CE"
	require.Equal(t, own, answered("yes", own))
	for _, id := range [][]string{{""}, {"short"}, {strings.Repeat("a", 65)}, {"with a space"}, {`"quoted" id`}, {"ümlaut-id"}, {own, own}, nil} {
		require.Regexp(t, "^[0-9a-f]{16}$", answered("yes", id...))
	}
	require.Regexp(t, "^[0-9a-f]{16}$", answered("", own), "a stranger chooses no id")
}

func TestCORS(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, s *stack, method, path, origin, wants string) answer {
		t.Helper()
		r := s.request(t, method, path, "")
		r.Header.Set("Origin", origin)
		if wants != "" {
			r.Header.Set("Access-Control-Request-Method", wants)
			r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
			r.Header.Del("Authorization")
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		return received(t, res)
	}
	const app, evil = "https://app.example.com", "https://evil.example"
	paths := []string{payments, "/graphql"}

	t.Run("no page may call the API", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		for _, path := range paths {
			require.Equal(t, http.StatusUnauthorized, ask(t, s, http.MethodOptions, path, app, "POST").status)
			require.Empty(t, ask(t, s, http.MethodGet, path, app, "").header.Get("Access-Control-Allow-Origin"))
		}
		require.Equal(t, "*", ask(t, s, http.MethodGet, "/api/events", app, "").header.Get("Access-Control-Allow-Origin"), "but every one may send events")
	})

	t.Run("but those of the origins that are named", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{Server: server.Config{CORSOrigins: []string{"https://other.example", app}}})
		for _, path := range paths {
			got := ask(t, s, http.MethodOptions, path, app, "DELETE")
			require.Equal(t, http.StatusNoContent, got.status)
			require.Equal(t, app, got.header.Get("Access-Control-Allow-Origin"))
			require.Equal(t, "GET, POST, DELETE", got.header.Get("Access-Control-Allow-Methods"))
			require.Equal(t, "Authorization, Content-Type", got.header.Get("Access-Control-Allow-Headers"))
			require.Empty(t, got.header.Get("Access-Control-Allow-Credentials"))
			got = ask(t, s, http.MethodGet, path, app, "")
			require.Equal(t, app, got.header.Get("Access-Control-Allow-Origin"))
			require.Contains(t, got.header.Get("Access-Control-Expose-Headers"), "X-Request-Id")
			require.Equal(t, "Origin", got.header.Get("Vary"))

			for _, origin := range []string{evil, "null", "", "*", app + ".evil.example", strings.ToUpper(app)} {
				require.Equal(t, http.StatusUnauthorized, ask(t, s, http.MethodOptions, path, origin, "POST").status)
				got = ask(t, s, http.MethodGet, path, origin, "")
				require.Empty(t, got.header.Get("Access-Control-Allow-Origin"), origin)
				require.Equal(t, "Origin", got.header.Get("Vary"), "a cache keeps them apart")
			}
		}
		for _, path := range []string{"/", "/docs/", "/playground", "/readyz", "/openapi.json"} {
			require.Empty(t, ask(t, s, http.MethodGet, path, app, "").header.Get("Access-Control-Allow-Origin"), path)
		}
	})

	t.Run("or those of all", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{Server: server.Config{CORSOrigins: []string{"*"}}})
		require.Equal(t, "*", ask(t, s, http.MethodOptions, "/graphql", evil, "POST").header.Get("Access-Control-Allow-Origin"))
	})
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for _, path := range []string{"/", "/playground", "/docs/", "/docs/swagger-ui.css", "/openapi.json", "/js/script.js", "/healthz", "/nothing", "/graphql", payments, "/api/events"} {
		got := s.get(t, http.MethodGet, path)
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.Contains(t, got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		require.NotRegexp(t, "script-src[^;]*unsafe", got.header.Get("Content-Security-Policy"), path)
		require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"), path)
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"), path)
	}
	for _, path := range []string{"/graphql?query=%7Bwebsites%7Bid%7D%7D", payments} {
		res, err := http.DefaultClient.Do(s.request(t, http.MethodGet, path, ""))
		require.NoError(t, err)
		require.Equal(t, "no-store", received(t, res).header.Get("Cache-Control"), path)
	}
}
