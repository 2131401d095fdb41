package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// built is what the assets folder is after npm run build; the libraries' content does not matter.
func built(t *testing.T) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	for _, name := range []string{"icon.svg", "start.css", "playground.css", "playground.js"} {
		content, err := assets.ReadFile("assets/" + name)
		require.NoError(t, err)
		all["assets/"+name] = &fstest.MapFile{Data: content}
	}
	for _, l := range libraries() {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := io.WriteString(w, "/* "+l.path()+" */")
		require.NoError(t, err)
		require.NoError(t, w.Close())
		all["assets/npm/"+l.path()+".gz"] = &fstest.MapFile{Data: packed.Bytes()}
	}
	return all
}

func get(t *testing.T, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestNew(t *testing.T) {
	t.Parallel()
	h := newHandler(Config{Version: "1.2.3"}, built(t))

	for path, contentType := range map[string]string{
		"/":                          "text/html; charset=utf-8",
		"/playground":                "text/html; charset=utf-8",
		"/docs/":                     "text/html; charset=utf-8",
		"/docs/swagger-ui.css":       "text/css; charset=utf-8",
		"/docs/swagger-ui-bundle.js": "application/javascript",
		"/assets/icon.svg":           "image/svg+xml",
		"/assets/start.css":          "text/css; charset=utf-8",
		"/assets/playground.js":      "application/javascript",
		"/assets/npm/graphiql@4.1.2/graphiql.min.css":          "text/css; charset=utf-8",
		"/assets/npm/react@18.2.0/umd/react.production.min.js": "application/javascript",
	} {
		t.Run("serves "+path, func(t *testing.T) {
			t.Parallel()
			w := get(t, h, path)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, contentType, w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			require.NotEmpty(t, w.Body.Bytes())
		})
	}

	t.Run("other paths are not found, and stay uncached", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/nothing", "/index.html", "/playground/x", "/assets/", "/assets/npm/react@0/x.js", "/assets/../pages.go"} {
			w := get(t, h, path)
			require.NotEqual(t, http.StatusOK, w.Code, path)
			require.NotContains(t, w.Header().Get("Cache-Control"), "immutable", path)
		}
	})

	t.Run("a slash after the playground leads to it", func(t *testing.T) {
		t.Parallel()
		w := get(t, h, "/playground/")
		require.Equal(t, http.StatusMovedPermanently, w.Code)
		require.Equal(t, "/playground", w.Header().Get("Location"))
	})

	t.Run("a key stands in the docs, which are in no cache then", func(t *testing.T) {
		t.Parallel()
		w := get(t, newHandler(Config{Playground: Playground{Key: "df_abc"}}, built(t)), "/docs/")
		require.Contains(t, w.Body.String(), `"preAuthorizeApiKey":{"bearerAuth":"df_abc"}`)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, "no-cache", get(t, h, "/docs/").Header().Get("Cache-Control"))
	})

	t.Run("other methods are refused", func(t *testing.T) {
		t.Parallel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/playground", nil))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	})

	t.Run("libraries are immutable and compressed for those who accept it", func(t *testing.T) {
		t.Parallel()
		const path = "/assets/npm/graphiql@4.1.2/graphiql.min.js"
		plain := get(t, h, path)
		require.Equal(t, "public, max-age=31536000, immutable", plain.Header().Get("Cache-Control"))
		require.Empty(t, plain.Header().Get("Content-Encoding"))
		require.Equal(t, "/* graphiql@4.1.2/graphiql.min.js */", plain.Body.String())

		packed := get(t, h, path, "Accept-Encoding", "gzip, br")
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
		r, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, plain.Body.String(), string(content))
	})

	t.Run("own files are revalidated", func(t *testing.T) {
		t.Parallel()
		first := get(t, h, "/assets/playground.js")
		require.Equal(t, "no-cache", first.Header().Get("Cache-Control"))
		again := get(t, h, "/assets/playground.js", "If-None-Match", first.Header().Get("Etag"))
		require.Equal(t, http.StatusNotModified, again.Code)
	})

	t.Run("the start page links to everything and shows the version escaped", func(t *testing.T) {
		t.Parallel()
		body := get(t, newHandler(Config{Version: "<b>1.2.3"}, built(t)), "/").Body.String()
		for _, path := range []string{"/playground", "/docs/", "/openapi.yaml", "/openapi.json", "/healthz", "/readyz"} {
			require.Contains(t, body, `href="`+path+`"`)
		}
		require.Contains(t, body, "&lt;b&gt;1.2.3")
	})

	t.Run("pages with all libraries embedded name no other host", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/", "/playground"} {
			w := get(t, h, path)
			require.NotRegexp(t, `(?i)//[a-z0-9]`, w.Body.String(), path)
			require.NotContains(t, w.Header().Get("Content-Security-Policy"), "://", path)
			require.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe-eval", path)
			require.NotRegexp(t, `script-src[^;]*unsafe`, w.Header().Get("Content-Security-Policy"), path)
		}
	})
}

