package model

import "slices"

// EntryKey is what makes a ledger entry unique in its website: a charge and a refund may share a
// transaction id.
type EntryKey struct {
	TransactionID string
	Refund        bool
}

// Key is the entry's key.
func (p *Payment) Key() EntryKey { return EntryKey{p.TransactionID, p.IsRefund()} }

// CustomerKey is one way to recognise a payer.
type CustomerKey struct {
	Basis AttributionBasis // BasisCustomerID or BasisEmail
	Value string           // the customer id, or the folded e-mail address
}

// CustomerKeys are the ways to recognise the payer, in the order in which they are tried.
func (p *Payment) CustomerKeys() []CustomerKey {
	var keys []CustomerKey
	if p.CustomerID != nil {
		keys = append(keys, CustomerKey{BasisCustomerID, *p.CustomerID})
	}
	if p.Email != nil {
		keys = append(keys, CustomerKey{BasisEmail, FoldEmail(*p.Email)})
	}
	return keys
}

// Ledger is the part of a website's ledger that some payments touch. It decides what becomes of
// them, one after the other, without a database: whoever loads it must hold the locks that keep
// it true until the decisions are written.
type Ledger struct {
	entries map[EntryKey]*Payment
	charges map[string]*charge
	// visitors maps the customers that are known to their visitors.
	visitors map[CustomerKey]string
	seen     map[string]bool
	// Claimed are those of the known customers that only a page says so of: see RecordEventInput. A payment
	// that comes with a visitor who was seen knows better.
	Claimed map[CustomerKey]bool
	// Links are the customers that became known, or known by a visitor that has been seen where the former one was not,
	// or where only a page had said who it is. What each may take is decided.
	Links map[CustomerKey]string
	// EventsLeft is how many more entries the account may record; negative means no limit.
	EventsLeft int64
}

// charge is a charge, if known, and its refunds.
type charge struct {
	payment *Payment
	refunds []*Payment
}

// NewLedger makes a ledger of entries that are recorded, of the visitors of known customers, and of
// the visitors among all these and the payments to come that have been seen.
func NewLedger(entries []Payment, customers map[CustomerKey]string, seen map[string]bool) *Ledger {
	l := &Ledger{
		entries: map[EntryKey]*Payment{}, charges: map[string]*charge{}, visitors: customers,
		seen: seen, Links: map[CustomerKey]string{}, EventsLeft: -1,
	}
	for i := range entries {
		l.add(&entries[i])
	}
	return l
}

func (l *Ledger) add(p *Payment) {
	l.entries[p.Key()] = p
	c := l.charge(p.ChargeID())
	if p.IsRefund() {
		c.refunds = append(c.refunds, p)
	} else {
		c.payment = p
	}
}

func (l *Ledger) charge(id string) *charge {
	c := l.charges[id]
	if c == nil {
		c = &charge{}
		l.charges[id] = c
	}
	return c
}

// Record decides what becomes of a payment and, unless it is a duplicate, adds it. Errors:
// CodeDuplicateTransaction and CodeVisitorNotFound if the payment asks for them,
// CodeRefundExceedsCharge, CodeRefundCurrency, CodeEventLimitReached. A payment that is refused
// changes nothing.
func (l *Ledger) Record(p *NewPayment) (RecordPaymentPayload, error) {
	if p.RequireVisitor && (p.VisitorID == nil || !l.seen[*p.VisitorID]) {
		return RecordPaymentPayload{}, Errorf(CodeVisitorNotFound, "visitorId", "visitor not found")
	}
	if first := l.entries[p.Key()]; first != nil {
		if p.RejectDuplicate {
			return RecordPaymentPayload{}, Errorf(CodeDuplicateTransaction, "transactionId", "a payment with this transaction id is already recorded")
		}
		return RecordPaymentPayload{Payment: first, Outcome: OutcomeDuplicate, Differences: p.differences(first)}, nil
	}
	if err := l.checkRefunds(&p.Payment); err != nil {
		return RecordPaymentPayload{}, err
	}
	if l.EventsLeft == 0 {
		return RecordPaymentPayload{}, ErrEventLimit(p.RecordedAt)
	}
	if l.EventsLeft > 0 {
		l.EventsLeft--
	}
	if l.isErased(&p.Payment) {
		p.Erase()
	}
	l.attribute(&p.Payment)
	l.add(&p.Payment)
	outcome := OutcomeRecorded
	switch {
	case p.IsRefund():
		outcome = OutcomeRefunded
	case p.VisitorSeen:
		outcome = OutcomeAttributed
	}
	return RecordPaymentPayload{Payment: &p.Payment, Outcome: outcome}, nil
}

// RefundedCharges are the transaction ids of those added charges that have a visitor and refunds which came
// before them without it: these have to follow.
func (l *Ledger) RefundedCharges(added []*Payment) []string {
	var ids []string
	for _, p := range added {
		if !p.IsRefund() && p.VisitorID != nil && slices.ContainsFunc(l.charge(p.TransactionID).refunds, p.isFollowed) {
			ids = append(ids, p.TransactionID)
		}
	}
	return ids
}

