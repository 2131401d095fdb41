// Package auth turns the bearer token of a request into the principal that the resolvers ask, the
// same way for every transport.
package auth

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tributary/model"
)

// Tokens finds tokens by their hash. Errors: CodeUnauthorized for one that is unknown, revoked or
// expired.
type Tokens interface {
	TokenByHash(ctx context.Context, hash []byte, now time.Time) (model.Token, error)
}

// Middleware puts the principal of the request's token into its context. A request without a valid
// token is answered by refuse with model.ErrUnauthorized and goes no further.
func Middleware(tokens Tokens, now func() time.Time, refuse func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hash, ok := bearer(r.Header)
			if !ok {
				refuse(w, r, model.ErrUnauthorized())
				return
			}
			token, err := tokens.TokenByHash(r.Context(), hash, now())
			if err != nil {
				refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(model.WithPrincipal(r.Context(), token.Principal())))
		})
	}
}

// bearer is the hash of the one bearer token among the headers.
func bearer(header http.Header) ([]byte, bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return nil, false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, false
	}
	return model.HashToken(token)
}
