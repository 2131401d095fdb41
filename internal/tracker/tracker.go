// Package tracker serves the script that a website includes to send its visits: script.js, whose minified form is
// js/script.js.
package tracker

import (
	"embed"
	"net/http"

	"github.com/vearutop/statigz"
)

//go:generate go tool -modfile=../../tools/go.mod esbuild script.js --minify --target=es2015 --log-level=warning --outfile=js/script.js

// minified holds the file under the path at which it is served.
//
//go:embed js
var minified embed.FS

// Path is where a server offers the script. It is a part of every website that includes it.
const Path = "/js/script.js"

// New returns the handler of [Path]. The script may be included by every website, whatever its policies are for
// embedding files of other origins. Browsers keep it for an hour.
func New() http.Handler {
	files := statigz.FileServer(minified, statigz.EncodeOnInit)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	})
}
