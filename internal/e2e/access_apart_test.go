package e2e_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAccess_apart sees that what a website is answered does not depend on other websites, though these have the
// same ids of visitors, payments and customers, and that what it writes stays with it.
func TestAccess_apart(t *testing.T) {
	t.Parallel()
	a := newTenants(t)
	var asked, orders []string
	q := newQuestioner(t, a.site.ID)
	q.paired = nil
	for _, one := range q.questions() {
		asked = append(asked, one.operation(""))
	}
	orders = q.orders()
	alone := map[string]string{}
	for _, text := range asked {
		alone[text] = a.answered(t, a.own, text)
	}
	a.addOthers(t)

	for _, text := range asked {
		require.Equal(t, alone[text], a.answered(t, a.own, text), "the answer changes with data of others: %s", text)
	}
	a.foreignCursors(t)
	pairs := a.foreignIDs(t, asked, orders)
	others := a.snapshot(t, a.own.site.ID)
	for _, text := range orders {
		a.requireNone(t, a.answered(t, a.own, text), text, a.own.site.ID)
	}
	require.Equal(t, others, a.snapshot(t, a.own.site.ID), "an order changed what is of others")
	t.Logf("%d questions, %d orders, %d pairs of ids", len(asked), len(orders), pairs)
}

// answered is the answer to a website's key.
func (a *tenants) answered(t *testing.T, who tenant, text string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": text})
	require.NoError(t, err)
	r := a.request(t, http.MethodPost, "/graphql", string(body))
	r.Header.Set("Authorization", "Bearer "+who.key)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	got := received(t, res)
	require.NotContains(t, got.body, "INTERNAL", text)
	require.NotContains(t, got.body, "GRAPHQL_VALIDATION_FAILED", text)
	return got.withoutID()
}

// made are what the server makes anew for each thing that is recorded.
var made = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|"(cursor|startCursor|endCursor)":"[^"]*"`)

// foreignIDs asks and orders with ids that only another account's website has, and with such that nobody has, and
// answers how often: nobody can tell one from the other.
func (a *tenants) foreignIDs(t *testing.T, asked, orders []string) (pairs int) {
	t.Helper()
	prefix, theirs, nobodys := a.id(""), "theirs-", "nobody-"
	for _, one := range []string{
		`recordVisit(input: {visitorId: "theirs-v1", sessionId: "theirs-s1", url: "https://shop.example/1?utm_source=source-1"})`,
		`recordEvent(input: {visitorId: "theirs-v1", type: IDENTIFY, userId: "theirs-c2", url: "https://shop.example/", email: "theirs-1@example.com"})`,
		`recordPayment(input: {transactionId: "theirs-p1", visitorId: "theirs-v1", customerId: "theirs-c1", email: "theirs-1@example.com", amount: "1.50", currency: "USD"})`,
	} {
		require.NotContains(t, a.answered(t, a.foreign, "mutation { "+one+" { __typename } }"), `"errors"`)
	}
	for _, text := range append(asked, orders...) {
		if !strings.Contains(text, prefix) {
			continue
		}
		pairs++
		var answers []string
		for _, ids := range []string{theirs, nobodys} {
			got := a.answered(t, a.own, strings.ReplaceAll(text, prefix, ids))
			a.requireNone(t, got, text, a.own.site.ID)
			answers = append(answers, made.ReplaceAllString(strings.ReplaceAll(got, ids, "id-"), "made"))
		}
		require.Equal(t, answers[1], answers[0], "an id of another website is told from one that there is not: %s", text)
	}
	return pairs
}

// foreignCursors reads on from places in another account's lists.
func (a *tenants) foreignCursors(t *testing.T) {
	t.Helper()
	q := newQuestioner(t, a.site.ID)
	q.paired = nil
	followed := 0
	for _, one := range q.questions() {
		cursors := regexp.MustCompile(`"cursor":"([^"]+)"`).FindAllStringSubmatch(a.answered(t, a.foreign, one.operation("")), -1)
		for _, cursor := range cursors {
			followed++
			text := one.operation(cursor[1])
			a.requireNone(t, a.answered(t, a.own, text), text, a.own.site.ID)
		}
	}
	require.Greater(t, followed, 20)
}
