package server

import (
	"net/http"
	"slices"
)

// origins are those of the pages that may call the API and GraphQL from a browser, as browsers write them, such as
// https://app.example.com; "*" stands for all. They need a token as everybody does: there are no cookies.
type origins []string

const (
	exposed      = "Allow, RateLimit, RateLimit-Policy, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
	preflightAge = "7200" // seconds, as long as any browser keeps it but one
)

// allow answers browsers that ask whether a page may call, and lets it read the answers if it may.
func (o origins) allow(next http.Handler) http.Handler {
	if len(o) == 0 {
		return next
	}
	all := slices.Contains(o, "*")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		if all {
			origin = "*"
		} else {
			header.Add("Vary", "Origin")
		}
		if !slices.Contains(o, origin) {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			header.Set("Access-Control-Max-Age", preflightAge)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		header.Set("Access-Control-Expose-Headers", exposed)
		next.ServeHTTP(w, r)
	})
}
