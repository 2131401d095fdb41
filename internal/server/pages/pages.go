// Package pages serves what a person opens in a browser: the start page, the GraphQL playground and the REST API's
// documentation. Nothing on these pages comes from another host, except in a binary that was built without the
// playground's libraries (see package.json): its playground loads exactly those files from a CDN.
package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/vearutop/statigz"
)

// assets holds this package's own files, and the playground's libraries under assets/npm if they were there when the
// binary was built.
//
//go:embed assets
var assets embed.FS

// Config says what the pages show.
type Config struct {
	// Version of the running binary, for the start page; empty: not shown.
	Version string
	// Playground is what /playground opens with.
	Playground Playground
}

// Paths are the patterns of a mux at which New's handler has something to show.
var Paths = []string{"/{$}", "/playground", "/playground/{$}", "/docs", "/docs/", "/assets/"}

// New returns the handler of "/", "/playground", "/docs" and their files below "/assets/" and "/docs/". Every other
// path is 404, as text for a person. The pages expect GraphQL at /graphql, the API description at /openapi.json and
// /openapi.yaml, and health at /healthz and /readyz, on the same origin.
func New(config Config) http.Handler {
	return newHandler(config, assets)
}

func newHandler(config Config, assets fs.ReadDirFS) http.Handler {
	files := statigz.FileServer(assets)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", newStart(config.Version))
	mux.Handle("GET /playground", newPlayground(config.Playground, assets))
	mux.Handle("GET /playground/{$}", http.RedirectHandler("/playground", http.StatusMovedPermanently))
	mux.Handle("GET /docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently))
	docs, docsFiles := newDocs(config.Playground)
	mux.Handle("GET /docs/{$}", docs)
	mux.Handle("GET /docs/", cached("no-cache", docsFiles))
	mux.Handle("GET /assets/", cached("no-cache", files))
	mux.Handle("GET /assets/npm/", cached("public, max-age=31536000, immutable", onlyFound(files)))
	return secured(mux)
}

// secured adds the headers that every page and file has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func cached(control string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", control)
		next.ServeHTTP(w, r)
	})
}

// onlyFound keeps a 404 from being cached for as long as the file would be.
func onlyFound(files *statigz.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !files.Found(r) {
			w.Header().Del("Cache-Control")
		}
		files.ServeHTTP(w, r)
	})
}

// page is a document that is rendered once.
type page struct {
	html []byte
	// policy is its Content-Security-Policy.
	policy string
	// cache is its Cache-Control.
	cache string
}

func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", p.policy)
	w.Header().Set("Cache-Control", p.cache)
	_, _ = w.Write(p.html)
}

// render executes a template that is a part of the source, so that an error is a mistake in this package.
func render(name, text string, data any) []byte {
	var html bytes.Buffer
	if err := template.Must(template.New(name).Parse(text)).Execute(&html, data); err != nil {
		panic(fmt.Sprintf("pages: %v", err))
	}
	return html.Bytes()
}
