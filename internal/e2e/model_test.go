package e2e_test

import (
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
			"record ":  m.record, // thrice as often as each of the others
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

// event lets a page say who a visitor is, or who pays.
func (m *machine) event(rt *rapid.T) {
	s := m.shop(rt)
	who := rapid.SampledFrom(people).Draw(rt, "who")
	email := rapid.SampledFrom(append([]string{""}, who.emails...)).Draw(rt, "email")
	customer := rapid.SampledFrom(who.customers).Draw(rt, "customer")
	e := rapid.SampledFrom([]struct{ kind, graphqlKind, id, graphqlID string }{
		{"identify", "IDENTIFY", "user_id", "userId"}, {"payment", "PAYMENT", "customer_id", "customerId"},
	}).Draw(rt, "event")
	if rapid.Bool().Draw(rt, "by a tracker") {
		s.tracked(s, e.kind, map[string]any{"visitorId": who.visitor, "extraData": map[string]any{e.id: customer, "email": email}})
	} else {
		input := map[string]any{"visitorId": who.visitor, "url": "https://shop.example/", "type": e.graphqlKind, e.graphqlID: customer, "email": email}
		s.graphql(s, `mutation($input: RecordEventInput!) { recordEvent(input: $input) { visitor { seen } } }`, map[string]any{"input": input}, nil)
	}
	s.books.tell(who.visitor, (&sentPayment{customer: customer, email: email}).customers()...)
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
