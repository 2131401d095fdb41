package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
	"tributary/model"
)

func TestOverload(t *testing.T) {
	t.Parallel()
	s := start(t, options{Server: server.Config{InFlight: 8}})
	other, err := s.store.CreateAccount(t.Context(), model.Account{Name: "other", CreatedAt: noon})
	require.NoError(t, err)
	others := s.newToken(t, model.Token{Prefix: model.PrefixAccountToken, AccountID: other.ID, Scopes: []model.Scope{model.ScopeAll}})
	release := s.block(t)
	const sent, half = 20, 4
	answers := make(chan answer, sent)
	for i := range sent {
		go func() { answers <- s.post(t, payment("transaction_id", fmt.Sprintf(`"t%d"`, i))) }()
	}

	for range sent - half { // while the others wait
		got := <-answers
		got.refused(t, http.StatusServiceUnavailable, "unavailable")
		require.Equal(t, "1", got.header.Get("Retry-After"))
	}
	const websites = "{ websites { id } }"
	query := func(token, method, target, body string) answer {
		r := s.request(t, method, target, body)
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		return received(t, res)
	}
	for _, got := range []answer{
		query(s.token, http.MethodPost, "/graphql", `{"query":"`+websites+`"}`),
		query(s.token, http.MethodGet, "/graphql?query="+url.QueryEscape(websites), ""),
		query(s.token, http.MethodGet, "/graphql?query="+url.QueryEscape(websites), "a body that nobody reads"),
	} {
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, "1", got.header.Get("Retry-After"))
		require.Contains(t, got.body, `"code":"UNAVAILABLE"`)
	}
	require.Equal(t, `{"data":{"websites":[]}}`, query(others, http.MethodPost, "/graphql", `{"query":"`+websites+`"}`).body, "another account has places")
	require.Equal(t, http.StatusOK, s.get(t, http.MethodGet, "/readyz").status)

	release()
	for range half {
		require.Equal(t, http.StatusOK, (<-answers).status)
	}
	require.Equal(t, half, s.count(t, "payments"), "what was refused is not recorded")
	s.posted(t, payment("transaction_id", `"afterwards"`))
}
