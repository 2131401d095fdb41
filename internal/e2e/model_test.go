package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// TestModel does at random all that changes what the server tells of revenue, over both dialects of REST and over
// GraphQL, to two websites. After each step all that it tells of both is what books in memory tell.
func TestModel(t *testing.T) {
	t.Parallel()
	shared := start(t, options{})
	steps := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt, shared)
		rt.Repeat(map[string]func(*rapid.T){
			"record":   m.record,
			"record ":  m.record, // as often as all others
			"record  ": m.record,
			"batch":    m.recordBatch,
			"delete":   m.delete,
			"visit":    m.visit,
			"event":    m.event,
			"import":   m.importRate,
			"convert":  m.convert,
			"currency": m.setCurrency,
			"zone":     m.setTimezone,
			"": func(*rapid.T) {
				steps++
				m.check(rt)
			},
		})
	})
	t.Logf("%d steps", steps)
}

// machine are two websites of a server.
type machine struct {
	shared *stack
	shops  []*bookedShop
	at     int // which shop the last step was about
	rates  rateBooks
}

// check asks the shop of the last step for all that there is, and the other one for what may not have moved.
func (m *machine) check(rt *rapid.T) {
	for i, s := range m.shops {
		if i == m.at {
			s.check(rt)
		} else {
			s.checkTotals(rt)
		}
	}
}

// bookedShop is a website and its books.
type bookedShop struct {
	*stack
	testing.TB // which fails a check of rapid, that then looks for a shorter one
	books      *books
}

// checkTB is the test for one of its checks.
type checkTB struct {
	testing.TB
	rt *rapid.T
}

func (tb checkTB) Errorf(format string, args ...any) { tb.rt.Errorf(format, args...) }
func (tb checkTB) Fatalf(format string, args ...any) { tb.rt.Fatalf(format, args...) }
func (tb checkTB) FailNow()                          { tb.rt.FailNow() }

var zones = []string{"UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu"}

func newMachine(t testing.TB, rt *rapid.T, shared *stack) *machine {
	shared.clock.reset()
	shared.exec(t, "DELETE FROM rates") // which are of all websites
	m := &machine{shared: shared, rates: rateBooks{}}
	tb := checkTB{t, rt}
	for _, w := range []model.Website{{Timezone: "UTC", Currency: "USD"}, {Timezone: "Europe/Berlin", Currency: "EUR"}} {
		w.AccountID = shared.site.AccountID
		s := &bookedShop{stack: shared.on(tb, w), TB: tb, books: &books{currency: string(w.Currency), rates: m.rates}}
		s.books.zone = s.site.Location()
		m.shops = append(m.shops, s)
	}
	return m
}

// shop draws one of the websites; a moment has passed since the last step.
func (m *machine) shop(rt *rapid.T) *bookedShop {
	m.shared.clock.forward(time.Second)
	m.at = rapid.IntRange(0, len(m.shops)-1).Draw(rt, "shop")
	return m.shops[m.at]
}

func (m *machine) record(rt *rapid.T) {
	s := m.shop(rt)
	p := s.drawPayment(rt)
	if rapid.IntRange(0, 3).Draw(rt, "by Faurya's rules") == 0 {
		p = s.drawFaurya(rt)
	}
	var over wire = restWire{}
	input := p.input()
	if rapid.Bool().Draw(rt, "over GraphQL") {
		over, input = graphqlWire{}, p.graphqlInput()
	}
	got := over.record(s, s.stack, input)
	require.Equal(rt, s.books.record(p, s.clock.now()), got, "%T %+v", over, p)
}

// recordBatch records payments in one request. Who only becomes known by it is not told yet.
func (m *machine) recordBatch(rt *rapid.T) {
	s := m.shop(rt)
	var inputs []map[string]any
	var want []string
	for range rapid.IntRange(1, 5).Draw(rt, "payments") {
		p := s.drawPayment(rt)
		inputs = append(inputs, p.graphqlInput())
		want = append(want, coarse(s.books.record(p, s.clock.now())))
	}
	got := s.recordTogether(s, inputs)
	for i := range got {
		got[i] = coarse(got[i])
	}
	require.Equal(rt, want, got)
}

// coarse is an outcome without what it says of the visitor.
func coarse(outcome string) string {
	if outcome == "ATTRIBUTED" {
		return "RECORDED"
	}
	return strings.Replace(outcome, " visitorId", "", 1)
}

