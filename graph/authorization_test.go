package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAuthorization_answer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, header := range map[string][]string{
		"no header": nil, "another scheme": {"Basic " + b.key}, "two headers": {"Bearer " + b.key, "Bearer " + b.key}, "no token": {"Bearer "},
		"a typing error": {"Bearer " + b.key[:len(b.key)-1] + "!"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url, strings.NewReader(`{"query":"{ websites { id } }"}`))
		require.NoError(t, err)
		req.Header["Content-Type"], req.Header["Authorization"] = []string{"application/json"}, header
		res, body := b.do(req)
		require.Equal(t, []any{http.StatusUnauthorized, "Bearer"}, []any{res.StatusCode, res.Header.Get("WWW-Authenticate")}, name)
		require.JSONEq(t, `{"errors": [{"message": "missing or invalid token: send Authorization: Bearer followed by a website key or account token",
			"extensions": {"code": "UNAUTHORIZED", "requestId": "request-1"}}]}`, string(body), name)
	}
}
