package db

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// RevenueByVisitor lists the visitors that the query selects with their revenue.
func (s *Store) RevenueByVisitor(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) (*model.VisitorRevenueConnection, error) {
	leave, err := s.reporting(ctx, site, "revenueByVisitor")
	if err != nil {
		return nil, err
	}
	defer leave()
	rows, err := s.visitorsByRevenue(ctx, site, query)
	if err != nil {
		return nil, err
	}
	visitors := make([]string, len(rows))
	for i, row := range rows {
		visitors[i] = row.VisitorID
	}
	revenues, err := s.revenueOfVisitors(ctx, site, visitors, query.RevenueQuery)
	if err != nil {
		return nil, err
	}
	nodes := make([]model.VisitorRevenue, len(rows))
	for i, row := range rows {
		nodes[i] = model.VisitorRevenue{
			WebsiteID: site.ID, VisitorID: row.VisitorID, Revenue: revenues[row.VisitorID],
			FirstPaymentAt: row.FirstPaymentAt.UTC(), LastPaymentAt: row.LastPaymentAt.UTC(), OrderKey: row.OrderKey,
		}
	}
	edges, info := model.Paginate(query.Page, nodes,
		func(v *model.VisitorRevenue) model.Cursor { return query.Order.List().Cursor(v.OrderKey, v.VisitorID) },
		func(at string, v *model.VisitorRevenue) model.VisitorRevenueEdge {
			return model.VisitorRevenueEdge{Cursor: at, Node: v}
		})
	return &model.VisitorRevenueConnection{Edges: edges, PageInfo: info}, nil
}

// visitorOrders are the sums of visitors that they can be ordered by, and the types that cursors hold them in.
var visitorOrders = map[model.VisitorRevenueOrderField]struct {
	sum  bun.Ident
	cast bun.Safe
}{
	model.OrderByNet:           {"net_minor", "numeric"},
	model.OrderByGross:         {"gross_minor", "numeric"},
	model.OrderByLastPaymentAt: {"last_payment_at", "timestamptz"},
	model.OrderByPayments:      {"payments", "bigint"},
}

// visitorSumRow is a visitor by what its payments add up to.
type visitorSumRow struct {
	keptRow
	VisitorID      string
	OrderKey       string
	FirstPaymentAt time.Time
	LastPaymentAt  time.Time
}

// visitorsByRevenue reads a page of visitors, and the one that follows it.
func (s *Store) visitorsByRevenue(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) ([]visitorSumRow, error) {
	if query.Range == (model.Range{}) && query.Credit.IsAll() {
		visitors := s.db.NewSelect().TableExpr("visitor_rollups AS v").Where("v.website_id = ?", site.ID)
		var rows []visitorSumRow
		if err := s.fromRollups(site, true, onVisitorPage(visitors, query)).Scan(ctx, &rows); err != nil {
			return nil, translate(err)
		}
		if len(rows) > 0 && rows[0].IsKept {
			return slices.DeleteFunc(rows, func(row visitorSumRow) bool { return !row.IsRow }), nil
		}
	}
	entries := s.entries(site)
	if query.VisitorIDs != nil {
		entries = entries.Where("p.visitor_id = ANY(ARRAY[?]::text[])", list(query.VisitorIDs))
	}
	visitors := s.db.NewSelect().TableExpr("(?) AS v", sumVisitors(s.credited(site, entries, query.Range, query.Credit)))
	var rows []visitorSumRow
	err := onVisitorPage(visitors, query).Scan(ctx, &rows)
	return rows, translate(err)
}

// onVisitorPage limits visitors v to those that a query wants, on a page of it and the one that follows.
func onVisitorPage(visitors *bun.SelectQuery, query model.VisitorRevenueQuery) *bun.SelectQuery {
	by := visitorOrders[query.Order.Field]
	q := visitors.ColumnExpr("v.visitor_id, v.first_payment_at, v.last_payment_at, v.?::text AS order_key", by.sum)
	if query.VisitorIDs != nil {
		q = q.Where("v.visitor_id = ANY(ARRAY[?]::text[])", list(query.VisitorIDs))
	}
	if query.MinNet != nil {
		q = q.Where("v.net_minor >= ?::numeric", query.MinNet.MinorString())
	}
	direction, beyond := bun.Safe("DESC"), bun.Safe("<")
	if query.Order.Direction == model.Ascending {
		direction, beyond = "ASC", ">"
	}
	if after := query.Page.After; !query.Page.IsFirst() {
		q = q.Where("(v.?, v.visitor_id) ? (?::?, ?)", by.sum, beyond, after.Key, by.cast, after.ID)
	}
	return q.OrderExpr("v.?0 ?1, v.visitor_id ?1", by.sum, direction).Limit(int64(query.Page.First) + 1)
}

// sumVisitors adds up entries p, which s.entries or s.credited selects, by visitor.
func sumVisitors(entries *bun.SelectQuery) *bun.SelectQuery {
	return entries.Where("p.visitor_id IS NOT NULL").ColumnExpr("p.visitor_id, count(*) AS entries").
		ColumnExpr("count(*) FILTER (WHERE " + countsAsPayment + ") AS payments").
		ColumnExpr(grossMinor + " AS gross_minor, " + refundedMinor + " AS refunded_minor, " + netMinor + " AS net_minor").
		ColumnExpr("min(p.occurred_at) AS first_payment_at, max(p.occurred_at) AS last_payment_at").Group("p.visitor_id")
}
