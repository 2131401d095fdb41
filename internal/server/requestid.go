package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"tributary/model"
)

// identify gives every request its id and its time, and every answer the headers that all have.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := newRequestID()
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		ctx, cancel := context.WithTimeout(model.WithRequestID(r.Context(), id), requestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// newRequestID is 16 random hexadecimal characters: enough to find one request in a log.
func newRequestID() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}
