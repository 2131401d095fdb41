package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"tributary/openapi"
)

// newContract serves the published contract of the REST API: /openapi.yaml as it was written, and
// /openapi.json.
func newContract() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.yaml", document("application/yaml", openapi.YAML))
	mux.Handle("GET /openapi.json", document("application/json", openapi.JSON()))
	return mux
}

// document serves one file that browsers ask for again, and get again only if it has changed.
func document(contentType string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
