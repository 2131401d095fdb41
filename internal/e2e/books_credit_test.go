package e2e_test

// crediting goes through the facts, and knows what they have told so far.
type crediting struct {
	seen    map[string]bool
	entries []*paid
	known   map[string]string // customers to visitors
	claimed map[string]bool   // the customers of whom only a page says so
}

// credit finds out who each entry is credited to, as if all that was sent came now.
func (b *books) credit() {
	c := crediting{map[string]bool{}, nil, map[string]string{}, map[string]bool{}}
	for i, f := range b.facts {
		if f.payment == nil {
			if !c.seen[f.visitor] {
				c.seen[f.visitor] = true
				for _, e := range c.entries {
					c.takeOver(e, e.visitor == f.visitor)
				}
			}
			for c.settle(c.entries) {
			}
			for _, customer := range f.customers {
				if c.known[customer] == "" {
					c.known[customer], c.claimed[customer] = f.visitor, true
				}
			}
		} else {
			f.payment.owner, f.payment.basis = f.visitor, "NONE"
			c.entries = append(c.entries, f.payment)
			c.takeOver(f.payment, c.seen[f.visitor])
		}
		settling := c.entries
		if f.batch > 0 && i+1 < len(b.facts) && b.facts[i+1].batch == f.batch { // others follow when all of it has come
			settling = settling[len(settling)-1:]
		}
		for c.settle(settling) {
		}
	}
	for _, e := range c.entries {
		keys := e.customers()
		e.isEither = len(keys) == 2 && c.known[keys[0]] == e.owner && c.known[keys[1]] == e.owner
		if !c.seen[e.owner] {
			e.basis = "NONE"
		}
	}
	b.known = c.known
}

// takeOver has an entry know its customers better than a page does.
func (c *crediting) takeOver(e *paid, isSeen bool) {
	for _, customer := range e.customers() {
		if isSeen && c.claimed[customer] {
			c.known[customer], c.claimed[customer] = e.owner, false
		}
	}
}

// says is whether the server may say a basis of an entry. One whose customer id and e-mail become known by a visitor
// together, or again after a deletion, may follow either.
func (b *books) says(e *paid, basis string) bool {
	follows := func(basis string) bool { return basis == "CUSTOMER_ID" || basis == "EMAIL" }
	return basis == e.basis || e.isEither && follows(basis) && follows(e.basis)
}

// settle takes one step from what is known to what follows from that for some entries, and says whether anything did.
func (c *crediting) settle(entries []*paid) (changed bool) {
	type credit struct{ owner, basis string }
	credits := make([]credit, len(entries))
	for i, e := range entries {
		credits[i].owner, credits[i].basis = c.whose(e)
	}
	for i, e := range entries {
		changed = changed || credits[i] != credit{e.owner, e.basis}
		e.owner, e.basis = credits[i].owner, credits[i].basis
	}
	for _, e := range entries {
		for _, customer := range e.customers() {
			visitor := c.known[customer]
			if e.owner != "" && (visitor == "" || !c.seen[visitor] && c.seen[e.owner]) {
				c.known[customer], changed = e.owner, true
			}
		}
	}
	return changed
}

// whose says who an entry is credited to: the visitor that came with it, that of the charge which it refunds, or
// that of its customer, of its e-mail. Who has it keeps it, unless the one was never seen and the other was.
func (c *crediting) whose(e *paid) (visitor, basis string) {
	if e.visitor != "" {
		return e.visitor, "VISITOR_ID"
	}
	if e.refunded && !e.erased {
		for _, charge := range c.entries {
			if !charge.refunded && charge.id == e.charge() && charge.owner != "" {
				return charge.owner, "REFUNDED_PAYMENT"
			}
		}
	}
	for _, customer := range e.customers() {
		if visitor := c.known[customer]; c.seen[visitor] && !c.seen[e.owner] {
			return visitor, bases[customer[0]]
		}
	}
	for _, customer := range e.customers() {
		if visitor := c.known[customer]; visitor != "" && e.owner == "" {
			return visitor, bases[customer[0]]
		}
	}
	return e.owner, e.basis
}

// bases are those of the ways to know a payer.
var bases = map[byte]string{'c': "CUSTOMER_ID", 'e': "EMAIL"}
