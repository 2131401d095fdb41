package db

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// deleteStep is how many entries are deleted in one transaction. Recording waits for a step, so steps
// are short: ten or twenty milliseconds.
const deleteStep = 125

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
	var revenue *model.Revenue
	if d.DryRun {
		revenue, err = s.toDelete(ctx, site, d)
	} else {
		revenue, err = s.deleteInSteps(ctx, site, d, deletionRow{
			WebsiteID: site.ID, ID: newID(), TokenID: tokenID,
			TransactionID: d.TransactionID, VisitorID: d.VisitorID, RangeFrom: d.Range.From, RangeTo: d.Range.To, DeletedAt: now,
		})
	}
	if err != nil {
		return nil, err
	}
	count := revenue.Charges + revenue.Renewals + revenue.Refunds + revenue.FreeTrials
	if count == 0 && d.TransactionID != nil {
		return nil, errPaymentNotFound()
	}
	return &model.DeletePaymentsPayload{DeletedCount: count, DryRun: d.DryRun, Range: d.Range, Revenue: revenue}, nil
}

// toDelete adds up what a deletion would delete.
func (s *Store) toDelete(ctx context.Context, site model.Website, d model.Deletion) (*model.Revenue, error) {
	var rows []partRow
	entries := s.db.NewSelect().TableExpr("(?) AS p", inCurrencyOf(site, chosenEntries(s.db, site, d)))
	if err := entries.ColumnExpr(partColumns).GroupExpr(partGroups).Scan(ctx, &rows); err != nil {
		return nil, translate(err)
	}
	return toRevenue(rows, site.Currency)
}

// deleteInSteps deletes what the deletion selects, and adds it up. A visitor's payments are one step, however
// many: those that have the visitor only from others of them lose it with these, and would not be found again.
func (s *Store) deleteInSteps(ctx context.Context, site model.Website, d model.Deletion, audit deletionRow) (*model.Revenue, error) {
	sums := map[partKey]model.RevenuePart{}
	for {
		var gone []goneRow
		began := time.Now()
		err := s.onLedger(ctx, site, alone, func(ctx context.Context, r recorder) (err error) {
			gone, err = r.deleteEntries(ctx, d, audit)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, row := range gone {
			row.addTo(sums, site.Currency)
			if row.OccurredAt.After(d.Range.From) {
				d.Range.From = row.OccurredAt // the next step need not look again at what is gone
			}
		}
		if d.VisitorID != nil || len(gone) < deleteStep {
			return model.NewRevenue(site.Currency, slices.Collect(maps.Values(sums))), nil
		}
		if err := s.giveWay(ctx, site, time.Since(began)); err != nil {
			return nil, err
		}
	}
}

func errPaymentNotFound() error {
	return model.Errorf(model.CodePaymentNotFound, "transactionId", "payment not found")
}

type deletionRow struct {
	bun.BaseModel `bun:"table:payment_deletions,alias:d"`

	WebsiteID     string
	ID            string `bun:"type:uuid"`
	TokenID       string
	TransactionID *string
	VisitorID     *string
	RangeFrom     time.Time `bun:",nullzero"`
	RangeTo       time.Time `bun:",nullzero"`
	DeletedCount  int64
	DeletedAt     time.Time
}

// goneRow is a deleted entry, and what it may have lent a visitor to.
type goneRow struct {
	TransactionID string
	IsRefund      bool
	CustomerID    *string
	EmailFolded   *string
	counted
	HasRefunds bool
}

// goneColumns are those of an entry p of the website ?0. To answer EXISTS, Postgres might read all refunds.
const goneColumns = `p.transaction_id, p.is_refund, p.customer_id, p.email_folded, ` + countedColumns + `, NOT p.is_refund AND coalesce((
	SELECT true FROM payments r WHERE r.website_id = ?0 AND r.charge_id = p.transaction_id AND r.is_refund LIMIT 1), false) AS has_refunds`

// partKey is what the entries of a part of revenue have in common.
type partKey struct {
	kind, currency string
	converted      bool
}

// addTo adds the entry to sums that are reported in a currency.
func (r goneRow) addTo(sums map[partKey]model.RevenuePart, reporting model.Currency) {
	worth := r.in(reporting)
	key := partKey{r.Kind, r.Currency, worth != nil}
	part := sums[key]
	part.Kind, part.Converted, part.Count = model.PaymentKind(r.Kind), key.converted, part.Count+1
	part.Original = part.Original.Add(model.SumOf(model.Money{Minor: r.AmountMinor, Currency: model.Currency(r.Currency)}))
	part.Reporting = part.Reporting.Add(model.SumOf(model.Money{Minor: valueOr(worth), Currency: reporting}))
	sums[key] = part
}

// deleteEntries is one step of a deletion.
func (r recorder) deleteEntries(ctx context.Context, d model.Deletion, audit deletionRow) ([]goneRow, error) {
	chosen := chosenEntries(r.tx, r.site, d).ColumnExpr("p.id").OrderExpr("p.occurred_at, p.id").For("UPDATE")
	if d.VisitorID == nil {
		chosen = chosen.Limit(deleteStep)
	}
	var gone []goneRow
	err := r.tx.NewRaw("DELETE FROM payments p WHERE p.website_id = ?0 AND p.id = ANY (ARRAY(?1)) RETURNING "+goneColumns,
		r.site.ID, chosen).Scan(ctx, &gone)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 && d.TransactionID != nil {
		return nil, errPaymentNotFound()
	}
	for _, row := range gone {
		r.changes.removed = append(r.changes.removed, row.counted)
	}
	if err := r.unfollow(ctx, gone); err != nil {
		return nil, err
	}
	audit.DeletedCount = int64(len(gone))
	_, err = r.tx.NewInsert().Model(&audit).On("CONFLICT (website_id, id) DO UPDATE").
		Set("deleted_count = ?TableAlias.deleted_count + EXCLUDED.deleted_count").Returning("NULL").Exec(ctx)
	return gone, err
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
