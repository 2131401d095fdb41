package e2e_test

import (
	"encoding/json"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// person is somebody who pays, by few of everything, so that requests meet. Nobody pays as two visitors: who does is
// credited to the one who came first, and who that is after a deletion is a matter of luck.
type person struct {
	visitor                         string
	transactions, customers, emails []string
}

var people = []person{
	{"ada", []string{"a", "b", "c", "g"}, []string{"c1", "c2"}, []string{"ada@x.example", "Ada@X.example", "ada@home.example"}},
	{"bob", []string{"d", "e", "h"}, []string{"c3"}, []string{"bob@x.example"}},
}

var (
	transactions = []string{"a", "b", "c", "d", "e", "g", "h", "i"} // of which nobody has the last
	visitors     = []string{"ada", "bob", "eve"}
	currencies   = []string{"USD", "EUR", "JPY", "KWD"}
)

// moment is a time as it is written, and what it stands for as the start and as the end of a range.
type moment struct {
	text       string
	start, end time.Time
}

// instant is how GraphQL has it, whose times have an offset; nil if there is none.
func (m moment) instant() any {
	if m.text == "" {
		return nil
	}
	return m.start.Format(time.RFC3339Nano)
}

// The ways to write a time, as often as they are drawn; "" is none. A date as the end of a range is all of that day.
var (
	timeOfPayment = []string{"", "instant", "instant", "second", "local", "date"}
	timeOfRange   = []string{"", "instant", "second", "local", "date", "date", "date"}
)

// drawMoment draws a time next to one at which something begins or an entry is, in one of the ways to write it; none
// is now.
func (s *bookedShop) drawMoment(rt *rapid.T, label string, ways []string) moment {
	written := rapid.SampledFrom(ways).Draw(rt, label)
	if written == "" {
		return moment{}
	}
	at := s.noon.AddDate(0, 0, -rapid.SampledFrom([]int{0, 1, 1, 2, 3}).Draw(rt, label+", days ago"))
	entries := s.books.entries()
	switch rapid.SampledFrom([]string{"noon", "afternoon", "midnight", "midnight", "midnight", "entry", "entry", "entry"}).Draw(rt, label+", next to") {
	case "afternoon":
		at = at.Add(3 * time.Hour)
	case "midnight":
		at = midnight(at.In(s.books.zone), 0)
	case "entry":
		if len(entries) > 0 {
			at = rapid.SampledFrom(entries).Draw(rt, label+", that of").at
		}
	}
	at = at.Add(rapid.SampledFrom([]time.Duration{0, 0, -time.Microsecond, -time.Microsecond, time.Microsecond, -time.Second, -time.Hour}).Draw(rt, label+", besides"))
	switch local := at.In(s.books.zone); written {
	case "instant":
		return moment{at.Format("2006-01-02T15:04:05.000000Z07:00"), at, at.Add(time.Microsecond)}
	case "second":
		at = at.Truncate(time.Second)
		return moment{at.In(time.FixedZone("", 2*60*60)).Format(time.RFC3339), at, at.Add(time.Second)}
	case "local":
		const layout = "2006-01-02T15:04:05"
		at = at.Truncate(time.Second)
		if before := at.Add(-time.Hour); before.In(s.books.zone).Format(layout) == local.Format(layout) {
			at = before // clocks show it twice
		}
		return moment{local.Format(layout), at, at.Add(time.Second)}
	default:
		return moment{local.Format(time.DateOnly), midnight(local, 0), midnight(local, 1)}
	}
}

// midnight is when the day begins that is some days after a time's, in its zone.
func midnight(t time.Time, days int) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day+days, 0, 0, 0, 0, t.Location())
}

func (s *bookedShop) drawPayment(rt *rapid.T) sentPayment {
	none := func(some ...string) []string { return append([]string{"", ""}, some...) }
	who := rapid.SampledFrom(people).Draw(rt, "who")
	p := sentPayment{
		id:       rapid.SampledFrom(who.transactions).Draw(rt, "id"),
		currency: rapid.SampledFrom(append([]string{"USD", "USD", "USD"}, currencies...)).Draw(rt, "currency"),
		visitor:  rapid.SampledFrom(none(who.visitor)).Draw(rt, "visitor"),
		customer: rapid.SampledFrom(append([]string{""}, who.customers...)).Draw(rt, "customer"),
		email:    rapid.SampledFrom(none(who.emails...)).Draw(rt, "email"),
		renewal:  rapid.IntRange(0, 3).Draw(rt, "renewal") == 0,
		refunded: rapid.IntRange(0, 2).Draw(rt, "refund") == 0,
		at:       s.drawMoment(rt, "paid at", timeOfPayment),
	}
	p.amount = rapid.SampledFrom([]string{"0", "1", "2", "2", "3", "5", "9007199254740"}).Draw(rt, "amount")
	if decimals[p.currency] > 0 && p.amount != "0" && rapid.Bool().Draw(rt, "with decimals") {
		p.amount += ".1"
	}
	if p.refunded {
		s.drawRefunded(rt, who, &p)
		return p
	}
	p.trial = rapid.IntRange(0, 7).Draw(rt, "trial") == 0
	if waiting := s.books.waitingRefunds(who.transactions); len(waiting) > 0 && rapid.Bool().Draw(rt, "refunded before") {
		refund := rapid.SampledFrom(waiting).Draw(rt, "by")
		p.id, p.currency, p.amount = refund.charge(), refund.currency, rapid.SampledFrom([]string{"1", "7", refund.amount}).Draw(rt, "charged")
	}
	return p
}

