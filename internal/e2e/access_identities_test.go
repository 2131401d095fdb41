package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// identity is who makes a request, and which website the request names.
type identity struct {
	name          string
	authorization []string
	site          *string
	token         *model.Token // nil unless it is a valid one
}

// identities are all who may come with a request that needs some scopes, most of them for the own website.
func (a *tenants) identities(t testing.TB, needed scopes) []identity {
	t.Helper()
	own, sister, foreign := &a.own.site.ID, &a.sister.site.ID, &a.foreign.site.ID
	all := scopes{model.ScopeAll}
	ofKey := func(one tenant) *model.Token { return &model.Token{WebsiteID: one.site.ID} }
	who := []identity{
		{"its key", bearer(a.own.key), nil, ofKey(a.own)},
		{"its key with its id", bearer(a.own.key), own, ofKey(a.own)},
		{"its key with another's id", bearer(a.own.key), sister, ofKey(a.own)},
		{"its key with a stranger's id", bearer(a.own.key), foreign, ofKey(a.own)},
		{"its key with no website's id", bearer(a.own.key), &noWebsite, ofKey(a.own)},
		{"another's key", bearer(a.sister.key), own, ofKey(a.sister)},
		{"another's key for itself", bearer(a.sister.key), nil, ofKey(a.sister)},
		{"a stranger's key", bearer(a.foreign.key), own, ofKey(a.foreign)},
		{"a stranger's key for itself", bearer(a.foreign.key), nil, ofKey(a.foreign)},
	}
	token := func(name, account string, given scopes, site *string, websites ...string) {
		token := model.Token{Prefix: model.PrefixAccountToken, AccountID: account, Scopes: given, WebsiteIDs: websites}
		who = append(who, identity{name, bearer(a.secret(t, token)), site, &token})
	}
	account, stranger := a.own.site.AccountID, a.foreign.site.AccountID
	token("a token with the scopes", account, needed, own)
	token("a token with all scopes", account, all, own)
	token("a token without scopes", account, nil, own)
	for _, one := range needed {
		others := slices.DeleteFunc(slices.Clone(model.Scopes), func(s model.Scope) bool { return s == one || s == model.ScopeAll })
		token("a token without "+string(one), account, others, own)
	}
	malformed := "'; --\u0000"
	token("a token without an id", account, needed, nil)
	token("a token with a stranger's id", account, needed, foreign)
	token("a token with no website's id", account, needed, &noWebsite)
	token("a token with no id at all", account, needed, &malformed)
	token("a token limited to it", account, needed, own, *own)
	token("a token limited to another", account, all, own, *sister)
	token("a token limited to another, for that", account, needed, sister, *sister)
	token("a stranger's token", stranger, all, own)
	token("a stranger's token for its own", stranger, all, foreign)
	return append(who, a.nobodies(t)...)
}

// nobodies are those who have no valid token, though some of them come close.
func (a *tenants) nobodies(t testing.TB) []identity {
	t.Helper()
	revoked, expired := a.secret(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: a.own.site.ID, RevokedAt: &noon}),
		a.secret(t, model.Token{Prefix: model.PrefixAccountToken, AccountID: a.own.site.AccountID, Scopes: scopes{model.ScopeAll}, ExpiresAt: &noon})
	_, unknown := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey})
	key := a.own.key
	last := strings.Map(func(r rune) rune { return r ^ 1 }, key[len(key)-1:])
	var who []identity
	for name, authorization := range map[string][]string{
		"nobody":                    nil,
		"an empty header":           {""},
		"Basic":                     {"Basic " + key},
		"no scheme":                 {key},
		"no token":                  {"Bearer "},
		"two headers":               {"Bearer " + key, "Bearer " + key},
		"two tokens":                {"Bearer " + key + ", Bearer " + key},
		"a wrong checksum":          bearer(key[:len(key)-1] + last),
		"a key that is cut off":     bearer(key[:20]),
		"the other prefix":          bearer(strings.Replace(key, model.PrefixWebsiteKey, model.PrefixAccountToken, 1)),
		"a tracking id":             bearer(a.own.site.TrackingID),
		"a key that is unknown":     bearer(unknown),
		"a key that is revoked":     bearer(revoked),
		"a token that expires now":  bearer(expired),
		"a token of another server": bearer(strings.Repeat("0", 64)),
	} {
		who = append(who, identity{name: name, authorization: authorization, site: &a.own.site.ID})
	}
	return who
}

func bearer(secret string) []string { return []string{"Bearer " + secret} }

// secret makes a token, or finds the one that was made alike.
func (a *tenants) secret(t testing.TB, token model.Token) string {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := fmt.Sprint(token)
	if a.secrets[wanted] != "" {
		return a.secrets[wanted]
	}
	token.CreatedAt = noon.Add(-time.Hour)
	token, secret := model.NewToken(token)
	made, err := a.store.CreateToken(t.Context(), token)
	require.NoError(t, err)
	if token.RevokedAt != nil {
		require.NoError(t, a.store.RevokeToken(t.Context(), made.Prefix, made.ID, *token.RevokedAt))
	}
	a.secrets[wanted] = secret
	return secret
}

// missing is the first of some scopes that the identity lacks.
func (i identity) missing(needed scopes) model.Scope {
	for _, one := range needed {
		if i.token.WebsiteID == "" && !slices.Contains(i.token.Scopes, one) && !slices.Contains(i.token.Scopes, model.ScopeAll) {
			return one
		}
	}
	return ""
}

// refusal is why an identity does not get what it asks for, beginning at a step of the path; the zero value if it
// gets all.
type refusal struct {
	code  model.Code
	scope model.Scope // that it lacks
	step  int
}

// expect says what comes of a path, by the tables of access_classes_test.go.
func (a *tenants) expect(i identity, path accessPath) refusal {
	if i.token == nil {
		return refusal{code: model.CodeUnauthorized}
	}
	for at, step := range path.steps {
		if lacks := i.missing(guarded[step.of+"."+step.field]); lacks != "" {
			return refusal{model.CodeForbidden, lacks, at}
		}
		if at > 0 {
			continue
		}
		if code := a.websiteRefused(i); path.namesWebsite() && code != "" {
			return refusal{code: code}
		}
		if lacks := i.missing(guardedInputs[path.condition]); lacks != "" {
			return refusal{code: model.CodeForbidden, scope: lacks}
		}
	}
	return refusal{}
}

// websiteRefused is why the website that the identity names is not for it; "" if it is.
func (a *tenants) websiteRefused(i identity) model.Code {
	switch {
	case i.token.WebsiteID != "" && (i.site == nil || *i.site == i.token.WebsiteID):
		return ""
	case i.token.WebsiteID != "":
		return model.CodeForbidden
	case i.site == nil:
		return model.CodeMissingField
	}
	for _, one := range []tenant{a.own, a.sister, a.foreign} {
		if one.site.ID == *i.site && one.site.AccountID == i.token.AccountID && (len(i.token.WebsiteIDs) == 0 || slices.Contains(i.token.WebsiteIDs, one.site.ID)) {
			return ""
		}
	}
	return model.CodeWebsiteNotFound
}

// sees are the websites of which the identity may be shown something when it names one, or none because it asks
// about all of its own.
func (a *tenants) sees(i identity, namesWebsite bool) (ids []string) {
	for _, one := range []tenant{a.own, a.sister, a.foreign} {
		named := i
		if !namesWebsite || i.site == nil {
			named.site = &one.site.ID
		}
		if *named.site == one.site.ID && a.websiteRefused(named) == "" {
			ids = append(ids, one.site.ID)
		}
	}
	return ids
}
