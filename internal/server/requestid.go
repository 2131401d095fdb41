package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"

	"tributary/model"
)

// The length of a request id that a proxy may bring, in characters.
const (
	requestIDMin = 8
	requestIDMax = 64
)

// identify gives every request its id and its time, and every answer the headers that all have. Pages allow
// themselves more than that policy.
func (c Config) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := c.requestID(r)
		header := w.Header()
		header.Set("X-Request-Id", id)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		ctx, cancel := context.WithTimeout(model.WithRequestID(r.Context(), id), requestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// requestID is the id that a trusted proxy has given the request, or a new one: a client could make its requests
// look like those of others, or write into the log.
func (c Config) requestID(r *http.Request) string {
	brought := r.Header["X-Request-Id"]
	if len(brought) == 1 && isRequestID(brought[0]) && c.trusts(r) {
		return brought[0]
	}
	return newRequestID()
}

func (c Config) trusts(r *http.Request) bool { return c.Trusts != nil && c.Trusts(r) }

func isRequestID(text string) bool {
	const chars = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."
	return len(text) >= requestIDMin && len(text) <= requestIDMax && strings.Trim(text, chars) == ""
}

// newRequestID is 16 random hexadecimal characters: enough to find one request in a log.
func newRequestID() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}
