package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestAuthorization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("kept", vars{"visitorId": "v"})
	second := b.website(model.Website{})
	foreign, err := b.store.CreateAccount(t.Context(), model.Account{Name: "other", CreatedAt: today})
	require.NoError(t, err)
	others := b.website(model.Website{AccountID: foreign.ID})

	past := today.Add(-time.Second)
	revoked, revokedKey := b.token(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: b.site.ID})
	require.NoError(t, b.store.RevokeToken(t.Context(), revoked.Prefix, revoked.ID, today))
	_, expired := b.token(model.Token{WebsiteIDs: []string{b.site.ID}, Scopes: []model.Scope{model.ScopeAll}, ExpiresAt: &past})
	_, expiring := b.token(model.Token{WebsiteIDs: []string{b.site.ID}, Scopes: []model.Scope{model.ScopeAll}, ExpiresAt: &today})
	_, unknown := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey})
	_, elsewhere := b.token(model.Token{WebsiteIDs: []string{second.ID}, Scopes: []model.Scope{model.ScopeAll}})
	_, foreigner := b.token(model.Token{AccountID: foreign.ID, Scopes: []model.Scope{model.ScopeAll}})

	t.Run("by", func(t *testing.T) {
		for name, op := range operations {
			account := func(scopes ...model.Scope) string {
				_, secret := b.token(model.Token{AccountID: b.site.AccountID, Scopes: scopes})
				return secret
			}
			only := account(op.scope)
			lacking := account(slices.DeleteFunc(slices.Clone(model.Scopes), func(s model.Scope) bool { return s == op.scope || s == model.ScopeAll })...)
			for who, test := range map[string]struct {
				token string
				site  any
				want  string // "" for success
			}{
				"nobody":                                  {"", b.site.ID, "UNAUTHORIZED"},
				"a token that is none":                    {"df_secret", b.site.ID, "UNAUTHORIZED"},
				"an unknown key":                          {unknown, b.site.ID, "UNAUTHORIZED"},
				"a revoked key":                           {revokedKey, b.site.ID, "UNAUTHORIZED"},
				"an expired token":                        {expired, b.site.ID, "UNAUTHORIZED"},
				"a token that expires now":                {expiring, b.site.ID, "UNAUTHORIZED"},
				"a key without a website id":              {b.key, nil, ""},
				"a key with its own":                      {b.key, b.site.ID, ""},
				"a key with another":                      {b.key, second.ID, "FORBIDDEN"},
				"an account token with the scope":         {only, b.site.ID, ""},
				"an account token with all scopes":        {account(model.ScopeAll), b.site.ID, ""},
				"an account token without the scope":      {lacking, b.site.ID, "FORBIDDEN"},
				"an account token without scopes":         {account(), b.site.ID, "FORBIDDEN"},
				"an account token without a website id":   {only, nil, "MISSING_FIELD"},
				"an account token with another account's": {only, others.ID, "WEBSITE_NOT_FOUND"},
				"another account's token":                 {foreigner, b.site.ID, "WEBSITE_NOT_FOUND"},
				"an account token with no website's":      {only, "64f1c0ffee5b2a0012ab34cd", "WEBSITE_NOT_FOUND"},
				"an account token with no id at all":      {only, "'; --\u0000", "WEBSITE_NOT_FOUND"},
				"an account token limited to another":     {elsewhere, b.site.ID, "WEBSITE_NOT_FOUND"},
			} {
				want := test.want
				if name == "Query.websites" && (want == "MISSING_FIELD" || want == "WEBSITE_NOT_FOUND" || who == "a key with another") {
					continue // it names no website
				}
				t.Run(name+" by "+who, func(t *testing.T) {
					t.Parallel()
					b := &bundle{t: t, url: b.url}
					data, faults := b.query(test.token, op.query, vars{"site": test.site})
					if want == "" {
						require.Empty(t, faults)
						return
					}
					require.Len(t, faults, 1)
					require.Equal(t, want, faults[0].Extensions.Code)
					require.Contains(t, []any{nil, map[string]any{strings.Split(name, ".")[1]: nil}}, data.value)
				})
			}
		}
	})
	require.Equal(t, 0, sql[int](b, `SELECT ((SELECT count(*) FROM payments WHERE website_id <> $1) + (SELECT count(*) FROM visits WHERE website_id <> $1) + (SELECT count(*) FROM events WHERE website_id <> $1))::int`, b.site.ID),
		"what was refused wrote nothing")
}

func TestAuthorization_belowTheRoot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visit("v", nil)
	b.pay("t1", vars{"visitorId": "v"})
	with := func(scope model.Scope) string {
		_, secret := b.token(model.Token{WebsiteIDs: []string{b.site.ID}, Scopes: []model.Scope{scope}})
		return secret
	}
	const visit = `mutation ($site: ID) { recordVisit(input: {websiteId: $site, visitorId: "v", url: "https://shop.example/"}) { visitor `
	for field, test := range map[string]struct {
		has   model.Scope
		query string
	}{
		"Payment.visitor":    {model.ScopePaymentsRead, `query ($site: ID) { payments(websiteId: $site) { edges { node { visitor { id } } } } }`},
		"Visitor.payments":   {model.ScopeAnalyticsRead, `query ($site: ID) { visitor(websiteId: $site, id: "v") { payments { edges { node { id } } } } }`},
		"Visitor.visits":     {model.ScopePaymentsWrite, visit + `{ visits { edges { node { id } } } } } }`},
		"Visitor.firstVisit": {model.ScopePaymentsWrite, visit + `{ firstVisit { id } } } }`},
		"Visitor.lastVisit":  {model.ScopePaymentsWrite, visit + `{ lastVisit { id } } } }`},
		"Visitor.revenue":    {model.ScopePaymentsWrite, visit + `{ revenue { charges } } } }`},
		"Visitor.identity":   {model.ScopePaymentsWrite, visit + `{ identity { userId } } } }`},
		"Visitor.events":     {model.ScopePaymentsWrite, visit + `{ events { edges { node { id } } } } } }`},
		"Visitor.journey":    {model.ScopeAnalyticsRead, `query ($site: ID) { visitor(websiteId: $site, id: "v") { journey { edges { cursor } } } }`},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			_, faults := b.query(with(test.has), test.query, vars{"site": b.site.ID})
			require.Len(t, faults, 1)
			require.Equal(t, "FORBIDDEN", faults[0].Extensions.Code)
			require.Contains(t, faults[0].Message, string(scopedFields[field]))
			require.Equal(t, strings.Split(field, ".")[1], faults[0].Path[len(faults[0].Path)-1])
			_, faults = b.query(b.key, test.query, vars{"site": b.site.ID})
			require.Empty(t, faults)
		})
	}
	for field, scope := range scopedFields {
		if scope != "" {
			require.Contains(t, []string{"Payment.visitor", "Visitor.payments", "Visitor.visits", "Visitor.firstVisit", "Visitor.lastVisit", "Visitor.revenue", "Visitor.identity", "Visitor.events", "Visitor.journey"}, field, "has a test above")
		}
	}
}

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
