package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy allows the inline scripts that Swagger UI's page starts with, by their hashes, and nothing from another
// host. Swagger UI sets styles of elements.
func docsPolicy(html []byte) string {
	scripts := "'self'"
	for _, inline := range inlineScripts.FindAllSubmatch(html, -1) {
		sum := sha256.Sum256(inline[1])
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + scripts,
		"style-src 'self' 'unsafe-inline'",
		"img-src 'self' data:",
		"font-src 'self' data:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

var inlineScripts = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// newDocs is Swagger UI's page, for the API that /openapi.json describes, and its files below /docs/. Requests that are
// tried there have the key, unless it is empty.
func newDocs(playground Playground) (docs page, files http.Handler) {
	config := swgui.Config{PrependHTML: `<nav style="padding: 1rem; font-family: sans-serif"><a href="/">Tributary</a></nav>`}
	if playground.Key != "" {
		config.PreAuthorizeApiKey = map[string]string{"bearerAuth": playground.Key}
	}
	files = v5emb.NewWithConfig(config)("Tributary API", "/openapi.json", "/docs/")
	var html body
	request, err := http.NewRequest(http.MethodGet, "/docs/", nil)
	if err != nil {
		panic(err) // it is a part of the source
	}
	files.ServeHTTP(&html, request)
	return page{html: html.Bytes(), policy: docsPolicy(html.Bytes()), cache: playground.cache()}, files
}

// body is an answer of which only the body is wanted.
type body struct{ bytes.Buffer }

func (*body) Header() http.Header { return http.Header{} }
func (*body) WriteHeader(int)     {}
