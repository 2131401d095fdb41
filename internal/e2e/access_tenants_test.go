package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// noWebsite is the id of none.
var noWebsite = strings.Repeat("0", 24)

// tenant is a website with data of its own, in which its word stands wherever there is room for one.
type tenant struct {
	site     model.Website
	key      string
	word     string
	canaries []string // what nobody else may see: the word, amounts, and ids that the server has made
}

// tenants are three websites that have given their visitors, payments and customers the same ids: that of the stack,
// another one of its account, and one of another account.
type tenants struct {
	*stack
	own, sister, foreign tenant

	mu       sync.Mutex
	secrets  map[string]string // of tokens, by what they allow
	refusals map[string]string // the answers to those refused, by what they asked for and why not
}

func newTenants(t testing.TB) *tenants {
	t.Helper()
	s := start(t, options{})
	all := &tenants{stack: s, own: tenant{site: s.site, key: s.key, word: "ownword"}, secrets: map[string]string{}, refusals: map[string]string{}}
	s.plant(t, &all.own, 7)
	return all
}

// addOthers adds the other two websites.
func (a *tenants) addOthers(t testing.TB) {
	t.Helper()
	account, err := a.store.CreateAccount(t.Context(), model.Account{Name: "foreignaccount", CreatedAt: noon})
	require.NoError(t, err)
	for i, one := range []*tenant{&a.sister, &a.foreign} {
		one.word = []string{"sisterword", "foreignword"}[i]
		owner := []string{a.site.AccountID, account.ID}[i]
		one.site, err = a.store.CreateWebsite(t.Context(), model.Website{
			AccountID: owner, Domain: one.word + ".example", Name: one.word, Timezone: "Asia/Tokyo", Currency: "USD", CreatedAt: noon,
		})
		require.NoError(t, err)
		one.key = a.newToken(t, model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: one.site.ID})
		a.plant(t, one, 8+i)
		one.canaries = append(one.canaries, one.site.ID)
	}
	a.foreign.canaries = append(a.foreign.canaries, account.ID)
}

// plant gives a website data, with ids that begin with that of the stack's own website.
func (s *stack) plant(t testing.TB, one *tenant, digit int) {
	t.Helper()
	order := func(text string, variables map[string]any) {
		t.Helper()
		text = strings.NewReplacer("ID-", s.id(""), "WORD", one.word).Replace(text)
		require.Empty(t, s.graphqlAs(t, one.key, text, variables).Errors, text)
	}
	at := func(day int) string { return noon.AddDate(0, 0, day).Format(time.RFC3339) }
	for day, visit := range map[int]string{
		-9: `visitorId: "ID-v1", sessionId: "ID-s1", url: "https://shop.example/1?utm_source=source-1&utm_campaign=campaign-1&utm_medium=email",
			referrer: "https://source-1/WORD", country: "DE", userAgent: "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"`,
		-7:  `visitorId: "ID-v1", sessionId: "WORD", url: "https://shop.example/WORD?utm_term=WORD"`,
		-10: `visitorId: "WORD", url: "https://shop.example/WORD"`,
	} {
		order(`mutation { recordVisit(input: {occurredAt: "`+at(day)+`", `+visit+`}) { __typename } }`, nil)
	}
	for _, input := range []string{
		`type: CUSTOM, name: "signup", properties: {plan: "WORD"}`,
		`type: IDENTIFY, userId: "ID-c2", name: "WORD", image: "https://shop.example/WORD.png", email: "WORD@example.com"`,
		`type: EXTERNAL_LINK, name: "WORD", link: "https://WORD.example/"`,
	} {
		order(`mutation { recordEvent(input: {visitorId: "ID-v1", url: "https://shop.example/WORD", `+input+`}) { __typename } }`, nil)
	}
	for i, input := range []string{
		`transactionId: "WORD", visitorId: "WORD", customerId: "WORD"`,
		`transactionId: "ID-p1", visitorId: "ID-v1", customerId: "ID-c1", email: "ID-1@example.com"`,
		`transactionId: "ID-p2", customerId: "ID-c1", email: "WORD@example.com"`,
		`transactionId: "ID-p3", refunded: true, refundOf: "ID-p1"`,
	} {
		amount := fmt.Sprintf("%d%d00%d.%d%d", digit, 4-i, i, digit, digit)
		one.canaries = append(one.canaries, amount)
		order(`mutation { recordPayment(input: {occurredAt: "`+at(i-9)+`", amount: "`+amount+`", currency: "USD", name: "WORD", metadata: {plan: "WORD"}, `+input+`}) { __typename } }`, nil)
	}
	one.canaries = append(one.canaries, one.word, one.site.TrackingID)
	for _, table := range []string{"payments", "visits", "events"} {
		rows, err := s.sql.QueryContext(t.Context(), "SELECT id FROM "+table+" WHERE website_id = $1", one.site.ID)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var id string
			require.NoError(t, rows.Scan(&id))
			one.canaries = append(one.canaries, id)
		}
		require.NoError(t, rows.Err())
	}
	require.Greater(t, len(one.canaries), 10)
}

// snapshot is all that is kept of websites, but for one, and of their accounts.
func (s *stack) snapshot(t testing.TB, except string) map[string]string {
	t.Helper()
	snapshot := map[string]string{}
	for _, table := range append(db.TenantTables(), "websites", "account_usage") {
		where := map[string]string{"websites": "r.id <> $1", "account_usage": "$1 <> ''"}[table]
		if where == "" {
			where = "r.website_id <> $1"
		}
		var rows string
		err := s.sql.QueryRowContext(t.Context(), "SELECT coalesce(string_agg(r::text, chr(10) ORDER BY r::text), '') FROM "+table+" r WHERE "+where, except).Scan(&rows)
		require.NoError(t, err)
		snapshot[table] = rows
	}
	return snapshot
}

// requireNone fails if an answer has something that only others may see.
func (a *tenants) requireNone(t testing.TB, text, about string, visible ...string) {
	t.Helper()
	for _, one := range []tenant{a.own, a.sister, a.foreign} {
		if slices.Contains(visible, one.site.ID) {
			continue
		}
		for _, canary := range one.canaries {
			require.NotContains(t, text, canary, "%s sees what is of %s", about, one.word)
		}
	}
}

// requireNoSecret fails if an answer shows the token of who asked.
func (a *tenants) requireNoSecret(t testing.TB, got answer, who identity, about string) {
	t.Helper()
	for _, header := range who.authorization {
		if secret := header[strings.LastIndex(header, " ")+1:]; len(secret) > 15 {
			require.NotContains(t, got.text(), secret, "%s is shown the token", about)
		}
	}
}

// requireSame sees that those who ask for the same and are refused with one code, for one scope, get one answer: nobody
// learns from it whether there is what they asked for.
func (a *tenants) requireSame(t testing.TB, asked string, want refusal, got answer, about string) {
	t.Helper()
	key := asked + string(want.code) + string(want.scope)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusals[key] == "" {
		a.refusals[key] = got.withoutID()
	}
	require.Equal(t, a.refusals[key], got.withoutID(), "%s gets another answer than others", about)
}
