package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// check compares what the writers know with the database, past the servers, and with what the servers report. All
// must be settled.
func (r *rig) check(ctx context.Context) error {
	conn, err := r.cluster.connect(ctx, r.database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, s := range r.sites {
		known := r.known(s)
		for _, step := range []func(context.Context, *pgx.Conn, *knowledge) error{
			r.checkEntries, r.checkVisitors, r.checkPeople, r.checkDeletions, r.checkTotals,
		} {
			if err := step(ctx, conn, known); err != nil {
				return err
			}
		}
	}
	if err := r.checkRetired(ctx, conn); err != nil {
		return err
	}
	return r.checkRollups(ctx)
}

// knowledge is what all writers together know of a website.
type knowledge struct {
	site                   *site
	entries                map[key]*entry
	visitors               map[string]*views
	people                 []*person
	deletedMin, deletedMax int
	totals                 totals
}

// totals are the sums over a website's entries, in cents, and their numbers.
type totals struct {
	gross, refunded                        int64
	charges, renewals, refunds, freeTrials int
}

func (t *totals) add(kind string, minor int64, n int) {
	switch kind {
	case kindCharge:
		t.gross, t.charges = t.gross+minor, t.charges+n
	case kindRenewal:
		t.gross, t.renewals = t.gross+minor, t.renewals+n
	case kindRefund:
		t.refunded, t.refunds = t.refunded+minor, t.refunds+n
	case kindTrial:
		t.freeTrials += n
	}
}

// known puts together what the writers know of a website.
func (r *rig) known(s *site) *knowledge {
	k := &knowledge{site: s, entries: map[key]*entry{}, visitors: map[string]*views{}}
	for _, w := range r.writers {
		if w.site != s {
			continue
		}
		for key, e := range w.entries {
			k.entries[key] = e
			if e.state == present {
				k.totals.add(e.kind, e.minor, 1)
			}
		}
		for id, v := range w.visitors {
			k.visitors[id] = v
		}
		k.people = append(k.people, w.everybody...)
		k.deletedMin, k.deletedMax = k.deletedMin+w.deletedMin, k.deletedMax+w.deletedMax
	}
	return k
}

// row is an entry in the database.
type row struct {
	TransactionID, Kind, Currency string
	AmountMinor                   int64
	Visitor, RefundOf             string
	Customer, Email               string
}

// checkEntries compares the ledger, entry by entry.
func (r *rig) checkEntries(ctx context.Context, conn *pgx.Conn, k *knowledge) error {
	rows, err := conn.Query(ctx, `SELECT transaction_id, kind, currency, amount_minor, coalesce(visitor_id, ''), coalesce(refund_of, ''),
		coalesce(customer_id, ''), coalesce(email, '') FROM payments WHERE website_id = $1`, k.site.ID)
	if err != nil {
		return err
	}
	there, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return err
	}
	found := map[key]int{}
	for _, row := range there {
		at := key{row.TransactionID, row.Kind == kindRefund}
		found[at]++
		e := k.entries[at]
		name := fmt.Sprintf("%s %s of %s", row.Kind, row.TransactionID, k.site.Domain)
		switch {
		case e == nil:
			r.report.breach(wrong, "%s is there, and nobody sent it to this website", name)
		case found[at] == 2:
			r.report.breach(doubled, "%s is there more than once", name)
		case e.state == absent:
			r.report.breach(wrong, "%s is there, and was refused or deleted", name)
		case row.Kind != e.kind || row.Currency != "USD" || row.AmountMinor != e.minor || row.RefundOf != e.of:
			r.report.breach(wrong, "%s is there as %+v, and was sent as %+v", name, row, *e)
		case e.faultOf(row) != "":
			r.report.breach(wrong, "%s is there as %+v, and not with %s", name, row, e.faultOf(row))
		}
	}
	for at, e := range k.entries {
		if e.state == present && found[at] == 0 {
			r.report.breach(lost, "%s %s of %s was acknowledged and is not there", e.kind, e.id, k.site.Domain)
		}
		if !e.isRefund() && e.state == present && e.kind != kindTrial && e.refunded() > e.minor {
			r.report.breach(wrong, "%s of %s is refunded by more than it is", e.id, k.site.Domain)
		}
	}
	r.report.count(func(f *figures) { f.checked += len(k.entries) })
	return nil
}

