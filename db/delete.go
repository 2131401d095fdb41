package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"tributary/model"
)

// DeletePayments deletes the entries that match all filters of the deletion, and leaves an audit
// row in the same transaction; a dry run only counts. What the entries had lent to others goes with
// them: the ledger is as if they had never been sent. Errors: CodePaymentNotFound for an unknown
// transaction id.
func (s *Store) DeletePayments(ctx context.Context, site model.Website, tokenID string, d model.Deletion, now time.Time) (*model.DeletePaymentsPayload, error) {
	payload := &model.DeletePaymentsPayload{DryRun: d.DryRun, Range: d.Range}
	err := s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		rows, err := removeEntries(ctx, tx, site, d)
		if err != nil {
			return err
		}
		parts := make([]partRow, len(rows))
		payload.DeletedCount = 0
		for i, row := range rows {
			parts[i] = row.partRow
			payload.DeletedCount += int(row.Count)
		}
		if payload.Revenue, err = toRevenue(parts, site.Currency); err != nil {
			return err
		}
		if payload.DeletedCount == 0 && d.TransactionID != nil {
			return model.Errorf(model.CodePaymentNotFound, "transactionId", "payment not found")
		}
		if d.DryRun {
			return nil
		}
		if err := (recorder{tx: tx, site: site}).unfollow(ctx, rows); err != nil {
			return err
		}
		audit := deletionRow{
			WebsiteID: site.ID, ID: newID(), TokenID: tokenID,
			TransactionID: d.TransactionID, VisitorID: d.VisitorID, RangeFrom: d.Range.From, RangeTo: d.Range.To,
			DeletedCount: int64(payload.DeletedCount), DeletedAt: now,
		}
		_, err = tx.NewInsert().Model(&audit).Returning("NULL").Exec(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return payload, nil
}

type deletionRow struct {
	bun.BaseModel `bun:"table:payment_deletions"`

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
}

const removedColumns = `array_agg(DISTINCT p.customer_id) FILTER (WHERE p.customer_id IS NOT NULL) AS customer_ids,
	array_agg(DISTINCT p.email_folded) FILTER (WHERE p.email_folded IS NOT NULL) AS emails,
	array_agg(p.transaction_id) FILTER (WHERE NOT p.is_refund AND EXISTS (SELECT FROM payments r
		WHERE r.website_id = p.website_id AND r.charge_id = p.transaction_id AND r.is_refund)) AS charges`

// removeEntries deletes what the deletion selects, or in a dry run reads it, and adds it up.
func removeEntries(ctx context.Context, tx bun.Tx, site model.Website, d model.Deletion) ([]removedRow, error) {
	selected := tx.NewSelect().TableExpr("payments AS p").ColumnExpr("p.*").Where("p.website_id = ?", site.ID)
	if d.TransactionID != nil {
		selected = selected.Where("p.transaction_id = ?", *d.TransactionID)
	}
	if d.VisitorID != nil {
		selected = selected.Where("p.visitor_id = ?", *d.VisitorID)
	}
	selected = inRange(selected, d.Range)
	sums := tx.NewSelect().ColumnExpr(partColumns).GroupExpr(partGroups)
	if d.DryRun {
		sums = sums.TableExpr("(?) AS p", selected)
	} else {
		// Rows are locked in the order of their ids, so that deletes that overlap do not deadlock.
		sums = sums.ColumnExpr(removedColumns).With("chosen", selected.OrderExpr("p.id").For("UPDATE")).
			With("gone", tx.NewRaw("DELETE FROM payments p USING chosen WHERE p.website_id = ? AND p.id = chosen.id RETURNING p.*", site.ID)).
			TableExpr("gone AS p")
	}
	var rows []removedRow
	err := sums.Scan(ctx, &rows)
	return rows, err
}
