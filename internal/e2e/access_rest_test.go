package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
	"tributary/rest"
)

// TestAccess_rest is TestAccess_graphql for the operations of the REST API that need a token.
func TestAccess_rest(t *testing.T) {
	t.Parallel()
	a := newTenants(t)
	a.addOthers(t)
	cells := 0
	run := func(choose func(want refusal) bool) {
		for id, op := range restOperations(t) {
			class := restClasses[id]
			if class.scopes == nil {
				continue
			}
			for _, who := range a.identities(t, class.scopes) {
				want := a.expectREST(who, class)
				if !choose(want) {
					continue
				}
				for _, send := range class.sends {
					cells++
					a.restCell(t, op, send, who, want)
				}
			}
		}
	}
	before := a.snapshot(t, "")
	run(func(want refusal) bool { return want.code != "" })
	require.Equal(t, before, a.snapshot(t, ""), "what was refused wrote something")
	run(func(want refusal) bool { return want.code == "" })
	require.Zero(t, a.count(t, "payments WHERE website_id = $1 AND transaction_id = $2", a.own.site.ID, a.own.word), "what was allowed deleted nothing")
	t.Logf("%d cells", cells)
}

// expectREST says what comes of an operation.
func (a *tenants) expectREST(i identity, class restClass) refusal {
	if i.token == nil {
		return refusal{code: model.CodeUnauthorized}
	}
	if lacks := i.missing(class.scopes); lacks != "" {
		return refusal{code: model.CodeForbidden, scope: lacks}
	}
	return refusal{code: a.websiteRefused(i)}
}

// restCell sends once, and checks the answer.
func (a *tenants) restCell(t *testing.T, op restOperation, send restSend, who identity, want refusal) {
	t.Helper()
	about := op.OperationID + " " + send.name + " by " + who.name
	query := strings.ReplaceAll(send.query, "ID-", a.id(""))
	if who.site != nil {
		query = strings.TrimPrefix(query+"&websiteId="+url.QueryEscape(*who.site), "&")
	}
	r := a.request(t, op.method, op.path+"?"+query, strings.ReplaceAll(send.body, "ID-", a.id("")))
	r.Header["Authorization"] = who.authorization
	got := a.do(t, r)
	a.requireNoSecret(t, got, who, about)
	if want.code == "" {
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError}, got.status, "%s: %s", about, got.body)
		require.NotContains(t, got.body, model.CodeWebsiteNotFound.Reason(), about)
		a.requireNone(t, got.text(), about, a.sees(who, true)...)
		return
	}
	a.requireNone(t, got.text(), about)
	fault := got.refused(t, rest.StatusOf(want.code), want.code.Reason())
	require.Contains(t, fault.Message, string(want.scope), about)
	require.Equal(t, want.code == model.CodeUnauthorized, got.header.Get("WWW-Authenticate") == "Bearer", about)
	a.requireSame(t, op.OperationID+send.name, want, got, about)
}

// TestAccess_events sees that what a page sends is recorded for the website of its tracking id, and that no token
// counts there.
func TestAccess_events(t *testing.T) {
	t.Parallel()
	a := newTenants(t)
	a.addOthers(t)
	for name, fields := range map[string]map[string]any{
		"pageview": {}, "custom": {"eventName": "n"}, "identify": {"user_id": a.id("c2"), "name": "n"}, "payment": {"email": a.id("1@example.com")},
		"external_link": {"url": "https://elsewhere.example/"},
	} {
		send := func(tracking, host string, authorization []string) answer {
			r := a.request(t, http.MethodPost, events, a.event(t, name, map[string]any{
				"websiteId": tracking, "visitorId": a.id("v1"), "sessionId": a.id("s1"), "href": "https://" + host + "/", "extraData": fields,
			}))
			r.Header["Authorization"] = authorization
			r.Header.Set("User-Agent", chrome)
			return a.do(t, r)
		}
		before := a.snapshot(t, "")
		for who, refused := range map[string]struct{ tracking, host, reason string }{
			"another's page":          {a.foreign.site.TrackingID, "shop.example", "hostname_not_allowed"},
			"no website's id":         {"dfid_000000000000", "shop.example", "website_not_found"},
			"the id that is no token": {a.own.site.ID, "shop.example", "website_not_found"},
			"a key":                   {a.own.key, "shop.example", "website_not_found"},
		} {
			got := send(refused.tracking, refused.host, bearer(a.own.key))
			require.Contains(t, got.body, `"reason":"`+refused.reason+`"`, "%s by %s", name, who)
			a.requireNone(t, got.text(), who)
		}
		require.Equal(t, before, a.snapshot(t, ""), "what was refused wrote something")
		others := a.snapshot(t, a.own.site.ID)
		for _, authorization := range [][]string{nil, bearer(a.own.key), bearer(a.foreign.key), {"Basic x"}} {
			got := send(a.own.site.TrackingID, "shop.example", authorization)
			require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
			a.requireNone(t, got.text(), name)
		}
		require.Equal(t, others, a.snapshot(t, a.own.site.ID), "%s wrote what is of others", name)
		require.NotEqual(t, before, a.snapshot(t, ""), "%s wrote nothing", name)
	}
}
