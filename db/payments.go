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
	if errTime != nil || errID != nil || at.Year() < 1 {
		return at, id, model.Errorf(model.CodeInvalidCursor, "after", "not a cursor of this list")
	}
	return at, id, nil
}
