package pages

import (
	"net/http"
	"strings"

	"github.com/swaggest/swgui"
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

// newDocs serves Swagger UI below /docs/, for the API that /openapi.json describes. Requests that are tried there have the
// key, unless it is empty.
func newDocs(key string) http.Handler {
	config := swgui.Config{PrependHTML: `<nav style="padding: 1rem; font-family: sans-serif"><a href="/">Tributary</a></nav>`}
	if key != "" {
		config.PreAuthorizeApiKey = map[string]string{"bearerAuth": key}
	}
	ui := v5emb.NewWithConfig(config)("Tributary API", "/openapi.json", "/docs/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		ui.ServeHTTP(w, r)
	})
}
