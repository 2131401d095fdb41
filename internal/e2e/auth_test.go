package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	send := func(scheme, token, query string) answer {
		r := s.request(t, http.MethodDelete, payments+"?datafast_visitor_id=nobody"+query, "")
		r.Header.Set("Authorization", scheme+" "+token)
		return s.do(t, r)
	}
	own := "&websiteId=" + s.site.ID
	require.Equal(t, http.StatusOK, send("bearer", s.key, "").status)
	require.Equal(t, http.StatusOK, send("BEARER", s.token, own).status)
	send("Bearer", s.token, "&websiteId=").refused(t, http.StatusBadRequest, "invalid_field")
	send("Bearer", s.token, own+own).refused(t, http.StatusBadRequest, "duplicate_parameter")

	expiry := noon.Add(time.Hour)
	expiring := s.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: s.site.ID, ExpiresAt: &expiry})
	require.Equal(t, http.StatusOK, send("Bearer", expiring, "").status)
	s.clock.forward(time.Hour)
	send("Bearer", expiring, "").refused(t, http.StatusUnauthorized, "unauthorized")
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
