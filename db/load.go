package db

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// loaded is what is read of a website to decide on payments.
type loaded struct {
	website []struct {
		Currency string
		rollupExtent
	}
	customers []customerRow
	entries   []paymentRow
	seen      []visitorRow
	usage     []struct{ Events int64 }
}

// load locks what the payments touch and reads it, and with it the website's currency, which may have been
// changed since the request began.
func (r *recorder) load(ctx context.Context, batch []*model.NewPayment) (*model.Ledger, error) {
	var read loaded
	visitors := r.queueLoad(batch, &read)
	if err := r.tx.send(ctx); err != nil {
		return nil, err
	}
	if len(read.website) == 0 {
		return nil, model.ErrWebsiteNotFound()
	}
	r.locked = make(map[model.CustomerKey]bool, len(read.customers))
	for _, row := range read.customers {
		r.locked[row.key()] = row.IsNew
	}
	r.site.Currency = model.Currency(read.website[0].Currency)
	r.changes.extent = &read.website[0].rollupExtent
	if others := read.visitorsBesides(visitors); len(others) > 0 {
		r.tx.queueInto(&read.seen, r.seen(others))
		if err := r.tx.send(ctx); err != nil {
			return nil, err
		}
	}
	return read.ledger(r.site)
}

// queueLoad locks what the payments touch and reads it with the next query, and answers their visitors, in
// order. What is read after a lock has been waited for is what its former holder has committed.
func (r recorder) queueLoad(batch []*model.NewPayment, read *loaded) (visitors []string) {
	var charges, transactions []string
	var customers []customerRow
	for _, p := range batch {
		charges, transactions = append(charges, p.ChargeID()), append(transactions, p.TransactionID, p.ChargeID())
		for _, key := range p.CustomerKeys() {
			customers = append(customers, customerRow{WebsiteID: r.site.ID, Basis: string(key.Basis), Value: key.Value})
		}
		if p.VisitorID != nil {
			visitors = append(visitors, *p.VisitorID)
		}
	}
	charges, transactions, visitors = sorted(charges), sorted(transactions), sorted(visitors)
	r.lock(charges)
	if len(customers) > 0 {
		r.tx.queueInto(&read.customers, r.lockedCustomers(customers))
	}
	r.tx.queueInto(&read.website, kept("SELECT currency, rollups_until, visitor_rollups_until FROM websites WHERE id = $1", r.site.ID))
	r.tx.queueInto(&read.entries, r.entries(transactions, charges))
	if len(visitors) > 0 {
		r.tx.queueInto(&read.seen, r.seen(visitors))
	}
	if r.site.EventLimit > 0 {
		r.tx.queueInto(&read.usage, r.lockedUsage(batch[0].RecordedAt))
	}
	return visitors
}

// lockedCustomers locks customers and reads whom they are known by. Those that are missing are inserted, so that
// there is a row to lock.
func (r recorder) lockedCustomers(rows []customerRow) keepable {
	slices.SortFunc(rows, func(a, b customerRow) int { return compareKeys(a.key(), b.key()) })
	return insertion(slices.Compact(rows), `ON CONFLICT (website_id, basis, value) DO UPDATE SET value = EXCLUDED.value
		RETURNING basis, value, visitor_id, claimed, xmax = 0 AS is_new`)
}

// leaveCustomers deletes, with the next query, the customers that were inserted to be locked and that none of the
// added payments has: of a payment that is refused or was recorded before nothing stays.
func (r recorder) leaveCustomers(added []*model.Payment) {
	strange := map[model.CustomerKey]bool{}
	for key, isNew := range r.locked {
		if isNew {
			strange[key] = true
		}
	}
	for _, p := range added {
		for _, key := range p.CustomerKeys() {
			delete(strange, key)
		}
	}
	maps.DeleteFunc(r.locked, func(key model.CustomerKey, _ bool) bool { return strange[key] }) // there is no row that is locked
	for _, basis := range customerBases {
		if values := valuesOf(strange, basis); len(values) > 0 {
			r.tx.queue(r.tx.NewRaw("DELETE FROM customers WHERE website_id = ? AND basis = ? AND value IN (?)", r.site.ID, string(basis), list(values)))
		}
	}
}

// entries reads those of some transactions, and the refunds of some charges.
func (r recorder) entries(transactions, charges []string) keepable {
	payments := "SELECT " + columns[paymentRow](r.tx.store.db.QueryGen(), "p") + " FROM payments p WHERE p.website_id = $1 AND "
	return kept(forEach("$2", payments+"p.transaction_id = sent.id")+" UNION ALL "+forEach("$3", payments+"p.charge_id = sent.id AND p.is_refund"),
		r.site.ID, transactions, charges)
}

// seen reads which of the visitors have been seen.
func (r recorder) seen(visitors []string) keepable {
	return kept(forEach("$2", "SELECT v.id FROM visitors v WHERE v.website_id = $1 AND v.id = sent.id"), r.site.ID, visitors)
}

// forEach is a query of the rows of each sent.id of an argument. A plan for any number of ids might read all of the website.
func forEach(ids, query string) string {
	return "SELECT q.* FROM unnest(" + ids + "::text[]) AS sent (id) CROSS JOIN LATERAL (" + query + " OFFSET 0) AS q"
}

// lockedUsage locks the account's count of the month, and reads it.
func (r recorder) lockedUsage(now time.Time) *bun.RawQuery {
	return r.tx.NewRaw(`INSERT INTO account_usage AS u (account_id, month, events) VALUES (?, ?, 0)
		ON CONFLICT (account_id, month) DO UPDATE SET events = u.events RETURNING events`,
		r.site.AccountID, month(now))
}

// visitorsBesides are the visitors of what was read that are not among those given, which are in order.
func (l *loaded) visitorsBesides(visitors []string) []string {
	var others []string
	add := func(id *string) {
		if id == nil {
			return
		}
		if _, isGiven := slices.BinarySearch(visitors, *id); !isGiven {
			others = append(others, *id)
		}
	}
	for i := range l.customers {
		add(l.customers[i].VisitorID)
	}
	for i := range l.entries {
		add(l.entries[i].VisitorID)
	}
	return sorted(others)
}

// ledger is what was read.
func (l *loaded) ledger(site model.Website) (*model.Ledger, error) {
	seen := make(map[string]bool, len(l.seen))
	for _, row := range l.seen {
		seen[row.ID] = true
	}
	// A refund may have been found both by its own id and by its charge's.
	slices.SortFunc(l.entries, func(a, b paymentRow) int { return cmp.Compare(a.ID, b.ID) })
	l.entries = slices.CompactFunc(l.entries, func(a, b paymentRow) bool { return a.ID == b.ID })
	for i := range l.entries {
		row := &l.entries[i]
		row.VisitorSeen = row.VisitorID != nil && seen[*row.VisitorID]
		row.WebsiteCurrency = string(site.Currency)
	}
	entries, err := toPayments(l.entries)
	if err != nil {
		return nil, err
	}
	known, claimed := map[model.CustomerKey]string{}, map[model.CustomerKey]bool{}
	for _, row := range l.customers {
		if row.VisitorID != nil {
			known[row.key()] = *row.VisitorID
		}
		if row.Claimed {
			claimed[row.key()] = true
		}
	}
	ledger := model.NewLedger(entries, known, seen)
	ledger.Claimed = claimed
	if site.EventLimit > 0 {
		ledger.EventsLeft = max(0, site.EventLimit-l.usage[0].Events)
	}
	return ledger, nil
}

// sorted is the values in order, each once.
func sorted(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
