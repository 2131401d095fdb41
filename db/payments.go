package db

import (
	"context"

	"github.com/uptrace/bun"

	"tributary/model"
)

// Payments lists a website's payments, latest first, that the query selects.
func (s *Store) Payments(ctx context.Context, site model.Website, query model.PaymentQuery) (*model.PaymentConnection, error) {
	leave, err := s.reporting(ctx, site, "payments")
	if err != nil {
		return nil, err
	}
	defer leave()
	q := matching(s.db.NewSelect().Model((*paymentRow)(nil)).ColumnExpr("p.*").Where("p.website_id = ?", site.ID), query)
	if !query.Credit.IsAll() {
		q = q.Where("p.id IN (?)", s.credited(site, matching(s.entries(site), query), query.In, query.Credit).ColumnExpr("p.id"))
	}
	// What is derived comes after the page, or Postgres might prepare it for all payments.
	var rows []paymentRow
	err = s.db.NewSelect().TableExpr("(?) AS p", onPage(q, query.Page)).ColumnExpr(paymentColumns, site.ID).
		OrderExpr("p.occurred_at DESC, p.id DESC").Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	return paymentPage(query.Page, rows)
}

// matching limits payments to those that are themselves as a query wants them, whatever they are credited to.
func matching(q *bun.SelectQuery, query model.PaymentQuery) *bun.SelectQuery {
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
		const seen = "EXISTS (SELECT FROM visitors v WHERE v.website_id = p.website_id AND v.id = p.visitor_id)"
		if *query.Attributed {
			q = q.Where(seen)
		} else {
			q = q.Where("NOT " + seen)
		}
	}
	return q
}

// PaymentsOfVisitors lists the payments of each of several visitors, latest first, in one
// statement.
func (s *Store) PaymentsOfVisitors(
	ctx context.Context, websiteID string, visitors []string, page model.Page,
) (map[string]*model.PaymentConnection, error) {
	each := onPage(s.db.NewSelect().Model((*paymentRow)(nil)).ColumnExpr(paymentColumns, websiteID).
		Where("p.website_id = ?", websiteID).Where("p.visitor_id = one.visitor"), page)
	var rows []paymentRow
	err := s.ofEach(ctx, visitors, each, "q.occurred_at DESC, q.id DESC", &rows)
	if err != nil {
		return nil, err
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
		func(p *model.Payment) model.Cursor {
			return model.PaymentOrder.Cursor(model.TimeKey(p.OccurredAt), p.ID)
		},
		func(at string, p *model.Payment) model.PaymentEdge { return model.PaymentEdge{Cursor: at, Node: p} })
	return &model.PaymentConnection{Edges: edges, PageInfo: info}, nil
}

// onPage orders payments and limits them to those of a page, and the one that follows it.
func onPage(q *bun.SelectQuery, page model.Page) *bun.SelectQuery {
	if !page.IsFirst() {
		q = q.Where("(p.occurred_at, p.id) < (?::timestamptz, ?::uuid)", page.After.Key, page.After.ID)
	}
	return q.OrderExpr("p.occurred_at DESC, p.id DESC").Limit(int64(page.First) + 1)
}

// inRange limits payments to those that occurred in the range.
func inRange(q *bun.SelectQuery, r model.Range) *bun.SelectQuery {
	return inTime(q, "p.occurred_at", r)
}

// inTime limits rows to those whose time is in the range.
func inTime(q *bun.SelectQuery, column bun.Safe, r model.Range) *bun.SelectQuery {
	if !r.From.IsZero() {
		q = q.Where("? >= ?", column, r.From)
	}
	if !r.To.IsZero() {
		q = q.Where("? < ?", column, r.To)
	}
	return q
}
