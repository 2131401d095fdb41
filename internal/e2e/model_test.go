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
		actions := map[string]func(*rapid.T){"": func(*rapid.T) {
			steps++
			m.check(rt)
		}}
		for _, a := range []struct {
			name      string
			do        func(*rapid.T)
			often     int
			takesAway bool
		}{
			{"record", m.record, 3, false}, {"batch", m.recordBatch, 1, false}, {"delete", m.delete, 2, true},
			{"visit", m.visit, 1, false}, {"event", m.event, 2, false}, {"erase", m.erase, 1, true}, {"prune", m.prune, 1, true},
			{"import", m.importRates, 1, false}, {"convert", m.convert, 1, false}, {"currency", m.setCurrency, 1, false}, {"zone", m.setTimezone, 1, false},
		} {
			for n := range a.often {
				if !a.takesAway || !m.hasStranger {
					actions[a.name+strings.Repeat(" ", n)] = a.do
				}
			}
		}
		for m.hasStranger && rapid.Bool().Draw(rt, "begins with a claim") {
			m.shops[0].claim(rt, true)
		}
		rt.Repeat(actions)
	})
	t.Logf("%d steps", steps)
}

// machine are two websites of a server.
type machine struct {
	shared *stack
	shops  []*bookedShop
	at     int // which shop the last step was about
	rates  rateBooks
	noon   time.Time // of the day on which all begins
	// hasStranger says that pages also claim somebody else to be who pays. Then nothing is taken away: who is credited
	// afterwards with what had followed from both would be a matter of luck.
	hasStranger bool
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
	noon       time.Time
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

// noons are those of a day like any other, and of days shortly after clocks were changed, or a month began.
var noons = []time.Time{noon, noon.AddDate(0, 5, 7), noon.AddDate(0, 5, 14), noon.AddDate(0, 10, 10)}

func newMachine(t testing.TB, rt *rapid.T, shared *stack) *machine {
	m := &machine{shared: shared, rates: rateBooks{}, noon: rapid.SampledFrom(noons).Draw(rt, "noon"), hasStranger: rapid.Bool().Draw(rt, "with a stranger")}
	shared.clock.reset()
	shared.clock.forward(m.noon.Sub(noon))
	shared.exec(t, "DELETE FROM rates") // which are of all websites
	tb := checkTB{t, rt}
	zone := rapid.SampledFrom(zones).Draw(rt, "zone")
	for _, w := range []model.Website{{Timezone: zone, Currency: "USD"}, {Timezone: "Europe/Berlin", Currency: "EUR"}} {
		w.AccountID = shared.site.AccountID
		s := &bookedShop{stack: shared.on(tb, w), TB: tb, noon: m.noon, books: &books{currency: string(w.Currency), rates: m.rates}}
		s.books.zone = s.site.Location()
		m.shops = append(m.shops, s)
	}
	return m
}

// shop draws one of the websites, mostly the first; a moment has passed since the last step.
func (m *machine) shop(rt *rapid.T) *bookedShop {
	m.shared.clock.forward(time.Second)
	m.at = rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, "shop")
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
	var payments []sentPayment
	var inputs []map[string]any
	for range rapid.IntRange(1, 5).Draw(rt, "payments") {
		p := s.drawPayment(rt)
		payments, inputs = append(payments, p), append(inputs, p.graphqlInput())
	}
	want := s.books.recordBatch(payments, s.clock.now())
	got := s.recordTogether(s, inputs)
	for i := range got {
		want[i], got[i] = coarse(want[i]), coarse(got[i])
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
		input := map[string]any{"visitorId": visitor, "url": page, "occurredAt": s.drawMoment(rt, "viewed at", timeOfPayment).instant()}
		s.graphql(s, `mutation($input: RecordVisitInput!) { recordVisit(input: $input) { visitor { seen } } }`, map[string]any{"input": input}, nil)
	}
	s.books.tell(visitor)
}

// event lets a page say who a visitor is, or who pays.
func (m *machine) event(rt *rapid.T) {
	s := m.shop(rt)
	s.claim(rt, m.hasStranger && rapid.Bool().Draw(rt, "by a stranger"))
}

// claim lets the page of somebody who pays, or of a stranger, say that its visitor is who pays.
func (s *bookedShop) claim(rt *rapid.T, isStranger bool) {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	visitor := who.visitor
	if isStranger {
		visitor = "eve"
	}
	email := rapid.SampledFrom(append([]string{""}, who.emails...)).Draw(rt, "email")
	customer := rapid.SampledFrom(who.customers).Draw(rt, "customer")
	e := rapid.SampledFrom([]struct{ kind, graphqlKind, id, graphqlID string }{
		{"identify", "IDENTIFY", "user_id", "userId"}, {"payment", "PAYMENT", "customer_id", "customerId"},
	}).Draw(rt, "event")
	if rapid.Bool().Draw(rt, "by a tracker") {
		s.tracked(s, e.kind, map[string]any{"visitorId": visitor, "extraData": map[string]any{e.id: customer, "email": email}})
	} else {
		input := map[string]any{"visitorId": visitor, "url": "https://shop.example/", "type": e.graphqlKind, e.graphqlID: customer, "email": email}
		s.graphql(s, `mutation($input: RecordEventInput!) { recordEvent(input: $input) { visitor { seen } } }`, map[string]any{"input": input}, nil)
	}
	s.books.tell(visitor, (&sentPayment{customer: customer, email: email}).customers()...)
}

// importRates imports what is published on a day: as many days before an entry as a rate may be old, or about that.
func (m *machine) importRates(rt *rapid.T) {
	s := m.shop(rt)
	day := m.noon
	if entries := s.books.entries(); len(entries) > 0 {
		day = rapid.SampledFrom(entries).Draw(rt, "rates before").at.In(s.books.zone)
	}
	day = day.AddDate(0, 0, -rapid.SampledFrom([]int{0, 0, 1, 6, 7, 7, 8}).Draw(rt, "days before"))
	date, err := model.ParseDate(day.Format(time.DateOnly))
	require.NoError(rt, err)
	if m.rates[date.String()] == nil {
		m.rates[date.String()] = map[string]string{}
	}
	var rates []model.Rate
	for _, currency := range []string{"USD", "JPY", "KWD"} {
		if rapid.Bool().Draw(rt, "of "+currency) {
			value := rapid.SampledFrom([]string{"2", "0.5", "1.6", "0.125", "0.015", "160", "7.0000000001"}).Draw(rt, "rate")
			rates = append(rates, model.Rate{Date: date, Currency: model.Currency(currency), PerEuro: model.Decimal(value), Source: "test"})
			m.rates[date.String()][currency] = value
		}
	}
	_, err = m.shared.store.ImportRates(s.Context(), rates, true, m.noon)
	require.NoError(rt, err)
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
