package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/model"
)

// surface does everything that can be asked of a server and of the store on a database, and answers what the
// store has sent.
func surface(t *testing.T, dsn string) *collector {
	t.Helper()
	sent := newCollector()
	o := options{DSN: dsn, Database: db.Options{Hook: sent}}
	s := start(t, o)
	s.ask(t, sent)
	s.order(t, sent)
	s.trackAll(t, sent)
	s.command(t, sent)
	s.together(t, sent)
	s.limited(t, sent)
	first := open(t, options{DSN: dbtest.NewMigrated(t), Database: o.Database})
	sent.about("", "the first command of all")
	_, err := first.store.CreateWebsite(t.Context(), model.Website{Domain: "shop.example", Timezone: "UTC", Currency: "USD", CreatedAt: noon})
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/parity/*.json")
	require.NoError(t, err)
	for _, file := range files {
		for _, over := range []wire{graphqlWire{}, restWire{}} {
			s := start(t, o)
			sent.about(s.site.ID, fmt.Sprintf("%s over %T", filepath.Base(file), over))
			for _, one := range scenario(t, file) {
				one.take(t, s, over)
			}
		}
	}
	return sent
}

// id is an id of the website's own.
func (s *stack) id(name string) string { return s.site.ID + "-" + name }

// ask asks every question of the schema, each for two pages.
func (s *stack) ask(t *testing.T, sent *collector) {
	t.Helper()
	sent.about(s.site.ID, "what there is to ask for")
	for i := range 4 {
		at := noon.Add(time.Duration(i)*time.Hour).AddDate(0, 0, -9).Format(time.RFC3339)
		s.graphql(t, `mutation($v: ID!, $at: DateTime) { recordVisit(input: {visitorId: $v, url: "https://shop.example/", occurredAt: $at}) { __typename } }`,
			map[string]any{"v": s.id(fmt.Sprint("v", 1+i%2)), "at": at}, nil)
		s.graphql(t, `mutation($v: ID!, $at: DateTime) { recordEvent(input: {visitorId: $v, type: CUSTOM, name: "n", url: "https://shop.example/", occurredAt: $at}) { __typename } }`,
			map[string]any{"v": s.id(fmt.Sprint("v", 1+i%2)), "at": at}, nil)
		s.posted(t, fmt.Sprintf(`{"amount":5,"currency":"USD","transaction_id":"%s","datafast_visitor_id":"%s","timestamp":"%s"}`, s.id(fmt.Sprint("p", i)), s.id(fmt.Sprint("v", 1+i%2)), at))
	}
	further := map[string]int{} // by field
	for _, q := range newQuestioner(t, s.site.ID).questions() {
		sent.about(s.site.ID, q.name())
		after := s.endOf(t, q, "")
		if after != "" {
			further[q.field]++
			s.endOf(t, q, after)
		}
	}
	for _, field := range []string{"payments", "revenueByVisitor", "visits", "events", "journey"} {
		require.NotZero(t, further[field], "no second page of %s", field)
	}
}

// endOf asks a question, and answers the cursor after which there is more.
func (s *stack) endOf(t *testing.T, q question, after string) string {
	t.Helper()
	var page struct {
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
	}
	answer := map[string]any{q.field: &page}
	if q.parent != "" {
		answer = map[string]any{"visitor": &answer}
	}
	var data map[string]json.RawMessage
	s.graphql(t, q.operation(after), nil, &data)
	if q.parent != "" {
		require.NoError(t, json.Unmarshal(data["visitor"], &data))
	}
	_ = json.Unmarshal(data[q.field], &page) // a list is no page
	if !page.PageInfo.HasNextPage {
		return ""
	}
	return page.PageInfo.EndCursor
}

// order gives every order of the schema, and some that are larger.
func (s *stack) order(t *testing.T, sent *collector) {
	t.Helper()
	for i, text := range newQuestioner(t, s.site.ID).orders() {
		sent.about(s.site.ID, text)
		text = strings.Replace(text, `transactionId: "`+s.id("p1")+`"`, `transactionId: "`+s.id(fmt.Sprint("n", i/2))+`"`, 1) // some are known
		for _, fault := range s.graphqlAs(t, s.key, text, nil).Errors {
			require.NotContains(t, []string{"INTERNAL", "UNAVAILABLE", "GRAPHQL_VALIDATION_FAILED"}, fault.Extensions.Code, text)
		}
	}
	sent.about(s.site.ID, "recordPayments of 30")
	var batch []map[string]any
	for i := range 30 { // few beside the rows of the ledger that the plans are made for
		one := map[string]any{"transactionId": s.id(fmt.Sprint("b", i)), "amount": 1, "currency": "USD", "customerId": s.id(fmt.Sprint("b", i)), "email": fmt.Sprintf("b%d@example.com", i)}
		switch i % 3 {
		case 1:
			one["visitorId"] = s.id(fmt.Sprint("v", i))
		case 2:
			one["refunded"], one["refundOf"] = true, s.id(fmt.Sprint("b", i-1))
		}
		batch = append(batch, one)
	}
	s.graphql(t, `mutation($p: [RecordPaymentInput!]!) { recordPayments(input: {payments: $p}) { results { error { code } } } }`, map[string]any{"p": batch}, nil)
	sent.about(s.site.ID, "a page of visitors")
	s.graphql(t, `{ revenueByVisitor(first: 45) { edges { node { visitor { firstVisit { id } lastVisit { id } visits(first: 3) { edges { node { id } } }
		events(first: 3) { edges { node { id } } } payments(first: 3) { edges { node { id } } } journey(first: 3) { edges { cursor } } revenue { charges } } } } } }`, nil, nil)
	sent.about(s.site.ID, "a deletion that is only counted")
	s.graphql(t, `mutation($v: ID) { deletePayments(input: {visitorId: $v, dryRun: true}) { revenue { charges } } }`, map[string]any{"v": s.id("v1")}, nil)
	sent.about(s.site.ID, "deletion by range")
	s.graphql(t, `mutation($from: DateTime) { deletePayments(input: {from: $from}) { deletedCount } }`, map[string]any{"from": noon.AddDate(0, 0, -1).Format(time.RFC3339)}, nil)
	s.forget(t, sent)
	sent.about(s.site.ID, "deletion in Faurya's dialect")
	s.posted(t, `{"amount":1,"currency":"USD","transaction_id":"`+s.id("f1")+`","timestamp":"2026-05-01"}`)
	require.Equal(t, http.StatusOK, s.delete(t, "", `{"startAt":"2026-01-01"}`).status)
}

// forget erases people of every kind: some whom payments, pages and browsers name, and one whose browser others used.
func (s *stack) forget(t *testing.T, sent *collector) {
	t.Helper()
	sent.about(s.site.ID, "people to forget")
	for _, who := range []string{"forgotten-1", "forgotten-2"} {
		s.posted(t, fmt.Sprintf(`{"amount":5,"currency":"USD","transaction_id":"%s","datafast_visitor_id":"%s","customer_id":"%s","email":"%[1]s@example.com"}`,
			s.id(who), s.id("forgotten"), s.id(who)))
	}
	s.posted(t, fmt.Sprintf(`{"amount":1,"currency":"USD","transaction_id":"%s","refunded":true,"refund_of":"%s"}`, s.id("forgotten-3"), s.id("forgotten-1")))
	for _, input := range []string{`email: "` + s.id("forgotten-1") + `@example.com"`, `customerId: "` + s.id("forgotten-2") + `"`, `visitorId: "` + s.id("forgotten") + `"`, `visitorId: "` + s.id("forgotten") + `", only: true`} {
		for _, dry := range []string{"true", "false"} {
			sent.about(s.site.ID, "erasePerson("+input+")")
			s.graphql(t, `mutation { erasePerson(input: {`+input+`, dryRun: `+dry+`}) { payments } }`, nil, nil)
		}
	}
	// A refused payment and one that is sent again leave no customer.
	sent.about(s.site.ID, "a payment that was forgotten")
	s.posted(t, fmt.Sprintf(`{"amount":5,"currency":"USD","transaction_id":"%s","customer_id":"%[1]s","email":"%[1]s@example.com"}`, s.id("forgotten-1")))
	sent.about(s.site.ID, "erasures that were interrupted")
	_, err := s.store.FinishErasures(t.Context(), s.site, s.clock.now())
	require.NoError(t, err)
	sent.about(s.site.ID, "a person's export")
	who := model.PersonQuery{Person: model.Person{VisitorIDs: []string{s.id("v3")}}}
	require.NoError(t, s.store.ExportPerson(t.Context(), s.site, who, func(model.Person) error { return nil }, func(string, json.RawMessage) error { return nil }))
	sent.about("", "scrubbing")
	require.NoError(t, s.store.Scrub(t.Context(), false, func(string) {}))
}

// trackAll sends what trackers send.
func (s *stack) trackAll(t *testing.T, sent *collector) {
	t.Helper()
	about := func(asked string) { sent.about(s.site.ID, asked) }
	visitor := map[string]any{"visitorId": s.id("t"), "sessionId": s.id("ts")}
	with := func(extra map[string]any) map[string]any {
		all := map[string]any{"extraData": extra}
		for key, value := range visitor {
			all[key] = value
		}
		return all
	}
	s.posted(t, `{"amount":1,"currency":"USD","transaction_id":"`+s.id("t1")+`","customer_id":"`+s.id("tc")+`"}`)
	about("pageview")
	s.tracked(t, "pageview", visitor)
	about("pageview of a session that goes on")
	s.clock.forward(time.Minute)
	visitor["href"] = "https://shop.example/2"
	s.tracked(t, "pageview", visitor)
	about("custom event")
	s.clock.forward(time.Minute)
	s.tracked(t, "custom", with(map[string]any{"eventName": "signup"}))
	about("external link")
	s.tracked(t, "external_link", with(map[string]any{"url": "https://elsewhere.example/", "text": "there"}))
	for range 2 {
		about("identify")
		s.tracked(t, "identify", with(map[string]any{"user_id": s.id("tc"), "name": "Ada", "plan": "pro"}))
	}
	about("payment")
	s.tracked(t, "payment", with(map[string]any{"email": "ada@example.com"}))
	about("pageviews that come late")
	for _, minutes := range []int{-90, -10} {
		s.graphql(t, `mutation($v: ID!, $s: ID, $at: DateTime) { recordVisit(input: {visitorId: $v, sessionId: $s, url: "https://shop.example/early", occurredAt: $at}) { __typename } }`,
			map[string]any{"v": s.id("t"), "s": s.id("ts"), "at": s.clock.now().Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)}, nil)
	}
}

// together records pageviews of several visitors in one transaction.
func (s *stack) together(t *testing.T, sent *collector) {
	t.Helper()
	sent.about(s.site.ID, "pageviews that come together")
	view := func(i int) model.Visit {
		v, err := model.RecordVisitInput{VisitorID: s.id(fmt.Sprint("v", i)), URL: "https://shop.example/together"}.Validate(s.site, s.clock.now(), nil)
		require.NoError(t, err)
		return v
	}
	record := func(i int) struct{} {
		_, err := s.store.RecordVisit(t.Context(), s.site, view(i), s.clock.now())
		require.NoError(t, err)
		return struct{}{}
	}
	for range 100 { // the second time those do who have been there before, if not everybody is kept waiting
		atOnce(8, record)
		if sent.has("visit_count = visitors.visit_count + 1", "unnest(") {
			return
		}
		s.clock.forward(time.Hour)
	}
	t.Fatal("no two pageviews came together")
}

// limited records what counts for an account with a limit.
func (s *stack) limited(t *testing.T, sent *collector) {
	t.Helper()
	sent.about(s.site.ID, "an account with a limit")
	require.NoError(t, s.store.LimitAccount(t.Context(), s.site.AccountID, 1000))
	s.tracked(t, "pageview", map[string]any{"visitorId": s.id("l")})
	s.posted(t, `{"amount":1,"currency":"USD","transaction_id":"`+s.id("l1")+`"}`)
}

// command does what commands do with the store.
func (s *stack) command(t *testing.T, sent *collector) {
	t.Helper()
	sent.about(s.site.ID, "commands")
	ctx := t.Context()
	must := func(err error) { t.Helper(); require.NoError(t, err) }
	account, err := s.store.CreateAccount(ctx, model.Account{Name: "another", CreatedAt: noon})
	must(err)
	_, err = s.store.Accounts(ctx)
	must(err)
	_, err = s.store.Websites(ctx, "")
	must(err)
	token, _ := model.NewToken(model.Token{Prefix: model.PrefixAccountToken, CreatedAt: noon})
	token, err = s.store.CreateToken(ctx, token)
	must(err)
	must(s.store.RevokeToken(ctx, token.Prefix, token.ID, noon))
	_, err = s.store.Tokens(ctx, "")
	must(err)
	_, err = s.store.Tokens(ctx, s.site.ID)
	must(err)
	_, err = s.store.WebsiteByTrackingID(ctx, s.site.TrackingID)
	must(err)
	must(s.store.LimitAccount(ctx, account.ID, 5))
	must(s.store.SuspendWebsite(ctx, s.site.ID, false))
	must(s.store.ChangeHostnames(ctx, s.site.ID, func([]string) []string { return []string{"other.example"} }))
	_, err = s.store.ImportRates(ctx, []model.Rate{{Date: model.DateOf(noon), Currency: "THB", PerEuro: "37", Source: "test"}, {Date: model.DateOf(noon), Currency: "USD", PerEuro: "1.1", Source: "test"}}, true, noon)
	must(err)
	_, err = s.store.Rates(ctx)
	must(err)
	_, err = s.store.ConvertPayments(ctx, s.site.ID, nil)
	must(err)
	must(s.store.SetCurrency(ctx, s.site.ID, "EUR"))
	_, err = s.store.ConvertPayments(ctx, s.site.ID, nil)
	must(err)
	sent.about(s.site.ID, "payments that wait")
	_, err = s.store.Waiting(ctx)
	must(err)
	sent.about(s.site.ID, "commands")
	must(s.store.SetTimezone(ctx, s.site.ID, "Europe/Paris"))
	sent.about(s.site.ID, "rollups rebuild")
	must(s.store.RebuildRollups(ctx, s.site.ID, nil))
	sent.about(s.site.ID, "rollups verify")
	_, err = s.store.VerifyRollups(ctx, s.site.ID)
	must(err)
	sent.about(s.site.ID, "visits from: a day")
	_, err = s.store.PruneVisits(ctx, s.site, noon.AddDate(0, 0, 1))
	must(err)
	sent.about(s.site.ID, "commands")
	must(s.store.DeleteRates(ctx, "test"))
	must(s.store.Ping(ctx))
}