func (m *machine) visit(rt *rapid.T) {
	s := m.shop(rt)
	visitor := rapid.SampledFrom(visitors).Draw(rt, "visitor")
	page := rapid.SampledFrom([]string{"https://shop.example/", "https://shop.example/?utm_source=news"}).Draw(rt, "page")
	if rapid.Bool().Draw(rt, "by a tracker") {
		s.tracked(s, "pageview", map[string]any{"visitorId": visitor, "sessionId": "s" + visitor, "href": page})
	} else {
		input := map[string]any{"visitorId": visitor, "url": page, "occurredAt": s.drawMoment(rt, "viewed at").instant()}
		s.graphql(s, `mutation($input: RecordVisitInput!) { recordVisit(input: $input) { visitor { seen } } }`, map[string]any{"input": input}, nil)
	}
	s.books.tell(visitor)
}

// event lets a page say who a visitor is.
func (m *machine) event(rt *rapid.T) {
	s := m.shop(rt)
	drawn := rapid.SampledFrom(people).Draw(rt, "who")
	visitor := drawn.visitor
	who := sentPayment{email: rapid.SampledFrom(append(drawn.emails, "")).Draw(rt, "email"), customer: rapid.SampledFrom(drawn.customers).Draw(rt, "customer")}
	kind, name := "identify", "userId"
	if rapid.Bool().Draw(rt, "pays") {
		kind, name = "payment", "customerId"
	}
	if rapid.Bool().Draw(rt, "by a tracker") {
		id := map[string]string{"userId": "user_id", "customerId": "customer_id"}[name]
		s.tracked(s, kind, map[string]any{"visitorId": visitor, "extraData": map[string]any{id: who.customer, "email": who.email}})
	} else {
		input := map[string]any{"visitorId": visitor, "url": "https://shop.example/", "type": map[string]string{"identify": "IDENTIFY", "payment": "PAYMENT"}[kind], name: who.customer, "email": who.email}
		s.graphql(s, `mutation($input: RecordEventInput!) { recordEvent(input: $input) { visitor { seen } } }`, map[string]any{"input": input}, nil)
	}
	s.books.tell(visitor, who.customers()...)
}

func (m *machine) importRate(rt *rapid.T) {
	day := noon.AddDate(0, 0, -rapid.IntRange(0, 12).Draw(rt, "days ago"))
	currency := rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(rt, "currency")
	value := rapid.SampledFrom([]string{"2", "0.5", "1.6", "0.125", "0.015", "160", "7.0000000001"}).Draw(rt, "rate")
	date, err := model.ParseDate(day.Format(time.DateOnly))
	require.NoError(rt, err)
	_, err = m.shared.store.ImportRates(m.shops[0].Context(), []model.Rate{{Date: date, Currency: model.Currency(currency), PerEuro: model.Decimal(value), Source: "test"}}, true, noon)
	require.NoError(rt, err)
	if m.rates[date.String()] == nil {
		m.rates[date.String()] = map[string]string{}
	}
	m.rates[date.String()][currency] = value
}

func (m *machine) convert(rt *rapid.T) {
	s := m.shop(rt)
	_, err := s.store.ConvertPayments(s.Context(), s.site.ID, nil)
	require.NoError(rt, err)
	s.books.convertWaiting()
}

func (m *machine) setCurrency(rt *rapid.T) {
	s := m.shop(rt)
	s.books.currency = rapid.SampledFrom(currencies).Draw(rt, "currency")
	require.NoError(rt, s.store.SetCurrency(s.Context(), s.site.ID, model.Currency(s.books.currency)))
	s.site.Currency = model.Currency(s.books.currency)
}

func (m *machine) setTimezone(rt *rapid.T) {
	s := m.shop(rt)
	s.site.Timezone = rapid.SampledFrom(zones).Draw(rt, "zone")
	require.NoError(rt, s.store.SetTimezone(s.Context(), s.site.ID, s.site.Timezone))
	s.books.zone = s.site.Location()
}

// delete deletes by filters of one of the APIs, as each of them means them.
func (m *machine) delete(rt *rapid.T) {
	s := m.shop(rt)
	f := s.drawFilters(rt)
	switch rapid.SampledFrom([]string{"DataFast", "Faurya", "GraphQL"}).Draw(rt, "dialect") {
	case "DataFast":
		s.deleteDataFast(rt, f)
	case "Faurya":
		s.deleteFaurya(rt, f)
	default:
		s.deleteGraphQL(rt, f)
	}
}

