package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/internal/server/pages"
	"tributary/openapi"
)

// get fetches a page without a token, and follows no redirect.
func (s *stack) get(t testing.TB, method, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
	require.NoError(t, err)
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	return received(t, res)
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	requests, ids := 0, map[string]bool{}

	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"HEAD", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/playground", 200, "text/html; charset=utf-8"},
		{"GET", "/docs", 301, "text/html; charset=utf-8"},
		{"GET", "/docs/", 200, "text/html"},
		{"GET", "/docs/swagger-ui-bundle.js", 200, "javascript"},
		{"GET", "/assets/playground.js", 200, "javascript"},
		{"GET", "/js/script.js", 200, "application/javascript"},
		{"GET", "/openapi.yaml", 200, "application/yaml"},
		{"GET", "/openapi.json", 200, "application/json"},
		{"HEAD", "/openapi.json", 200, "application/json"},
		{"GET", "/healthz", 200, "application/json"},
		{"GET", "/readyz", 200, "application/json"},
		{"HEAD", "/readyz", 200, "application/json"},
		{"GET", "/graphql", 401, "application/json; charset=utf-8"},
		{"GET", "/api/v1/payments", 401, "application/json"},
		{"GET", "/api/v2", 401, "application/json"},
		{"GET", "/nothing", 404, "application/json"},
		{"GET", "/assets/nothing.js", 404, "text/plain; charset=utf-8"},
		{"GET", "/docs/../../etc/passwd", 307, ""},
		{"POST", "/", 405, "text/plain; charset=utf-8"},
		{"DELETE", "/openapi.yaml", 405, "text/plain; charset=utf-8"},
		{"POST", "/healthz", 405, "application/json"},
	} {
		got := s.get(t, c.method, c.path)
		where := c.method + " " + c.path
		require.Equal(t, c.status, got.status, where)
		require.Contains(t, got.header.Get("Content-Type"), c.contentType, where)
		require.Regexp(t, "^[0-9a-f]{16}$", got.header.Get("X-Request-Id"), where)
		require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"), where)
		require.Equal(t, c.status == http.StatusMethodNotAllowed, got.header.Get("Allow") != "", where)
		ids[got.header.Get("X-Request-Id")] = true
		requests++
	}
	require.Len(t, ids, requests, "each request has an id of its own")

	t.Run("pages that people open have a policy", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/", "/playground", "/docs/"} {
			got := s.get(t, http.MethodGet, path)
			require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'", path)
			require.Contains(t, got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"), path)
			require.Equal(t, "same-origin", got.header.Get("Cross-Origin-Opener-Policy"), path)
		}
	})

	t.Run("the playground's first query suits a website without data", func(t *testing.T) {
		t.Parallel()
		page := s.get(t, http.MethodGet, "/playground").body
		var settings struct{ Tabs []struct{ Query string } }
		found := regexp.MustCompile(`<script id="settings" type="application/json">(.*)</script>`).FindStringSubmatch(page)
		require.Len(t, found, 2)
		require.NoError(t, json.Unmarshal([]byte(found[1]), &settings))
		var got struct {
			RevenueBy struct{ Edges []any }
		}
		s.graphql(t, settings.Tabs[0].Query, nil, &got)
		require.NotNil(t, got.RevenueBy.Edges)
	})

	t.Run("a method that a path of the API lacks is named", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodOptions} {
			got := s.do(t, s.request(t, method, payments, ""))
			got.refused(t, http.StatusMethodNotAllowed, "method_not_allowed")
			require.Equal(t, "DELETE, POST", got.header.Get("Allow"))
		}
		got := s.do(t, s.request(t, http.MethodPost, "/readyz", ""))
		got.refused(t, http.StatusMethodNotAllowed, "method_not_allowed")
		require.Equal(t, "GET, HEAD", got.header.Get("Allow"))
	})

	t.Run("a wrong base URL is told, in the envelope, where the API is", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/nothing", "/v1/payments", "/payments", "/graphql/", "/graphql/v1", "/api", "/playground/x", "/" + canary} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
				got := s.do(t, s.request(t, method, path, ""))
				got.refused(t, http.StatusNotFound, "not_found")
				require.Contains(t, got.body, "/openapi.yaml", path)
				require.NotContains(t, got.body, canary)
			}
		}
	})

	t.Run("a browser is told so in text", func(t *testing.T) {
		t.Parallel()
		r := s.request(t, http.MethodGet, "/nothing", "")
		r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		got := s.do(t, r)
		require.Equal(t, http.StatusNotFound, got.status)
		require.Contains(t, got.header.Get("Content-Type"), "text/plain")
	})

	t.Run("an unknown path of the API has the envelope", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/api/", "/api/v1/payments/", "/api/v1/" + canary, "/api/v1/PAYMENTS"} {
			got := s.do(t, s.request(t, http.MethodPost, path, payment("", "")))
			got.refused(t, http.StatusNotFound, "not_found")
			require.NotContains(t, got.body, canary)
		}
	})
}

func TestPublishedContract(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	asYAML, asJSON := s.get(t, http.MethodGet, "/openapi.yaml"), s.get(t, http.MethodGet, "/openapi.json")

	require.Equal(t, strings.TrimSuffix(string(openapi.YAML), "\n"), asYAML.body, "as it was written, with its comments")
	var fromYAML, fromJSON any
	require.NoError(t, yaml.Unmarshal([]byte(asYAML.body), &fromYAML))
	plain, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(plain, &fromYAML))
	require.NoError(t, json.Unmarshal([]byte(asJSON.body), &fromJSON))
	require.Empty(t, cmp.Diff(fromYAML, fromJSON), "both are one document")
	for _, text := range []string{asYAML.body, asJSON.body} {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
		require.NoError(t, err)
		require.NoError(t, doc.Validate(t.Context()))
	}

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/openapi.json", nil)
	require.NoError(t, err)
	r.Header.Set("If-None-Match", asJSON.header.Get("ETag"))
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotModified, received(t, res).status)
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	health := func(t *testing.T, s *stack, path string) answer {
		t.Helper()
		return s.do(t, s.request(t, http.MethodGet, path, ""))
	}

	t.Run("alive and ready", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		require.Equal(t, `{"status":"success","data":{"state":"alive"}}`, health(t, s, "/healthz").body)
		require.Equal(t, `{"status":"success","data":{"state":"ready"}}`, health(t, s, "/readyz").body)
	})

	t.Run("not before the migrations", func(t *testing.T) {
		t.Parallel()
		dsn := dbtest.New(t)
		s := open(t, options{DSN: dsn})
		s.serve(t, s.handler(pages.Config{}))
		require.Equal(t, http.StatusOK, health(t, s, "/healthz").status)
		got := health(t, s, "/readyz")
		got.refused(t, http.StatusServiceUnavailable, "unavailable")
		require.NotEmpty(t, got.header.Get("Retry-After"))
		_, err := db.Migrate(t.Context(), dsn, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, health(t, s, "/readyz").status)
	})
}

// A page is for everyone: nothing on it may depend on what a stranger puts into its address.
func TestPages_echoNothing(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	hostile := url.PathEscape("<script>" + canary + "</script>")
	for _, path := range []string{"/?q=" + hostile, "/playground?query=" + hostile, "/docs/?url=" + hostile, "/" + hostile, "/api/v1/" + hostile} {
		got := s.get(t, http.MethodGet, path)
		require.NotContains(t, got.body, canary, path)
	}
}
