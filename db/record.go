package db

import (
	"cmp"
	"context"
	"slices"
	"time"

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
// is recorded, but CodeUnavailable that they may be: if the context ended, or the connection during the commit.
func (s *Store) RecordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	if len(payments) == 0 {
		return nil, nil
	}
	return s.payments.write(ctx, site, payments)
}

// laneOfPayment is by the locks of charges, so that payments of different lanes do not wait for each other's charge.
func laneOfPayment(p *model.NewPayment) uint64 { return chargeLock(p.ChargeID()) }

func (s *Store) recordPayments(ctx context.Context, site model.Website, payments []*model.NewPayment) ([]model.RecordPaymentResult, error) {
	var results []model.RecordPaymentResult
	err := s.recording(ctx, site, len(payments), func(ctx context.Context, r recorder) error {
		// A transaction that is run again starts from the payments as they were sent.
		batch := make([]*model.NewPayment, len(payments))
		for i, p := range payments {
			fresh := *p
			fresh.ID = newID()
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
	r.leaveCustomers(added)
	if len(added) == 0 {
		return results, nil
	}
	if err := convert(ctx, r.tx, r.site, added); err != nil {
		return nil, err
	}
	if err := r.insert(added); err != nil {
		return nil, err
	}
	r.countEvents(batch[0].RecordedAt, len(added))
	return results, r.follow(ctx, byPayment, ledger.Links, ledger.RefundedCharges(added))
}

// insert writes the entries with the next query. One that has appeared meanwhile makes the transaction run
// again, to find it as the duplicate that it is.
func (r recorder) insert(added []*model.Payment) error {
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
	r.tx.queue(insertion(rows))
	return nil
}

// month is the first day of the month, in UTC, that events at t count for.
func month(t time.Time) string { return t.UTC().Format("2006-01-") + "01" }

// countEvents counts events towards the account's limit, if it has one, with the next query.
func (r recorder) countEvents(now time.Time, n int) {
	if r.site.EventLimit == 0 {
		return
	}
	r.tx.queue(r.tx.NewRaw("UPDATE account_usage SET events = events + ? WHERE account_id = ? AND month = ?",
		n, r.site.AccountID, month(now)))
}
