package tracker_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/tracker"
)

func get(t *testing.T, headers map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, tracker.Path, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	tracker.New().ServeHTTP(w, r)
	return w
}

// TestDocument compares the attributes that docs/TRACKER.md lists with those that the script reads.
func TestDocument(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	var listed, used []string
	for _, found := range regexp.MustCompile("(?m)^\\| `data-([a-z-]+)` \\|").FindAllStringSubmatch(read("../../docs/TRACKER.md"), -1) {
		listed = append(listed, strings.ReplaceAll(found[1], "-", ""))
	}
	for _, found := range regexp.MustCompile(`options\.(\w+)`).FindAllStringSubmatch(read("script.js"), -1) {
		used = append(used, strings.ToLower(found[1]))
	}
	slices.Sort(listed)
	slices.Sort(used)
	require.NotEmpty(t, listed)
	require.Equal(t, listed, slices.Compact(used))
}

func TestNew(t *testing.T) {
	t.Parallel()

	t.Run("the script is small", func(t *testing.T) {
		t.Parallel()
		packed := get(t, map[string]string{"Accept-Encoding": "gzip, deflate, br"})
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
		require.Contains(t, packed.Header().Values("Vary"), "Accept-Encoding")
		require.LessOrEqual(t, packed.Body.Len(), 2048)
		r, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, get(t, nil).Body.String(), string(content))
	})

	t.Run("every website may include it", func(t *testing.T) {
		t.Parallel()
		w := get(t, nil)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "application/javascript", w.Header().Get("Content-Type"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, "cross-origin", w.Header().Get("Cross-Origin-Resource-Policy"))
	})

	t.Run("browsers keep it for an hour, and then ask for another", func(t *testing.T) {
		t.Parallel()
		w := get(t, nil)
		require.Equal(t, "public, max-age=3600", w.Header().Get("Cache-Control"))
		require.Equal(t, http.StatusNotModified, get(t, map[string]string{"If-None-Match": w.Header().Get("Etag")}).Code)
		require.Equal(t, http.StatusOK, get(t, map[string]string{"If-None-Match": "another"}).Code)
	})
}
