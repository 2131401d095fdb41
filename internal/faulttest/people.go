package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5"
)

// person is a customer who was one visitor, and is one writer's. Charges carry what names a person in part, and
// servers find out the rest.
type person struct {
	visitor, customer, email string
	entries                  []*entry
	// proven says that a charge carried all three, claimed that a page has named the visitor's customer id.
	proven, claimed bool
	// doubtful says that something was asked for which there was no answer at once: then nobody forgets this person.
	doubtful bool
	erased   bool
}

// visitorOf is the visitor whom a charge of the person must be credited to, once all is settled; "" if to nobody.
func (p *person) visitorOf(e *entry) string {
	if p.proven || p.claimed && e.customer != "" {
		return p.visitor
	}
	return e.visitor
}

// maxPeople is how many people a writer has at a time.
const maxPeople = 20

// meet takes one of the writer's people, or a new one.
func (w *writer) meet() *person {
	if n := len(w.people); n > 0 && w.rng.IntN(4) > 0 {
		return w.people[w.rng.IntN(n)]
	}
	name := w.next("p")
	p := &person{visitor: name, customer: "c-" + name, email: name + "@faults.example"}
	if len(w.people) == maxPeople {
		w.people = slices.Delete(w.people, 0, 1)
	}
	w.people = append(w.people, p)
	w.everybody = append(w.everybody, p)
	return p
}

// deal does something with a person: has them pay, says on a page who they are, or forgets them.
func (w *writer) deal(ctx context.Context) {
	p := w.meet()
	known := true
	switch dice := w.rng.IntN(10); {
	case dice < 2 && p.proven && !p.doubtful:
		w.forget(ctx, p)
	case dice < 4:
		known = w.do(ctx, &identifying{p, w.server()})
	default:
		known = w.pay(ctx, p)
	}
	p.doubtful = p.doubtful || !known
}

// pay records a charge of a person that carries one of the identifiers, or all.
func (w *writer) pay(ctx context.Context, p *person) (known bool) {
	e := &entry{id: w.next("t"), kind: kindCharge, minor: 1 + w.rng.Int64N(100_000), person: p}
	switch w.rng.IntN(3) {
	case 0:
		e.customer = p.customer
	case 1:
		e.email = p.email
	default:
		e.visitor, e.customer, e.email = p.visitor, p.customer, p.email
		defer func() { p.proven = true }() // at the latest when it is settled
	}
	p.entries = append(p.entries, e)
	return w.record(ctx, w.some(), e)
}

// identifying is a page that says which customer its visitor is.
type identifying struct {
	person *person
	server *server
}

func (a *identifying) try(ctx context.Context, w *writer, _ bool) (known bool) {
	a.person.claimed = true // at the latest when it is settled
	got := w.client.send(ctx, a.server, "", http.MethodPost, "/api/events", map[string]any{
		"websiteId": w.site.TrackingID, "domain": w.site.Domain, "visitorId": a.person.visitor, "sessionId": "s" + a.person.visitor,
		"type": "identify", "href": "https://" + w.site.Domain + "/", "extraData": map[string]any{"user_id": a.person.customer},
	})
	return w.heard(got, "who a visitor of "+w.site.Domain+" is")
}

// forget erases a person, and sends what they paid again: that stays anonymous.
func (w *writer) forget(ctx context.Context, p *person) {
	w.people = slices.DeleteFunc(w.people, func(other *person) bool { return other == p })
	by := []map[string]any{{"visitorId": p.visitor}, {"customerId": p.customer}, {"email": p.email}}[w.rng.IntN(3)]
	if w.do(ctx, &erasing{p, by, w.server()}) {
		w.do(ctx, &recording{entries: p.entries[:1], byGraphQL: w.rng.IntN(2) == 0, servers: w.some()})
	}
}

// erasing has a person erased.
type erasing struct {
	person *person
	by     map[string]any
	server *server
}

func (a *erasing) try(ctx context.Context, w *writer, isFirst bool) (known bool) {
	var data struct {
		ErasePerson *struct{ Payments int }
	}
	code, known := w.client.query(ctx, a.server, w.site.Key, `mutation ($input: ErasePersonInput!) { erasePerson(input: $input) { payments } }`,
		map[string]any{"input": a.by}, &data)
	if !known || code == "" && data.ErasePerson == nil {
		w.report.count(func(f *figures) { f.unknown++ })
		return false
	}
	switch {
	case code != "":
		w.report.breach(wrong, "erasing %v of %s: %s", a.by, w.site.Domain, code)
	case isFirst && data.ErasePerson.Payments < len(a.person.entries):
		w.report.breach(lost, "erasing %v of %s found %d payments, of %d", a.by, w.site.Domain, data.ErasePerson.Payments, len(a.person.entries))
	}
	w.report.count(func(f *figures) { f.acknowledged++; f.erased++ })
	a.person.erased = true
	return true
}

// checkPeople compares who is there with who was forgotten, and whom a customer is known to be with who it is.
func (r *rig) checkPeople(ctx context.Context, conn *pgx.Conn, k *knowledge) error {
	rows, err := conn.Query(ctx, `SELECT value, coalesce(visitor_id, '') FROM customers WHERE website_id = $1
		UNION ALL SELECT id, id FROM visitors WHERE website_id = $1
		UNION ALL SELECT visitor_id, visitor_id FROM events WHERE website_id = $1
		UNION ALL SELECT visitor_id, visitor_id FROM visitor_rollups WHERE website_id = $1`, k.site.ID)
	if err != nil {
		return err
	}
	var name, visitor string
	known := map[string]string{}
	if _, err := pgx.ForEachRow(rows, []any{&name, &visitor}, func() error { known[name] = visitor; return nil }); err != nil {
		return err
	}
	for _, p := range k.people {
		for _, name := range []string{p.visitor, p.customer, p.email} {
			visitor, isThere := known[name]
			switch {
			case p.erased && isThere:
				r.report.breach(wrong, "%s of %s was erased, and is there", name, k.site.Domain)
			case !p.erased && p.proven && visitor != p.visitor:
				r.report.breach(lost, "%s of %s is known to be %q, and is %s", name, k.site.Domain, visitor, p.visitor)
			}
		}
	}
	return nil
}

// faultOf says what of a person an entry in the database has that it should not, or has not; "" if all is right.
func (e *entry) faultOf(there row) string {
	visitor, customer, email := e.visitor, e.customer, e.email
	switch p := e.person; {
	case p == nil && e.visitor == "":
		visitor = there.Visitor // a refund's is that of its charge
	case p == nil:
	case p.erased:
		visitor, customer, email = "", "", ""
	default:
		visitor = p.visitorOf(e)
	}
	if there.Visitor == visitor && there.Customer == customer && there.Email == email {
		return ""
	}
	return fmt.Sprintf("visitor %q, customer %q, e-mail %q", visitor, customer, email)
}
