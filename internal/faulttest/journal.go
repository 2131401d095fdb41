package main

import (
	"fmt"
	"strconv"
)

// site is a website that is written to.
type site struct {
	ID, Key, Domain string
	TrackingID      string `json:"tracking_id"`
}

// state is what its writer knows of an entry of the ledger.
type state int

const (
	absent  state = iota // it is not there: never recorded, refused, or deleted
	present              // it is there, once
	unsure               // its writer got no answer
)

// entry is a payment as its writer knows it.
type entry struct {
	id      string
	kind    string // as the ledger calls it
	minor   int64  // cents
	of      string // for a refund with an id of its own: the charge
	visitor string // that was sent, or ""
	at      string // that was sent, or ""
	// customer and email are those that were sent, or "", and the person whose charge it is, or nil.
	customer, email string
	person          *person
	state           state
	isOver          bool // a refund that exceeds its charge, and must be refused
	refunds         []*entry
}

func (e *entry) isRefund() bool { return e.kind == kindRefund }

// The kinds of entries.
const (
	kindCharge  = "CHARGE"
	kindRenewal = "RENEWAL"
	kindTrial   = "FREE_TRIAL"
	kindRefund  = "REFUND"
)

// refunded is the sum of the refunds of a charge.
func (e *entry) refunded() (minor int64) {
	for _, r := range e.refunds {
		if r.state == present {
			minor += r.minor
		}
	}
	return minor
}

// decimal is an amount in major units.
func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// cents reads what decimal writes.
func cents(text string) (int64, error) {
	value, err := strconv.ParseFloat(text, 64) // exact to the cent far beyond what is recorded here
	if value < 0 {
		return int64(value*100 - 0.5), err
	}
	return int64(value*100 + 0.5), err
}

// key is what makes an entry unique in its website.
type key struct {
	id     string
	refund bool
}

// views are the pageviews of a visitor.
type views struct {
	acknowledged, sent int
}

// journal is what a writer knows of a website.
type journal struct {
	site     *site
	entries  map[key]*entry
	visitors map[string]*views
	// everybody are all people there were, and people those whom something more is done with.
	everybody, people []*person
	// deletions are how many entries were deleted: at least, and at most.
	deletedMin, deletedMax int
}

func newJournal(s *site) *journal {
	return &journal{site: s, entries: map[key]*entry{}, visitors: map[string]*views{}}
}

func (j *journal) add(e *entry) { j.entries[key{e.id, e.isRefund()}] = e }

// outcome is what an answer says of an entry that was sent.
type outcome int

const (
	noAnswer outcome = iota
	recorded
	duplicate
	refused
)

// learn notes what the answers to the copies of a request say of an entry, and says whether all are known. The
// first request for an entry must record it.
func (e *entry) learn(r *report, name string, isFirst bool, got []outcome) (known bool) {
	var n [refused + 1]int
	for _, o := range got {
		n[o]++
	}
	acknowledged := n[recorded] + n[duplicate]
	r.count(func(f *figures) {
		f.acknowledged += acknowledged
		f.refused += n[refused]
		f.unknown += n[noAnswer]
	})
	switch {
	case e.isOver && acknowledged > 0:
		r.breach(wrong, "%s exceeds its charge and was accepted", name)
	case !e.isOver && n[refused] > 0:
		r.breach(wrong, "%s was refused", name)
	case n[recorded] > 1:
		r.breach(doubled, "%s was recorded %d times, says the server", name, n[recorded])
	case e.state == present && n[recorded] > 0:
		r.breach(lost, "%s was acknowledged before, and is now recorded as new", name)
	case isFirst && n[duplicate] > 0 && n[recorded]+n[noAnswer] == 0:
		r.breach(wrong, "%s was never sent before, and is a duplicate", name)
	}
	switch {
	case acknowledged > 0:
		e.state = present
	case n[refused] > 0:
		e.state = absent
	case e.state == absent:
		e.state = unsure
	}
	return n[noAnswer] == 0
}
