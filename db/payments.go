package db

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"tributary/model"
)

// orderPayments is the one order of payments, latest first, as cursors name it.
const orderPayments = "payments"

// Payments lists a website's payments, latest first, that the query selects. Errors: CodeInvalidCursor, CodeTooManyItems.
func (s *Store) Payments(ctx context.Context, site model.Website, query model.PaymentQuery, first *int, after *string) (*model.PaymentConnection, error) {
	page, err := model.NewPage(first, after, orderPayments)
	if err != nil {
		return nil, err
	}
	q := s.db.NewSelect().Model((*paymentRow)(nil)).ColumnExpr(paymentColumns).Where("p.website_id = ?", site.ID)
	q = inRange(q, query.In)
	if query.VisitorID != nil {
		q = q.Where("p.visitor_id = ?", *query.VisitorID)
	}
	if query.CustomerID != nil {
		q = q.Where("p.customer_id = ?", *query.CustomerID)
	}
	if query.TransactionID != nil {
		q = q.Where("p.transaction_id = ?", *query.TransactionID)
	}
	if len(query.Kinds) > 0 {
		q = q.Where("p.kind IN (?)", list(query.Kinds))
	}
	if query.Attributed != nil {
		q = q.Where("EXISTS (SELECT FROM visitors v WHERE v.website_id = p.website_id AND v.id = p.visitor_id) = ?", *query.Attributed)
	}
	if q, err = afterPayment(q, page); err != nil {
		return nil, err
	}
	var rows []paymentRow
	if err := q.OrderExpr("p.occurred_at DESC, p.id DESC").Limit(int64(page.First)+1).Scan(ctx, &rows); err != nil {
		return nil, translate(err)
	}
	return paymentPage(page, rows)
}

// PaymentsOfVisitors lists the payments of each of several visitors, latest first, in one
// statement. Errors: as Payments.
func (s *Store) PaymentsOfVisitors(ctx context.Context, websiteID string, visitors []string, first *int, after *string) (map[string]*model.PaymentConnection, error) {
	page, err := model.NewPage(first, after, orderPayments)
	if err != nil {
		return nil, err
	}
	each := s.db.NewSelect().Model((*paymentRow)(nil)).ColumnExpr(paymentColumns).
		Where("p.website_id = ?", websiteID).Where("p.visitor_id = one.visitor")
	if each, err = afterPayment(each, page); err != nil {
		return nil, err
	}
	each = each.OrderExpr("p.occurred_at DESC, p.id DESC").Limit(int64(page.First) + 1)
	var rows []paymentRow
	err = s.db.NewRaw("SELECT q.* FROM unnest(ARRAY[?]::text[]) AS one (visitor) CROSS JOIN LATERAL (?) AS q ORDER BY q.occurred_at DESC, q.id DESC",
		list(visitors), each).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	byVisitor := map[string][]paymentRow{}
	for _, row := range rows {
		byVisitor[*row.VisitorID] = append(byVisitor[*row.VisitorID], row)
	}
	pages := make(map[string]*model.PaymentConnection, len(visitors))
	for _, visitor := range visitors {
		if pages[visitor], err = paymentPage(page, byVisitor[visitor]); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

func paymentPage(page model.Page, rows []paymentRow) (*model.PaymentConnection, error) {
	payments, err := toPayments(rows)
	if err != nil {
		return nil, err
	}
	edges, info := model.Paginate(page, payments,
		func(p *model.Payment) model.Cursor { return timeCursor(orderPayments, p.OccurredAt, p.ID) },
		func(at string, p *model.Payment) model.PaymentEdge { return model.PaymentEdge{Cursor: at, Node: p} })
	return &model.PaymentConnection{Edges: edges, PageInfo: info}, nil
}

func afterPayment(q *bun.SelectQuery, page model.Page) (*bun.SelectQuery, error) {
	if page.After == nil {
		return q, nil
	}
	at, id, err := parseTimeCursor(page.After)
	if err != nil {
		return nil, err
	}
	return q.Where("(p.occurred_at, p.id) < (?, ?)", at, id), nil
}

// inRange limits payments to those that occurred in the range.
func inRange(q *bun.SelectQuery, r model.Range) *bun.SelectQuery {
	if !r.From.IsZero() {
		q = q.Where("p.occurred_at >= ?", r.From)
	}
	if !r.To.IsZero() {
		q = q.Where("p.occurred_at < ?", r.To)
	}
	return q
}

// timeCursor is the place of a row that is ordered by a time and then by its id.
func timeCursor(order string, at time.Time, id string) model.Cursor {
	return model.Cursor{Order: order, Key: at.UTC().Format(time.RFC3339Nano), ID: id}
}

func parseTimeCursor(c *model.Cursor) (time.Time, uuid.UUID, error) {
	at, errTime := time.Parse(time.RFC3339Nano, c.Key)
	id, errID := uuid.Parse(c.ID)
	if errTime != nil || errID != nil {
		return at, id, model.Errorf(model.CodeInvalidCursor, "after", "not a cursor of this list")
	}
	return at, id, nil
}

// DeletePayments deletes the entries that match all filters of the deletion, and leaves an audit
// row in the same transaction; a dry run only counts. Errors: CodePaymentNotFound for an unknown
// transaction id.
func (s *Store) DeletePayments(ctx context.Context, site model.Website, tokenID string, d model.Deletion, now time.Time) (*model.DeletePaymentsPayload, error) {
	payload := &model.DeletePaymentsPayload{DryRun: d.DryRun, Range: d.Range}
	err := s.write(ctx, func(ctx context.Context, tx bun.Tx) error {
		parts, err := removeEntries(ctx, tx, site, d)
		if err != nil {
			return err
		}
		payload.Revenue, payload.DeletedCount = model.NewRevenue(site.Currency, parts), 0
		for _, part := range parts {
			payload.DeletedCount += part.Count
		}
		if payload.DeletedCount == 0 && d.TransactionID != nil {
			return model.Errorf(model.CodePaymentNotFound, "transactionId", "payment not found")
		}
		if d.DryRun {
			return nil
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

// removeEntries deletes what the deletion selects, or in a dry run reads it, and adds it up.
func removeEntries(ctx context.Context, tx bun.Tx, site model.Website, d model.Deletion) ([]model.RevenuePart, error) {
	selected := tx.NewSelect().TableExpr("payments AS p").
		ColumnExpr("p.id, p.kind, p.currency, p.amount_minor, p.reporting_minor").Where("p.website_id = ?", site.ID)
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
		sums = sums.With("chosen", selected.OrderExpr("p.id").For("UPDATE")).
			With("gone", tx.NewRaw(`DELETE FROM payments p USING chosen WHERE p.website_id = ? AND p.id = chosen.id
				RETURNING p.kind, p.currency, p.amount_minor, p.reporting_minor`, site.ID)).
			TableExpr("gone AS p")
	}
	var rows []partRow
	err := sums.Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	return toParts(rows, site.Currency)
}
