package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"tributary/model"
)

// deleteStep is how many entries are deleted in one transaction. Recording waits for a step, so steps
// are short: some tens of milliseconds.
const deleteStep = 1000

// DeletePayments deletes the entries that match all filters of the deletion, and leaves one audit
// row; a dry run only counts. What the entries had lent to others goes with them: the ledger is as if
// they had never been sent. A deletion of many entries by time is several transactions, each of which is
// whole and in the audit row: one that fails half-way has deleted what that row says, and may be
// repeated. Of the entries that are recorded meanwhile it may delete those that match.
// Errors: CodePaymentNotFound for an unknown transaction id.
func (s *Store) DeletePayments(ctx context.Context, site model.Website, tokenID string, d model.Deletion, now time.Time) (*model.DeletePaymentsPayload, error) {
	leave, err := s.writing(ctx, site)
	if err != nil {
		return nil, err
	}
	defer leave()
	var rows []removedRow
	if d.DryRun {
		err = translate(sumEntries(s.db, inCurrencyOf(site, chosenEntries(s.db, site, d))).Scan(ctx, &rows))
	} else {
		rows, err = s.deleteInSteps(ctx, site, d, deletionRow{
			WebsiteID: site.ID, ID: newID(), TokenID: tokenID,
			TransactionID: d.TransactionID, VisitorID: d.VisitorID, RangeFrom: d.Range.From, RangeTo: d.Range.To, DeletedAt: now,
		})
	}
	if err != nil {
		return nil, err
	}
	payload := &model.DeletePaymentsPayload{DryRun: d.DryRun, Range: d.Range}
	parts := make([]partRow, len(rows))
	for i, row := range rows {
		parts[i] = row.partRow
		payload.DeletedCount += int(row.Count)
	}
	if payload.DeletedCount == 0 && d.TransactionID != nil {
		return nil, errPaymentNotFound()
	}
	payload.Revenue, err = toRevenue(parts, site.Currency)
	return payload, err
}

// deleteInSteps deletes what the deletion selects. A visitor's payments are one step, however many: those
// that have the visitor only from others of them lose it with these, and would not be found again.
func (s *Store) deleteInSteps(ctx context.Context, site model.Website, d model.Deletion, audit deletionRow) ([]removedRow, error) {
	var removed []removedRow
	for {
		var rows []removedRow
		err := s.onLedger(ctx, site, alone, func(ctx context.Context, r recorder) (err error) {
			rows, err = r.deleteEntries(ctx, d, audit)
			return err
		})
		if err != nil {
			return nil, err
		}
		removed = append(removed, rows...)
		var count int64
		for _, row := range rows {
			count += row.Count
			if row.LastAt.After(d.Range.From) {
				d.Range.From = row.LastAt // the next step need not look again at what is gone
			}
		}
		if d.VisitorID != nil || count < deleteStep {
			return removed, nil
		}
	}
}

func errPaymentNotFound() error {
	return model.Errorf(model.CodePaymentNotFound, "transactionId", "payment not found")
}

type deletionRow struct {
	bun.BaseModel `bun:"table:payment_deletions,alias:d"`

	WebsiteID     string
	ID            uuid.UUID `bun:"type:uuid"`
	TokenID       string
	TransactionID *string
	VisitorID     *string
	RangeFrom     time.Time `bun:",nullzero"`
	RangeTo       time.Time `bun:",nullzero"`
	DeletedCount  int64
	DeletedAt     time.Time
}

// removedRow is a sum over removed entries, and whom they had lent a visitor to.
type removedRow struct {
	partRow     `bun:",extend"`
	CustomerIDs []string `bun:"customer_ids,array"`
	Emails      []string `bun:"emails,array"`
	Charges     []string `bun:"charges,array"` // those that have refunds
	LastAt      time.Time
}

const removedColumns = `array_agg(DISTINCT p.customer_id) FILTER (WHERE p.customer_id IS NOT NULL) AS customer_ids,
	array_agg(DISTINCT p.email_folded) FILTER (WHERE p.email_folded IS NOT NULL) AS emails,
	array_agg(p.transaction_id) FILTER (WHERE NOT p.is_refund AND EXISTS (SELECT FROM payments r
		WHERE r.website_id = p.website_id AND r.charge_id = p.transaction_id AND r.is_refund)) AS charges,
	max(p.occurred_at) AS last_at`

// deleteEntries is one step of a deletion.
func (r recorder) deleteEntries(ctx context.Context, d model.Deletion, audit deletionRow) ([]removedRow, error) {
	chosen := chosenEntries(r.tx, r.site, d).ColumnExpr("p.id").OrderExpr("p.occurred_at, p.id").For("UPDATE")
	if d.VisitorID == nil {
		chosen = chosen.Limit(deleteStep)
	}
	gone := r.tx.NewRaw("DELETE FROM payments p USING chosen WHERE p.website_id = ? AND p.id = chosen.id RETURNING p.*", r.site.ID)
	var rows []removedRow
	err := sumEntries(r.tx, inCurrencyOf(r.site, r.tx.NewSelect().TableExpr("gone AS p"))).
		With("chosen", chosen).With("gone", gone).ColumnExpr(removedColumns).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		audit.DeletedCount += row.Count
	}
	if audit.DeletedCount == 0 && d.TransactionID != nil {
		return nil, errPaymentNotFound()
	}
	if err := r.unfollow(ctx, rows); err != nil {
		return nil, err
	}
	_, err = r.tx.NewInsert().Model(&audit).On("CONFLICT (website_id, id) DO UPDATE").
		Set("deleted_count = ?TableAlias.deleted_count + EXCLUDED.deleted_count").Returning("NULL").Exec(ctx)
	return rows, err
}

// chosenEntries are the entries that match all filters of a deletion.
func chosenEntries(db querier, site model.Website, d model.Deletion) *bun.SelectQuery {
	q := db.NewSelect().TableExpr("payments AS p").Where("p.website_id = ?", site.ID)
	if d.TransactionID != nil {
		q = q.Where("p.transaction_id = ?", *d.TransactionID)
	}
	if d.VisitorID != nil {
		q = q.Where("p.visitor_id = ?", *d.VisitorID)
	}
	return inRange(q, d.Range)
}

// sumEntries adds up entries by what makes a part of revenue.
func sumEntries(db querier, entries *bun.SelectQuery) *bun.SelectQuery {
	return db.NewSelect().ColumnExpr(partColumns).TableExpr("(?) AS p", entries).GroupExpr(partGroups)
}