// isErased says whether a payment refunds one whose payer was forgotten: with its e-mail address kept, it would
// tell whose that was.
func (l *Ledger) isErased(p *Payment) bool {
	c := l.charge(p.ChargeID())
	return p.IsRefund() && c.payment != nil && c.payment.Erased
}

// isFollowed says whether a refund of the charge has to get the charge's visitor. One that came with a visitor
// of its own keeps it.
func (p *Payment) isFollowed(refund *Payment) bool {
	return !refund.Erased && refund.Basis != BasisVisitorID && (refund.Basis != BasisRefundedPayment || differs(refund.VisitorID, p.VisitorID))
}

// checkRefunds keeps the refunds of a charge within it, whichever of them comes first.
func (l *Ledger) checkRefunds(p *Payment) error {
	c := l.charge(p.ChargeID())
	charged, refunds := c.payment, c.refunds
	if p.IsRefund() {
		refunds = append(slices.Clone(refunds), p)
	} else {
		charged = p
	}
	if charged == nil {
		return nil
	}
	limit, total := NewSum(charged.Amount.Currency), NewSum(charged.Amount.Currency)
	if charged.Kind != KindFreeTrial {
		limit = SumOf(charged.Amount)
	}
	for _, r := range refunds {
		if r.Amount.Currency != charged.Amount.Currency {
			return Errorf(CodeRefundCurrency, "currency", "a refund must have the currency of its charge")
		}
		total = total.Add(SumOf(r.Amount))
	}
	if total.Cmp(limit) > 0 {
		return Errorf(CodeRefundExceedsCharge, "amount", "the refunds of this charge would add up to more than it")
	}
	return nil
}

// attribute finds the payment's visitor and lets the payment's customer become known by it.
func (l *Ledger) attribute(p *Payment) {
	if p.VisitorID == nil && p.IsRefund() {
		if c := l.charge(p.ChargeID()); c.payment != nil && c.payment.VisitorID != nil {
			p.VisitorID, p.Basis = c.payment.VisitorID, BasisRefundedPayment
		}
	}
	if p.VisitorID == nil && !l.attributeToCustomer(p) {
		return
	}
	p.VisitorSeen = l.seen[*p.VisitorID]
	for _, key := range p.CustomerKeys() {
		known, ok := l.visitors[key]
		knowsBetter := l.Claimed[key] && p.Basis == BasisVisitorID && p.VisitorSeen
		if !ok || (!l.seen[known] && p.VisitorSeen) || knowsBetter {
			delete(l.Claimed, key)
			l.visitors[key] = *p.VisitorID
			l.Links[key] = *p.VisitorID
		}
	}
}

// attributeToCustomer finds the visitor that the payment's customer is known by. One that was seen
// goes before one that was not, as it does when payments are attributed later.
func (l *Ledger) attributeToCustomer(p *Payment) bool {
	for _, mustBeSeen := range []bool{true, false} {
		for _, key := range p.CustomerKeys() {
			if visitor, ok := l.visitors[key]; ok && (l.seen[visitor] || !mustBeSeen) {
				p.VisitorID, p.Basis = &visitor, key.Basis
				return true
			}
		}
	}
	return false
}

// differences names what a repeated payment says otherwise than the entry. What it leaves out is
// no difference, nor is what the entry had to forget.
func (p *NewPayment) differences(first *Payment) []string {
	if first.Erased {
		same := *p
		same.Erase()
		p = &same
	}
	var names []string
	note := func(differs bool, name string) {
		if differs {
			names = append(names, name)
		}
	}
	note(p.Amount.Minor != first.Amount.Minor, "amount")
	note(p.Amount.Currency != first.Amount.Currency, "currency")
	note(p.VisitorID != nil && differs(p.VisitorID, first.VisitorID), "visitorId")
	note(p.SessionID != nil && differs(p.SessionID, first.SessionID), "sessionId")
	note(p.CustomerID != nil && differs(p.CustomerID, first.CustomerID), "customerId")
	note(p.Email != nil && differs(p.Email, first.Email), "email")
	note(p.Name != nil && differs(p.Name, first.Name), "name")
	note(p.Renewal != first.Renewal, "renewal")
	note((p.Kind == KindFreeTrial) != (first.Kind == KindFreeTrial), "freeTrial")
	note(p.RefundOf != nil && differs(p.RefundOf, first.RefundOf), "refundOf")
	note(p.TimeGiven && !p.OccurredAt.Equal(first.OccurredAt), "occurredAt")
	note(p.Metadata != nil && !p.Metadata.Equal(first.Metadata), "metadata")
	return names
}

func differs(a, b *string) bool {
	return (a == nil) != (b == nil) || (a != nil && *a != *b)
}
