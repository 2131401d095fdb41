package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
)

func TestTokenRate(t *testing.T) {
	t.Parallel()
	s := start(t, options{Server: server.Config{TokenRate: 2}})
	ask := func(token, method, path, body string) answer {
		r := s.request(t, method, path, body)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		got := received(t, res)
		if path == payments {
			conform(t, r, []byte(body), got)
		}
		return got
	}
	pay := func(token string) answer { return ask(token, http.MethodPost, payments, payment("", "")) }
	query := func(token string) answer {
		return ask(token, http.MethodPost, "/graphql", `{"query":"{ __typename }"}`)
	}
	left := func(got answer) []string {
		return []string{
			got.header.Get("RateLimit-Policy"), got.header.Get("RateLimit"),
			got.header.Get("X-RateLimit-Limit"), got.header.Get("X-RateLimit-Remaining"), got.header.Get("X-RateLimit-Reset"),
		}
	}

	got := pay(s.key)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, []string{`"token";q=20;w=10`, `"token";r=19;t=1`, "20", "19", "1"}, left(got))
	for range 9 {
		require.Equal(t, http.StatusOK, pay(s.key).status)
		require.Equal(t, http.StatusOK, query(s.key).status)
	}
	got = query(s.key)
	require.Equal(t, []string{`"token";q=20;w=10`, `"token";r=0;t=10`, "20", "0", "10"}, left(got))

	got = pay(s.key)
	require.Equal(t, "too many requests with this token; send fewer", got.refused(t, http.StatusTooManyRequests, "rate_limited").Message)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Equal(t, []string{`"token";q=20;w=10`, `"token";r=0;t=10`, "20", "0", "10"}, left(got))
	got = query(s.key)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Contains(t, got.body, `"extensions":{"code":"RATE_LIMITED","requestId":"`+got.header.Get("X-Request-Id")+`"}`)
	require.NotContains(t, got.body, "data")

	require.Equal(t, http.StatusOK, query(s.token).status, "another token is not held back")
	require.Equal(t, http.StatusUnauthorized, query(s.key+"x").status)
	s.clock.forward(500 * time.Millisecond)
	require.Equal(t, http.StatusOK, pay(s.key).status)
	require.Equal(t, http.StatusTooManyRequests, pay(s.key).status)
	require.Equal(t, http.StatusOK, s.get(t, http.MethodGet, "/readyz").status)
}

func TestTokenRate_off(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for range 50 {
		got := s.post(t, payment("", ""))
		require.Equal(t, http.StatusOK, got.status)
		require.Empty(t, got.header.Get("RateLimit"))
	}
}
