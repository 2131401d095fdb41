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

// RecordPayment records one payment. Errors: those of model.Ledger.Record, and CodeUnavailable.
func (s *Store) RecordPayment(ctx context.Context, site model.Website, p *model.NewPayment) (*model.RecordPaymentPayload, error) {
	results, err := s.RecordPayments(ctx, site, []*model.NewPayment{p})
	if err != nil {
		return nil, err
	}
	if results[0].Error != nil {
		return nil, results[0].Error
	}
	return results[0].Payload, nil
}

// RecordPayments records payments in order, in one transaction that others may share. Each has its own
// outcome; one that is refused leaves no trace and does not hold up the others. An error means that none
// is recorded, unless the context ended: then they may be.
func (s *Store) RecordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	if len(payments) == 0 {
		return nil, nil
	}
	return s.payments.write(ctx, site, payments)
}

func (s *Store) recordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	var results []model.RecordPaymentResult
	err := s.onLedger(ctx, site, beside, func(ctx context.Context, r recorder) error {
		// A transaction that is run again starts from the payments as they were sent.
		batch := make([]*model.NewPayment, len(payments))
		for i, p := range payments {
			fresh := *p
			fresh.ID = newID().String()
			batch[i] = &fresh
		}
		var err error
		results, err = r.record(ctx, batch)
		return err
	})
	return results, err
}

func (r recorder) record(ctx context.Context, batch []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	ledger, err := r.load(ctx, batch)
	if err != nil {
		return nil, err
	}
	results := make([]model.RecordPaymentResult, len(batch))
	var added []*model.Payment
	for i, p := range batch {
		payload, err := ledger.Record(p)
		switch {
		case err != nil:
			results[i].Error = model.AsError(err)
			continue
		case payload.Outcome != model.OutcomeDuplicate:
			added = append(added, &p.Payment)
		}
		results[i].Payload = &payload
	}
	if len(added) == 0 {
		return results, nil
	}
	if err := convert(ctx, r.tx, r.site, added); err != nil {
		return nil, err
	}
	if err := r.insert(ctx, added); err != nil {
		return nil, err
	}
	if err := countEvents(ctx, r.tx, r.site, batch[0].RecordedAt, len(added)); err != nil {
		return nil, err
	}
	return results, r.follow(ctx, ledger.Links, ledger.RefundedCharges(added))
}

// load locks what the payments touch and reads it, and with it the website's currency, which may have been
// changed since the request began.
func (r *recorder) load(ctx context.Context, batch []*model.NewPayment) (*model.Ledger, error) {
	charges := make([]string, len(batch))
	for i, p := range batch {
		charges[i] = p.ChargeID()
	}
	if err := r.lock(ctx, charges); err != nil {
		return nil, err
	}
	customers, claimed, err := r.lockCustomers(ctx, batch)
	if err != nil {
		return nil, err
	}
	entries, err := r.entries(ctx, batch)
	if err != nil {
		return nil, err
	}
	visitors := slices.Collect(maps.Values(customers))
	for _, p := range batch {
		if p.VisitorID != nil {
			visitors = append(visitors, *p.VisitorID)
		}
	}
	for i := range entries {
		if entries[i].VisitorID != nil {
			visitors = append(visitors, *entries[i].VisitorID)
		}
	}
	seen, err := r.seen(ctx, visitors)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		entries[i].VisitorSeen = entries[i].VisitorID != nil && seen[*entries[i].VisitorID]
	}
	ledger := model.NewLedger(entries, customers, seen)
	ledger.Claimed = claimed
	ledger.EventsLeft, err = lockEventsLeft(ctx, r.tx, r.site, batch[0].RecordedAt)
	return ledger, err
}

