package pages

import (
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy allows the inline script that Swagger UI's page starts with, and nothing from another host.
var docsPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self' 'unsafe-inline'",
	"style-src 'self' 'unsafe-inline'",
	"img-src 'self' data:",
	"font-src 'self' data:",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

// newDocs serves Swagger UI below /docs/, for the API that /openapi.json describes.
func newDocs() http.Handler {
	ui := v5emb.New("Tributary API", "/openapi.json", "/docs/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		ui.ServeHTTP(w, r)
	})
}
