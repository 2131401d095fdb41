package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// withHeader is a request for a good payment, or to delete one, with these Authorization headers.
func (s *stack) withHeader(t testing.TB, method, query string, authorization ...string) *http.Request {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = payment("", "")
	}
	r := s.request(t, method, payments+query, body)
	r.Header.Del("Authorization")
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	return r
}

func TestTokens_unauthorized(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	expiry := noon.Add(time.Hour)
	expired := s.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: s.site.ID, ExpiresAt: &expiry})
	revokedToken, revoked := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: s.site.ID, CreatedAt: noon})
	revokedToken, err := s.store.CreateToken(t.Context(), revokedToken)
	require.NoError(t, err)
	_, unknown := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey})
	last := s.key[len(s.key)-1:]
	wrongChecksum := s.key[:len(s.key)-1] + strings.Map(func(r rune) rune { return r ^ 1 }, last)
	for _, secret := range []string{expired, revoked} { // both work before
		require.Equal(t, http.StatusOK, s.do(t, s.withHeader(t, http.MethodPost, "", "Bearer "+secret)).status)
	}
	require.Equal(t, http.StatusOK, s.delete(t, "?tx_id="+canary, "").status)
	s.clock.forward(time.Hour)
	require.NoError(t, s.store.RevokeToken(t.Context(), revokedToken.Prefix, revokedToken.ID, s.clock.now()))

	var bodies []string
	for name, authorization := range map[string][]string{
		"none":                {},
		"empty":               {""},
		"Basic":               {"Basic " + s.key},
		"no scheme":           {s.key},
		"no token":            {"Bearer "},
		"two headers":         {"Bearer " + s.key, "Bearer " + s.key},
		"two tokens":          {"Bearer " + s.key + ", Bearer " + s.key},
		"wrong checksum":      {"Bearer " + wrongChecksum},
		"cut off":             {"Bearer " + s.key[:20]},
		"another prefix":      {"Bearer " + strings.Replace(s.key, "df_", "dft_", 1)},
		"well-formed unknown": {"Bearer " + unknown},
		"revoked":             {"Bearer " + revoked},
		"expired":             {"Bearer " + expired},
	} {
		for _, request := range []*http.Request{
			s.withHeader(t, http.MethodPost, "", authorization...),
			s.withHeader(t, http.MethodDelete, "?datafast_visitor_id=v", authorization...),
		} {
			got := s.do(t, request)
			fault := got.refused(t, http.StatusUnauthorized, "unauthorized")
			require.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"), name)
			bodies = append(bodies, strings.ReplaceAll(got.body, fault.RequestId, "id"))
		}
	}
	for _, body := range bodies {
		require.Equal(t, bodies[0], body, "one body for all")
	}
	require.Zero(t, s.count(t, "payments"))
	require.Equal(t, 1, s.count(t, "payment_deletions"))
}