// lockCustomers locks the payments' customers and answers the visitors of those that are known, and which
// of them are only claimed.
func (r recorder) lockCustomers(ctx context.Context, batch []*model.NewPayment) (map[model.CustomerKey]string, map[model.CustomerKey]bool, error) {
	var rows []customerRow
	known, claimed := map[model.CustomerKey]string{}, map[model.CustomerKey]bool{}
	for _, p := range batch {
		for _, key := range p.CustomerKeys() {
			rows = append(rows, customerRow{WebsiteID: r.site.ID, Basis: string(key.Basis), Value: key.Value})
		}
	}
	if len(rows) == 0 {
		return known, claimed, nil
	}
	slices.SortFunc(rows, func(a, b customerRow) int { return compareKeys(a.key(), b.key()) })
	rows = slices.Compact(rows)
	_, err := r.tx.NewInsert().Model(&rows).
		On("CONFLICT (website_id, basis, value) DO UPDATE").Set("value = EXCLUDED.value").
		Returning("basis, value, visitor_id, claimed").Exec(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range rows {
		if row.VisitorID != nil {
			known[row.key()] = *row.VisitorID
		}
		if row.Claimed {
			claimed[row.key()] = true
		}
	}
	return known, claimed, nil
}

// entries reads what is recorded under the payments' transaction ids and under those of their
// charges, and all other refunds of these charges. Whether their visitors have been seen is left to
// the caller: Postgres would take longer to plan that than to do all the rest.
func (r *recorder) entries(ctx context.Context, batch []*model.NewPayment) ([]model.Payment, error) {
	charges := make([]string, len(batch))
	transactions := make([]string, len(batch), 2*len(batch))
	for i, p := range batch {
		charges[i], transactions[i] = p.ChargeID(), p.TransactionID
	}
	transactions = sorted(append(transactions, charges...))
	var rows []paymentRow
	err := r.tx.NewRaw(`SELECT w.currency AS website_currency, w.rollups_until, p.* FROM websites w LEFT JOIN (
			SELECT p.* FROM payments p WHERE p.website_id = ?0 AND p.transaction_id IN (?1)
			UNION ALL
			SELECT p.* FROM payments p WHERE p.website_id = ?0 AND p.charge_id IN (?2) AND p.is_refund
				AND p.transaction_id NOT IN (?1)) AS p ON true
		WHERE w.id = ?0`,
		r.site.ID, list(transactions), list(sorted(charges))).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, model.ErrWebsiteNotFound()
	}
	r.site.Currency = model.Currency(rows[0].WebsiteCurrency)
	r.changes.until, r.changes.isKnown = rows[0].RollupsUntil, true
	if rows[0].TransactionID == "" { // nothing is recorded
		return nil, nil
	}
	return toPayments(rows)
}

// sorted is the values in order, each once.
func sorted(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

func (r recorder) seen(ctx context.Context, visitors []string) (map[string]bool, error) {
	seen := map[string]bool{}
	if len(visitors) == 0 {
		return seen, nil
	}
	var ids []string
	err := r.tx.NewSelect().Model((*visitorRow)(nil)).Column("id").
		Where("website_id = ?", r.site.ID).Where("id IN (?)", list(visitors)).Scan(ctx, &ids)
	for _, id := range ids {
		seen[id] = true
	}
	return seen, err
}

// insert writes the entries. One that has appeared meanwhile makes the transaction run again, to
// find it as the duplicate that it is.
func (r recorder) insert(ctx context.Context, added []*model.Payment) error {
	rows := make([]paymentRow, len(added))
	for i, p := range added {
		row, err := newPaymentRow(p)
		if err != nil {
			return err
		}
		rows[i] = row
		r.changes.added = append(r.changes.added, row.counted())
	}
	slices.SortFunc(rows, func(a, b paymentRow) int { return cmp.Compare(a.TransactionID, b.TransactionID) })
	result, err := r.tx.NewInsert().Model(&rows).On("CONFLICT ON CONSTRAINT payments_website_transaction_key DO NOTHING").
		Returning("NULL").Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != int64(len(rows)) {
		return cmp.Or(err, errConflict)
	}
	return nil
}

// month is the first day of the month, in UTC, that events at t count for.
func month(t time.Time) string { return t.UTC().Format("2006-01-") + "01" }

// lockEventsLeft answers how many more events the account may record this month; negative without a
// limit. With a limit it locks the count until the transaction ends.
func lockEventsLeft(ctx context.Context, tx bun.Tx, site model.Website, now time.Time) (int64, error) {
	if site.EventLimit == 0 {
		return -1, nil
	}
	var used int64
	err := tx.NewRaw(`INSERT INTO account_usage AS u (account_id, month, events) VALUES (?, ?, 0)
		ON CONFLICT (account_id, month) DO UPDATE SET events = u.events RETURNING events`,
		site.AccountID, month(now)).Scan(ctx, &used)
	return max(0, site.EventLimit-used), err
}

// countEvents counts events towards the account's limit, if it has one.
func countEvents(ctx context.Context, tx bun.Tx, site model.Website, now time.Time, n int) error {
	if site.EventLimit == 0 {
		return nil
	}
	_, err := tx.NewRaw("UPDATE account_usage SET events = events + ? WHERE account_id = ? AND month = ?",
		n, site.AccountID, month(now)).Exec(ctx)
	return err
}
