package model

import (
	"context"
	"slices"
)

// Scope is what an account token may be allowed to do.
type Scope string

// The scopes of account tokens. A website key has all of them on its website.
const (
	ScopeAll           Scope = "*"
	ScopePaymentsRead  Scope = "payments:read"
	ScopePaymentsWrite Scope = "payments:write"
	ScopeAnalyticsRead Scope = "analytics:read"
	ScopeWebsitesRead  Scope = "websites:read"
	ScopeWebsitesWrite Scope = "websites:write"
	ScopeAPIKeysWrite  Scope = "api-keys:write"
)

// Scopes lists every scope that a token can be created with.
var Scopes = []Scope{
	ScopeAll, ScopePaymentsRead, ScopePaymentsWrite, ScopeAnalyticsRead,
	ScopeWebsitesRead, ScopeWebsitesWrite, ScopeAPIKeysWrite,
}

// Principal is who makes a request, as its token says, or a page whose tracker has no token.
type Principal struct {
	// TrackingID is what a tracker names its website by: everybody knows it, and it allows to record visits
	// and events and nothing else. "" for a token.
	TrackingID string

	TokenID   string
	AccountID string
	// WebsiteID is the one website of a website key; "" for an account token.
	WebsiteID string
	// Scopes are those of an account token; a website key needs none.
	Scopes []Scope
	// WebsiteIDs limits an account token to some websites; empty means all of the account's.
	WebsiteIDs []string
}

// Can says whether the principal has a scope.
func (p *Principal) Can(scope Scope) bool {
	return p.WebsiteID != "" || slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, ScopeAll)
}

// Require answers CodeForbidden unless the principal has the scope.
func (p *Principal) Require(scope Scope) error {
	if p.Can(scope) {
		return nil
	}
	return Errorf(CodeForbidden, "", "the token lacks the scope %s", scope)
}

// SelectWebsite decides which website a request is about, from the id it names, if any. The account
// still has to be checked against the website's own: see OwnsWebsite. Errors: CodeForbidden for a
// missing scope or a website key used for another website, CodeMissingField when an account token
// names none, CodeWebsiteNotFound when it is limited to others or the id cannot be one.
func (p *Principal) SelectWebsite(requested *string, scope Scope) (string, error) {
	if err := p.Require(scope); err != nil {
		return "", err
	}
	switch {
	case p.WebsiteID != "" && (requested == nil || *requested == p.WebsiteID):
		return p.WebsiteID, nil
	case p.WebsiteID != "":
		return "", Errorf(CodeForbidden, "websiteId", "the key belongs to another website")
	case requested == nil:
		return "", Errorf(CodeMissingField, "websiteId", "an account token needs a website id")
	case CheckID(*requested) != nil, len(p.WebsiteIDs) > 0 && !slices.Contains(p.WebsiteIDs, *requested):
		return "", ErrWebsiteNotFound()
	}
	return *requested, nil
}

// OwnsWebsite says whether a website is one that the principal may use.
func (p *Principal) OwnsWebsite(w Website) bool {
	if p.WebsiteID != "" {
		return w.ID == p.WebsiteID
	}
	return w.AccountID == p.AccountID && (len(p.WebsiteIDs) == 0 || slices.Contains(p.WebsiteIDs, w.ID))
}

// ErrWebsiteNotFound is the one answer for a website that does not exist and for one of another account.
func ErrWebsiteNotFound() error {
	return Errorf(CodeWebsiteNotFound, "websiteId", "website not found")
}

// ErrUnauthorized is the one answer for a missing, malformed, unknown, revoked or expired token.
func ErrUnauthorized() error {
	return Errorf(CodeUnauthorized, "", "missing or invalid token: send Authorization: Bearer followed by a website key or account token")
}

type contextKey int

const (
	principalKey contextKey = iota
	requestIDKey
)

// WithPrincipal puts the principal into the context, where the resolvers ask for it.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey, p)
}

// PrincipalFrom is the request's principal; CodeUnauthorized when there is none.
func PrincipalFrom(ctx context.Context) (*Principal, error) {
	if p, ok := ctx.Value(principalKey).(*Principal); ok {
		return p, nil
	}
	return nil, ErrUnauthorized()
}

// WithRequestID puts a request's id into the context.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey, id)
}

// RequestID is the id of the request that the context belongs to; "" outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}
