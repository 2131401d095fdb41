package e2e_test

import "slices"

// forgotten is whom an erasure is about.
type forgotten struct {
	ids         map[string]bool // "v" and a visitor, and ways to know a payer
	own, others map[*paid]bool  // the person's entries, and those of others that are credited to its visitors
	// leadsOn says that some of its entries, which are its own as refunds, carry what is not the person's: what others
	// have from these they keep, which books cannot tell from all that was sent.
	leadsOn bool
}

// person is who is known by an id: by what it paid with, as the payments say, and the visitors who are known by that.
func (b *books) person(id string) forgotten {
	f := forgotten{ids: map[string]bool{id: true}, own: map[*paid]bool{}, others: map[*paid]bool{}}
	isIts := func(id string) bool { return f.ids[id] }
	for before := 0; before < len(f.ids); {
		before = len(f.ids)
		for _, e := range b.entries() {
			keys := e.customers()
			if "v"+e.visitor == id || slices.ContainsFunc(keys, isIts) {
				for _, key := range keys {
					f.ids[key] = true
				}
			}
		}
	}
	for key, visitor := range b.known {
		if f.ids[key] {
			f.ids["v"+visitor] = true
		}
	}
	for _, e := range b.entries() {
		keys := e.customers()
		switch {
		case slices.ContainsFunc(keys, isIts), f.ids["v"+e.visitor] && len(keys) == 0:
			f.own[e] = true
		case f.ids["v"+e.owner]:
			f.others[e] = true
		}
	}
	for _, e := range b.entries() {
		if e.refunded && !e.erased && f.own[b.find(e.charge(), false)] {
			f.own[e] = true
			delete(f.others, e)
			f.leadsOn = f.leadsOn || e.visitor != "" && !f.ids["v"+e.visitor] || !allOf(e.customers(), isIts)
		}
	}
	return f
}

func allOf(values []string, hold func(string) bool) bool {
	return !slices.ContainsFunc(values, func(value string) bool { return !hold(value) })
}

// erase forgets a person: its entries are nobody's then, and what pages have told of its visitors is gone.
func (b *books) erase(gone forgotten) {
	b.facts = slices.DeleteFunc(b.facts, func(f *fact) bool { return f.payment == nil && gone.ids["v"+f.visitor] })
	for _, f := range b.facts {
		switch {
		case gone.own[f.payment]:
			f.payment.forget()
			f.visitor, f.customers = "", nil
		case gone.others[f.payment]:
			f.payment.visitor, f.visitor = "", ""
		}
	}
	b.credit()
}

// forget takes from an entry what tells whose it is.
func (e *paid) forget() { e.visitor, e.customer, e.email, e.erased = "", "", "", true }

// prune forgets what pages have told of the visitors who have no payments.
func (b *books) prune() {
	b.hasPruned = true
	b.facts = slices.DeleteFunc(b.facts, func(f *fact) bool {
		return f.payment == nil && !slices.ContainsFunc(b.entries(), func(e *paid) bool { return e.owner == f.visitor })
	})
	b.credit()
}