func TestTokens_websitesAndScopes(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	sister := s.website(t, model.Website{AccountID: s.site.AccountID})
	stranger, err := s.store.CreateAccount(t.Context(), model.Account{Name: "stranger", CreatedAt: noon})
	require.NoError(t, err)
	foreign := s.website(t, model.Website{AccountID: stranger.ID})
	token := func(scopes []model.Scope, websites ...string) string {
		return s.newToken(t, model.Token{Prefix: model.PrefixAccountToken, AccountID: s.site.AccountID, Scopes: scopes, WebsiteIDs: websites})
	}
	write := []model.Scope{model.ScopePaymentsWrite}
	own := "websiteId=" + s.site.ID

	for name, c := range map[string]struct {
		token, query string
		status       int
		reason       string // "" for a success
		field        string
	}{
		"a key with its own website's id":          {s.key, own, 200, "", ""},
		"a key with a sister's id":                 {s.key, "websiteId=" + sister.ID, 403, "forbidden", "websiteId"},
		"a key with an unknown id":                 {s.key, "websiteId=" + strings.Repeat("0", 24), 403, "forbidden", "websiteId"},
		"a token with the scope":                   {token(write), own, 200, "", ""},
		"a token with every scope":                 {s.token, own, 200, "", ""},
		"a token of other scopes":                  {token([]model.Scope{model.ScopePaymentsRead, model.ScopeAnalyticsRead}), own, 403, "forbidden", ""},
		"a token of no scopes":                     {token(nil), own, 403, "forbidden", ""},
		"a token without a website":                {token(write), "", 400, "missing_field", "websiteId"},
		"a token with an empty website":            {token(write), "websiteId=", 400, "invalid_field", "websiteId"},
		"a token with two websites":                {token(write), own + "&" + own, 400, "duplicate_parameter", "websiteId"},
		"a token with another account's website":   {token(write), "websiteId=" + foreign.ID, 404, "website_not_found", "websiteId"},
		"a token with an unknown website":          {token(write), "websiteId=" + strings.Repeat("0", 24), 404, "website_not_found", "websiteId"},
		"a token with an id that cannot be one":    {token(write), "websiteId=%00", 404, "website_not_found", "websiteId"},
		"a token limited to the website":           {token(write, s.site.ID), own, 200, "", ""},
		"a token limited to another":               {token(write, sister.ID), own, 404, "website_not_found", "websiteId"},
		"a token limited to another, for that one": {token(write, sister.ID), "websiteId=" + sister.ID, 200, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query := ""
			if c.query != "" {
				query = "?" + c.query
			}
			for _, r := range []*http.Request{
				s.withHeader(t, http.MethodPost, query, "Bearer "+c.token),
				s.withHeader(t, http.MethodDelete, "?datafast_visitor_id=nobody&"+c.query, "bearer "+c.token),
			} {
				if r.Method == http.MethodDelete && c.query == "" {
					r.URL.RawQuery = strings.TrimSuffix(r.URL.RawQuery, "&")
				}
				got := s.do(t, r)
				if c.reason == "" {
					require.Equal(t, c.status, got.status, got.body)
					continue
				}
				fault := got.refused(t, c.status, c.reason)
				if c.field != "" {
					require.Equal(t, c.field, *fault.Field)
				}
				require.NotContains(t, got.body, c.token)
				require.NotContains(t, got.body, foreign.ID)
			}
		})
	}

	t.Run("a website of others is not to be told from none", func(t *testing.T) {
		t.Parallel()
		answers := map[string]bool{}
		for _, id := range []string{foreign.ID, strings.Repeat("0", 24), "x"} {
			got := s.do(t, s.withHeader(t, http.MethodPost, "?websiteId="+id, "Bearer "+s.token))
			answers[strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "id")] = true
		}
		require.Len(t, answers, 1)
	})
}

func TestSuspendedWebsite(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.posted(t, payment("", ""))
	require.NoError(t, s.store.SuspendWebsite(t.Context(), s.site.ID, true))

	s.post(t, payment("transaction_id", `"t2"`)).refused(t, http.StatusForbidden, "website_suspended")
	s.post(t, payment("", "")).refused(t, http.StatusForbidden, "website_suspended")
	s.delete(t, "?tx_id="+canary, "").refused(t, http.StatusForbidden, "website_suspended")
	require.Equal(t, 1, s.count(t, "payments"))
	require.Equal(t, "29.99", s.totals(t).Net, "reading goes on")

	require.NoError(t, s.store.SuspendWebsite(t.Context(), s.site.ID, false))
	require.Equal(t, http.StatusOK, s.delete(t, "?tx_id="+canary, "").status)
}

func TestEventLimit(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	require.NoError(t, s.store.LimitAccount(t.Context(), s.site.AccountID, 2))
	s.posted(t, payment("transaction_id", `"t1"`))
	s.posted(t, payment("transaction_id", `"t2"`))

	got := s.post(t, payment("transaction_id", `"t3"`))
	require.Equal(t, "Account event limit reached", got.refused(t, http.StatusTooManyRequests, "event_limit_reached").Message)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Equal(t, "Payment already recorded", s.posted(t, payment("transaction_id", `"t1"`)), "a retry is no event")
	require.Equal(t, http.StatusOK, s.delete(t, "?tx_id=t1", "").status)
	s.post(t, payment("transaction_id", `"t1"`)).refused(t, http.StatusTooManyRequests, "event_limit_reached")
	require.Equal(t, 1, s.count(t, "payments"))

	s.clock.forward(31 * 24 * time.Hour)
	s.posted(t, payment("transaction_id", `"t3"`))
}