// drawRefunded draws of which charge a payment is a refund, mostly one that it fits.
func (s *bookedShop) drawRefunded(rt *rapid.T, who person, p *sentPayment) {
	charge := rapid.SampledFrom(who.transactions).Draw(rt, "refund of")
	if first := s.books.find(charge, false); first != nil && rapid.IntRange(0, 3).Draw(rt, "as it was paid") > 0 {
		p.currency, p.amount = first.currency, rapid.SampledFrom([]string{"1", "2", first.amount}).Draw(rt, "of it")
	}
	if rapid.Bool().Draw(rt, "tells nothing of who paid") {
		p.visitor, p.customer, p.email = "", "", ""
	}
	if p.id = charge; rapid.Bool().Draw(rt, "with an id of its own") {
		p.id, p.refundOf = rapid.SampledFrom(who.transactions).Draw(rt, "which"), charge
	}
}

// drawFaurya draws a payment of Faurya's dialect. It counts in the website's currency.
func (s *bookedShop) drawFaurya(rt *rapid.T) sentPayment {
	who := rapid.SampledFrom(people).Draw(rt, "who")
	return sentPayment{
		id:       rapid.SampledFrom(who.transactions).Draw(rt, "id"),
		amount:   rapid.SampledFrom([]string{"1", "2", "7"}).Draw(rt, "amount"),
		currency: s.books.currency, visitor: who.visitor, requireVisitor: true, rejectDuplicate: true,
	}
}

// input is the payment as GraphQL's input, with its time as REST takes it.
func (p sentPayment) input() map[string]any {
	input := map[string]any{"transactionId": p.id, "amount": json.Number(p.amount), "currency": p.currency}
	for name, value := range map[string]string{
		"visitorId": p.visitor, "customerId": p.customer, "email": p.email, "refundOf": p.refundOf, "occurredAt": p.at.text,
	} {
		if value != "" {
			input[name] = value
		}
	}
	for name, value := range map[string]bool{
		"renewal": p.renewal, "refunded": p.refunded, "freeTrial": p.trial,
		"requireVisitor": p.requireVisitor, "rejectDuplicate": p.rejectDuplicate,
	} {
		if value {
			input[name] = true
		}
	}
	return input
}

// graphqlInput is input with the time as GraphQL takes it.
func (p sentPayment) graphqlInput() map[string]any {
	input := p.input()
	input["occurredAt"] = p.at.instant()
	return input
}

// filters select the payments to delete; what is left out is "".
type filters struct {
	id, visitor string
	from, to    moment
}

func (s *bookedShop) drawFilters(rt *rapid.T) (f filters) {
	entries := s.books.entries()
	by := rapid.SampledFrom([]string{"nothing", "id", "id", "time", "time", "time", "both"}).Draw(rt, "by")
	if by == "id" || by == "both" {
		f.id = rapid.SampledFrom(transactions).Draw(rt, "id")
		if len(entries) > 0 && rapid.IntRange(0, 3).Draw(rt, "of an entry") > 0 {
			f.id = rapid.SampledFrom(entries).Draw(rt, "which").id
		}
	}
	if rapid.IntRange(0, 3).Draw(rt, "by visitor") == 0 {
		f.visitor = rapid.SampledFrom(visitors).Draw(rt, "visitor")
	}
	if by == "time" || by == "both" {
		f.from, f.to = s.drawMoment(rt, "from", timeOfRange), s.drawMoment(rt, "to", timeOfRange)
		if f.from.text != "" && f.to.text != "" && f.to.start.Before(f.from.start) {
			f.from, f.to = f.to, f.from
		}
	}
	return f
}

// matches says whether all filters hold.
func (f filters) matches(e *paid) bool {
	return (f.id == "" || e.id == f.id) && (f.visitor == "" || e.owner == f.visitor) &&
		(f.from.text == "" || !e.at.Before(f.from.start)) && (f.to.text == "" || e.at.Before(f.to.end))
}

func (s *bookedShop) chosen(f filters) []*paid {
	return slices.DeleteFunc(s.books.entries(), func(e *paid) bool { return !f.matches(e) })
}