func TestNew_withoutLibraries(t *testing.T) {
	t.Parallel()

	for name, remove := range map[string]string{
		"none is embedded": "assets/npm/",
		"one is missing":   "assets/npm/react-dom@",
	} {
		t.Run("the CDN is used when "+name, func(t *testing.T) {
			t.Parallel()
			files := built(t)
			for path := range files {
				if len(path) > len(remove) && path[:len(remove)] == remove {
					delete(files, path)
				}
			}
			w := get(t, newHandler(Config{}, files), "/playground")
			body, policy := html.UnescapeString(w.Body.String()), w.Header().Get("Content-Security-Policy")
			for _, l := range libraries() {
				url := cdn + l.path()
				require.Contains(t, body, `"`+url+`" integrity="`+l.Integrity+`" crossorigin="anonymous"`)
				require.Contains(t, policy, url)
			}
			require.NotContains(t, body, "/assets/npm/")
			require.Contains(t, policy, "connect-src 'self'")
		})
	}
}

func TestPlayground(t *testing.T) {
	t.Parallel()

	read := func(t *testing.T, p Playground) (settings, http.Header) {
		t.Helper()
		w := get(t, newHandler(Config{Playground: p}, built(t)), "/playground")
		found := regexp.MustCompile(`(?s)<script id="settings" type="application/json">(.*?)</script>`).FindSubmatch(w.Body.Bytes())
		require.NotNil(t, found)
		var s settings
		require.NoError(t, json.Unmarshal(found[1], &s), "%s", found[1])
		return s, w.Header()
	}

	t.Run("a key stands in the headers editor, and the page in no cache", func(t *testing.T) {
		t.Parallel()
		s, headers := read(t, Playground{Key: "df_abc", Tabs: []Tab{{Query: "query A { a }", Variables: `{"b":1}`}}})
		require.JSONEq(t, `{"Authorization":"Bearer df_abc"}`, s.Headers)
		require.Equal(t, []Tab{{Query: "query A { a }", Variables: `{"b":1}`}}, s.Tabs)
		require.Equal(t, "no-store", headers.Get("Cache-Control"))
	})

	t.Run("hostile text stays text", func(t *testing.T) {
		t.Parallel()
		const hostile = "df_\"'</script><!--<script>alert(1)</script>&\u2028\\"
		s, _ := read(t, Playground{Key: hostile, Tabs: []Tab{{Query: hostile, Variables: hostile}}})
		var headers map[string]string
		require.NoError(t, json.Unmarshal([]byte(s.Headers), &headers))
		require.Equal(t, map[string]string{"Authorization": "Bearer " + hostile}, headers)
		require.Equal(t, []Tab{{Query: hostile, Variables: hostile}}, s.Tabs)
		body := get(t, newHandler(Config{Playground: Playground{Key: hostile}}, built(t)), "/playground").Body.String()
		require.NotContains(t, body, "alert(1)</script>")
		require.NotContains(t, body, "<!--")
	})

	t.Run("without a key the template asks for one", func(t *testing.T) {
		t.Parallel()
		s, headers := read(t, Playground{})
		require.JSONEq(t, `{"Authorization":"Bearer `+s.Placeholder+`"}`, s.Headers)
		require.Len(t, s.Tabs, 1)
		require.Contains(t, s.Tabs[0].Query, "query Overview {")
		require.Equal(t, "no-cache", headers.Get("Cache-Control"))
	})

	t.Run("each demonstration has a storage of its own, a user has one for good", func(t *testing.T) {
		t.Parallel()
		prefix := func(p Playground) string { s, _ := read(t, p); return s.Storage }
		require.Equal(t, prefix(Playground{Key: "df_a"}), prefix(Playground{Key: "df_a"}))
		require.NotEqual(t, prefix(Playground{Key: "df_a"}), prefix(Playground{Key: "df_b"}))
		require.NotEqual(t, prefix(Playground{Key: "df_a"}), prefix(Playground{Key: "df_a", Tabs: []Tab{{Query: "{a}"}}}))
		require.Equal(t, prefix(Playground{}), prefix(Playground{Tabs: []Tab{{Query: "{a}"}}}))
	})
}

func TestLibraries(t *testing.T) {
	t.Parallel()

	t.Run("versions are those that npm installs", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("package.json")
		require.NoError(t, err)
		var manifest struct{ Dependencies map[string]string }
		require.NoError(t, json.Unmarshal(text, &manifest))
		for _, l := range libraries() {
			require.Equal(t, manifest.Dependencies[l.Name], l.Version, l.Name)
		}
	})

	t.Run("embedded files have the integrity that browsers demand of the CDN's", func(t *testing.T) {
		t.Parallel()
		needLibraries(t)
		for _, l := range libraries() {
			sum := sha512.Sum384(get(t, New(Config{}), "/assets/npm/"+l.path()).Body.Bytes())
			require.Equal(t, l.Integrity, "sha384-"+base64.StdEncoding.EncodeToString(sum[:]), l.path())
		}
	})
}
