package e2e_test

import (
	"slices"
	"strings"
	"time"
)

// books are what the server must know of one website. They keep all that was sent and is not deleted, in the order
// in which it came, and find out from the beginning, after each change, who is credited with what.
type books struct {
	currency string
	zone     *time.Location
	rates    rateBooks
	facts    []*fact
	batches  int
	known    map[string]string // customers to visitors, as far as that follows from the facts
	// hasPruned says that visits were deleted once.
	hasPruned bool
}

// fact is a payment, or what a page has told.
type fact struct {
	visitor string // "" if a payment came without one
	// customers are the ways to know the payer: "c" and a customer id, "e" and an e-mail in lower case.
	customers []string
	payment   *paid // nil if a page has told it
	batch     int   // 0 if it came alone
}

// paid is an entry of the ledger.
type paid struct {
	sentPayment
	minor int64
	kind  string
	at    time.Time
	// worth is what it was converted to last, in the currency worthIn.
	worth   *int64
	worthIn string
	// owner is who it is credited to, or waits for, and basis says why.
	owner, basis string
	isEither     bool // customer id and e-mail both lead to the owner
	erased       bool // whose it is was forgotten
}

// GoString is how a failure names an entry.
func (e *paid) GoString() string { return e.kind + " " + e.id }

// payment is a payment as it is sent; what is left out is "".
type sentPayment struct {
	id, amount, currency               string
	visitor, customer, email, refundOf string
	renewal, refunded, trial           bool
	at                                 moment
	requireVisitor, rejectDuplicate    bool
}

// decimals are those of the currencies that are paid in.
var decimals = map[string]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}

func (p *sentPayment) charge() string {
	if p.refundOf != "" {
		return p.refundOf
	}
	return p.id
}

func (p *sentPayment) customers() (keys []string) {
	if p.customer != "" {
		keys = append(keys, "c"+p.customer)
	}
	if p.email != "" {
		keys = append(keys, "e"+strings.ToLower(p.email))
	}
	return keys
}

// entries are all entries, in the order in which they came.
func (b *books) entries() (entries []*paid) {
	for _, f := range b.facts {
		if f.payment != nil {
			entries = append(entries, f.payment)
		}
	}
	return entries
}

// find is the charge or the refund of an id; nil if there is none.
func (b *books) find(id string, refund bool) *paid {
	for _, e := range b.entries() {
		if e.id == id && e.refunded == refund {
			return e
		}
	}
	return nil
}

// waitingRefunds are the refunds of charges with one of some ids that have not come.
func (b *books) waitingRefunds(charges []string) []*paid {
	return slices.DeleteFunc(b.entries(), func(e *paid) bool {
		return !e.refunded || !slices.Contains(charges, e.charge()) || b.find(e.charge(), false) != nil
	})
}

// record says what the server has to make of a payment, and keeps it unless it is refused or a duplicate.
func (b *books) record(p sentPayment, now time.Time) (outcome string) {
	if p.at.text == "" {
		p.at.start = now
	}
	e := &paid{sentPayment: p, at: p.at.start, minor: minorOf(p.amount, decimals[p.currency]), kind: "CHARGE"}
	switch {
	case p.refunded && e.minor == 0:
		return "INVALID_AMOUNT amount"
	case p.refunded:
		e.kind = "REFUND"
	case p.trial || e.minor == 0:
		e.kind = "FREE_TRIAL"
	case p.renewal:
		e.kind = "RENEWAL"
	}
	if p.requireVisitor && !b.seen(p.visitor) {
		return "VISITOR_NOT_FOUND visitorId"
	}
	if first := b.find(p.id, p.refunded); first != nil {
		if p.rejectDuplicate {
			return "DUPLICATE_TRANSACTION transactionId"
		}
		return words(append([]string{"DUPLICATE"}, first.differences(e)...)...)
	}
	if fault := b.checkRefunds(e); fault != "" {
		return fault
	}
	if charge := b.find(e.charge(), false); p.refunded && charge != nil && charge.erased {
		e.forget()
	}
	b.convert(e)
	b.facts = append(b.facts, &fact{visitor: e.visitor, customers: e.customers(), payment: e})
	b.credit()
	switch {
	case p.refunded:
		return "REFUNDED"
	case b.seen(e.owner):
		return "ATTRIBUTED"
	}
	return "RECORDED"
}

// recordBatch records payments that came in one request.
func (b *books) recordBatch(payments []sentPayment, now time.Time) (outcomes []string) {
	before := len(b.facts)
	for _, p := range payments {
		outcomes = append(outcomes, b.record(p, now))
	}
	b.batches++
	for _, f := range b.facts[before:] {
		f.batch = b.batches
	}
	b.credit()
	return outcomes
}

// checkRefunds is why an entry would make the refunds of a charge wrong.
func (b *books) checkRefunds(added *paid) string {
	var charge *paid
	var refunded int64
	isOther := false
	for _, e := range append(b.entries(), added) {
		if !e.refunded && e.id == added.charge() {
			charge = e
		}
	}
	if charge == nil {
		return ""
	}
	for _, e := range append(b.entries(), added) {
		if e.refunded && e.charge() == charge.id {
			refunded += e.minor
			isOther = isOther || e.currency != charge.currency
		}
	}
	switch {
	case isOther:
		return "REFUND_CURRENCY_MISMATCH currency"
	case refunded > 0 && (charge.kind == "FREE_TRIAL" || refunded > charge.minor):
		return "REFUND_EXCEEDS_CHARGE amount"
	}
	return ""
}

// differences are what a repeated payment says otherwise, in the order of the API.
func (e *paid) differences(again *paid) (names []string) {
	if e.erased {
		again.forget()
	}
	for _, field := range []struct {
		name  string
		other bool
	}{
		{"amount", again.minor != e.minor},
		{"currency", again.currency != e.currency},
		{"visitorId", again.visitor != "" && again.visitor != e.owner},
		{"customerId", again.customer != "" && again.customer != e.customer},
		{"email", again.email != "" && again.email != e.email},
		{"renewal", again.renewal != e.renewal},
		{"freeTrial", (again.kind == "FREE_TRIAL") != (e.kind == "FREE_TRIAL")},
		{"refundOf", again.refundOf != "" && again.refundOf != e.refundOf},
		{"occurredAt", again.sentPayment.at.text != "" && !again.at.Equal(e.at)},
	} {
		if field.other {
			names = append(names, field.name)
		}
	}
	return names
}

// tell notes what a page has told: a visitor was there, and says to be these customers.
func (b *books) tell(visitor string, customers ...string) {
	b.facts = append(b.facts, &fact{visitor: visitor, customers: customers})
	b.credit()
}

// seen says whether a page has told of a visitor.
func (b *books) seen(visitor string) bool {
	return slices.ContainsFunc(b.facts, func(f *fact) bool { return f.payment == nil && f.visitor == visitor })
}

// delete takes out the entries that match.
func (b *books) delete(matches func(e *paid) bool) {
	b.facts = slices.DeleteFunc(b.facts, func(f *fact) bool { return f.payment != nil && matches(f.payment) })
	b.credit()
}