// checkVisitors compares the visitors and their pageviews, of which one that is sent again may count or not.
func (r *rig) checkVisitors(ctx context.Context, conn *pgx.Conn, k *knowledge) error {
	rows, err := conn.Query(ctx, `SELECT visitor_id, sum(pageviews)::int AS n FROM visits WHERE website_id = $1 GROUP BY 1`, k.site.ID)
	if err != nil {
		return err
	}
	var id string
	var n int
	seen := map[string]int{}
	if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { seen[id] = n; return nil }); err != nil {
		return err
	}
	for id, n := range seen {
		if v := k.visitors[id]; v == nil {
			r.report.breach(wrong, "the visitor %s of %s is there, and was never sent", id, k.site.Domain)
		} else if n > v.sent {
			r.report.breach(doubled, "the visitor %s of %s has %d pageviews, of %d", id, k.site.Domain, n, v.sent)
		}
	}
	for id, v := range k.visitors {
		if v.acknowledged > 0 && seen[id] == 0 {
			r.report.breach(lost, "the visitor %s of %s was acknowledged and is not there", id, k.site.Domain)
		}
	}
	return nil
}

// checkDeletions compares what was deleted with the audit of it.
func (r *rig) checkDeletions(ctx context.Context, conn *pgx.Conn, k *knowledge) error {
	var deleted int
	err := conn.QueryRow(ctx, `SELECT coalesce(sum(deleted_count), 0)::int FROM payment_deletions WHERE website_id = $1`, k.site.ID).Scan(&deleted)
	if err == nil && (deleted < k.deletedMin || deleted > k.deletedMax) {
		r.report.breach(wrong, "%d entries of %s were deleted, say the audit rows; it was %d to %d", deleted, k.site.Domain, k.deletedMin, k.deletedMax)
	}
	return err
}

// checkTotals compares the sums over the ledger, and those that every server reports.
func (r *rig) checkTotals(ctx context.Context, conn *pgx.Conn, k *knowledge) error {
	there, err := sums(ctx, conn, k.site.ID)
	if err != nil {
		return err
	}
	if there != k.totals {
		r.report.breach(wrong, "the payments of %s add up to %+v in the database; acknowledged was %+v", k.site.Domain, there, k.totals)
	}
	for _, s := range r.servers {
		reported, err := r.reported(ctx, s, k.site)
		if err != nil {
			return err
		}
		if reported != k.totals {
			r.report.breach(wrong, "%s reports %+v of %s; acknowledged was %+v", s.name, reported, k.site.Domain, k.totals)
		}
	}
	return nil
}

// sums are the totals of a website as the database adds them up.
func sums(ctx context.Context, conn *pgx.Conn, website string) (t totals, err error) {
	rows, err := conn.Query(ctx, `SELECT kind, sum(amount_minor)::bigint, count(*)::int FROM payments WHERE website_id = $1 GROUP BY 1`, website)
	if err != nil {
		return t, err
	}
	var kind string
	var minor int64
	var n int
	_, err = pgx.ForEachRow(rows, []any{&kind, &minor, &n}, func() error { t.add(kind, minor, n); return nil })
	return t, err
}

// reported are the totals of a website as a server reports them.
func (r *rig) reported(ctx context.Context, s *server, w *site) (t totals, err error) {
	var data struct {
		Revenue struct {
			Gross, Refunded                        struct{ Amount string }
			Charges, Renewals, Refunds, FreeTrials int
		}
	}
	code, known := r.client.query(ctx, s, w.Key, `{ revenue { gross { amount } refunded { amount } charges renewals refunds freeTrials } }`, nil, &data)
	if code != "" || !known {
		return t, fmt.Errorf("%s does not report the revenue of %s: %s", s.name, w.Domain, code)
	}
	v := data.Revenue
	t = totals{charges: v.Charges, renewals: v.Renewals, refunds: v.Refunds, freeTrials: v.FreeTrials}
	if t.gross, err = cents(v.Gross.Amount); err == nil {
		t.refunded, err = cents(v.Refunded.Amount)
	}
	return t, err
}

// checkRollups asks the program itself whether the sums that reports read are those of the ledger.
func (r *rig) checkRollups(ctx context.Context) error {
	var found struct {
		Websites []struct {
			Domain string
			Wrong  int
			Faults []struct{ Of, Kept, Ledger string }
		}
	}
	err := command(ctx, r.binary, r.url(), &found, "rollups", "verify")
	if err != nil && len(found.Websites) == 0 {
		return err
	}
	for _, w := range found.Websites {
		if w.Wrong > 0 {
			r.report.breach(wrong, "%d rollups of %s are not what the ledger says: %v", w.Wrong, w.Domain, w.Faults)
		}
	}
	return nil
}