// deleteDataFast deletes by a transaction alone, or by a visitor and a range with two ends.
func (s *bookedShop) deleteDataFast(rt *rapid.T, f filters) {
	query := url.Values{}
	spelled := rapid.Bool().Draw(rt, "other spelling")
	if f.id != "" {
		query.Set(either(spelled, "tx_id", "transaction_id"), f.id)
	}
	if f.visitor != "" {
		query.Set("datafast_visitor_id", f.visitor)
	}
	if f.from.text != "" && f.to.text != "" {
		query.Set(either(spelled, "start", "startAt"), f.from.text)
		query.Set(either(spelled, "end", "endAt"), f.to.text)
	} else {
		f.from, f.to = moment{}, moment{}
	}
	got := s.stack.delete(s, "?"+query.Encode(), "")
	if f.id != "" {
		f = filters{id: f.id}
	}
	if f == (filters{}) {
		got.refused(s, http.StatusBadRequest, "missing_filter")
		return
	}
	n := len(s.chosen(f))
	s.books.delete(f.matches)
	if n == 0 && f.id != "" {
		got.refused(s, http.StatusNotFound, "payment_not_found")
		return
	}
	require.Equal(rt, http.StatusOK, got.status, got.body)
	var answer struct{ Data []struct{ Deleted int } }
	require.NoError(rt, json.Unmarshal([]byte(got.body), &answer))
	require.Equal(rt, n, answer.Data[0].Deleted, "%+v", f)
}

// deleteFaurya deletes what matches all filters. A range that has no end ends now.
func (s *bookedShop) deleteFaurya(rt *rapid.T, f filters) {
	body := map[string]string{}
	spelled := rapid.Bool().Draw(rt, "other spelling")
	for key, value := range map[string]string{
		either(spelled, "tx_id", "transaction_id"): f.id, "faurya_visitor_id": f.visitor,
		either(spelled, "startDate", "startAt"): f.from.text, either(spelled, "endDate", "endAt"): f.to.text,
	} {
		if value != "" {
			body[key] = value
		}
	}
	text, err := json.Marshal(body)
	require.NoError(rt, err)
	got := s.stack.delete(s, "", string(text))
	if f == (filters{}) {
		got.refused(s, http.StatusBadRequest, "missing_filter")
		return
	}
	if f.from.text != "" && f.to.text == "" {
		f.to = moment{"now", s.clock.now(), s.clock.now()}
		if f.from.start.After(f.to.end) {
			got.refused(s, http.StatusBadRequest, "invalid_range")
			return
		}
	}
	n := len(s.chosen(f))
	s.books.delete(f.matches)
	if n == 0 {
		got.refused(s, http.StatusNotFound, "payment_not_found")
		return
	}
	require.Equal(rt, http.StatusOK, got.status, got.body)
	require.Contains(rt, got.body, fmt.Sprintf(`"deleted":%d`, n), "%+v", f)
}

// deleteGraphQL deletes what matches all filters, or only counts it. Its ranges do not include their end.
func (s *bookedShop) deleteGraphQL(rt *rapid.T, f filters) {
	f.to.end = f.to.start
	dryRun := rapid.Bool().Draw(rt, "dry run")
	input := map[string]any{"from": f.from.instant(), "to": f.to.instant(), "dryRun": dryRun}
	for key, value := range map[string]string{"transactionId": f.id, "visitorId": f.visitor} {
		if value != "" {
			input[key] = value
		}
	}
	got := s.graphqlAs(s, s.key, `mutation($input: DeletePaymentsInput!) { deletePayments(input: $input) { deletedCount revenue `+revenueFields+` } }`,
		map[string]any{"input": input})
	var data struct {
		DeletePayments struct {
			DeletedCount int
			Revenue      revenueNode
		}
	}
	text := got.outcome(s, &data, func() string {
		return fmt.Sprint(data.DeletePayments.DeletedCount, " deleted: ", data.DeletePayments.Revenue)
	})
	chosen := s.chosen(f)
	want := fmt.Sprint(len(chosen), " deleted: ", s.books.revenue(chosen))
	switch {
	case f == (filters{}):
		want = "MISSING_FILTER"
	case f.from.text != "" && f.to.text != "" && f.from.start.After(f.to.end):
		want = "INVALID_RANGE from"
	case len(chosen) == 0 && f.id != "":
		want = "PAYMENT_NOT_FOUND transactionId"
	case !dryRun:
		s.books.delete(f.matches)
	}
	require.Equal(rt, want, text, "%+v", f)
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
