package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// partRow is a sum over payments of one kind and currency. Sums are text, since they may pass int64.
type partRow struct {
	VisitorID *string
	Kind      string
	Currency  string
	Converted bool
	Count     int64
	Original  string
	Reporting string
}

const (
	partColumns = `p.kind, p.currency, p.reporting_minor IS NOT NULL AS converted, count(*) AS count,
		sum(p.amount_minor)::text AS original, coalesce(sum(p.reporting_minor), 0)::text AS reporting`
	partGroups = "p.kind, p.currency, p.reporting_minor IS NOT NULL"
)

func toRevenue(rows []partRow, reporting model.Currency) (*model.Revenue, error) {
	parts := make([]model.RevenuePart, len(rows))
	for i, row := range rows {
		original, err := model.ParseSum(row.Original, model.Currency(row.Currency))
		if err != nil {
			return nil, err
		}
		converted, err := model.ParseSum(row.Reporting, reporting)
		if err != nil {
			return nil, err
		}
		parts[i] = model.RevenuePart{
			Kind: model.PaymentKind(row.Kind), Count: int(row.Count),
			Original: original, Converted: row.Converted, Reporting: converted,
		}
	}
	return model.NewRevenue(reporting, parts), nil
}

// entries selects from a website's ledger, which every report reads through it as p.
func (s *Store) entries(site model.Website) *bun.SelectQuery {
	ledger := s.db.NewSelect().TableExpr("payments AS p").Where("p.website_id = ?", site.ID)
	return s.db.NewSelect().TableExpr("(?) AS p", inCurrencyOf(site, ledger))
}

// inCurrencyOf selects what reports read of payments p. The reporting amount is null unless it is in the
// website's currency: what was paid in that counts at once, and what was converted to a former currency
// of the website does not.
func inCurrencyOf(site model.Website, payments *bun.SelectQuery) *bun.SelectQuery {
	return payments.ColumnExpr(`p.website_id, p.id, p.transaction_id, p.is_refund, p.charge_id, p.kind, p.renewal,
		p.currency, p.amount_minor, p.occurred_at, p.recorded_at, p.visitor_id, p.basis, p.session_id, p.customer_id, p.email_folded,
		CASE ? WHEN p.reporting_currency THEN p.reporting_minor WHEN p.currency THEN p.amount_minor END AS reporting_minor`, site.Currency)
}

// Revenue adds up a website's payments.
func (s *Store) Revenue(ctx context.Context, site model.Website, query model.RevenueQuery) (*model.Revenue, error) {
	var rows []partRow
	parts := s.credited(site, inRange(s.entries(site), query.Range), query.Credit).ColumnExpr(partColumns).GroupExpr(partGroups)
	if err := s.report(ctx, site, parts, &rows); err != nil {
		return nil, err
	}
	return toRevenue(rows, site.Currency)
}

// RevenueOfVisitors adds up the payments of each of several visitors.
func (s *Store) RevenueOfVisitors(ctx context.Context, site model.Website, visitors []string, r model.Range) (map[string]*model.Revenue, error) {
	return s.revenueOfVisitors(ctx, site, visitors, model.RevenueQuery{Range: r})
}

func (s *Store) revenueOfVisitors(ctx context.Context, site model.Website, visitors []string, query model.RevenueQuery) (map[string]*model.Revenue, error) {
	revenues := make(map[string]*model.Revenue, len(visitors))
	if len(visitors) == 0 {
		return revenues, nil
	}
	var rows []partRow
	entries := inRange(s.entries(site), query.Range).Where("p.visitor_id IN (?)", list(visitors))
	parts := s.credited(site, entries, query.Credit).ColumnExpr("p.visitor_id, " + partColumns).GroupExpr("p.visitor_id, " + partGroups)
	if err := s.report(ctx, site, parts, &rows); err != nil {
		return nil, err
	}
	byVisitor := map[string][]partRow{}
	for _, row := range rows {
		byVisitor[*row.VisitorID] = append(byVisitor[*row.VisitorID], row)
	}
	for _, visitor := range visitors {
		revenue, err := toRevenue(byVisitor[visitor], site.Currency)
		if err != nil {
			return nil, err
		}
		revenues[visitor] = revenue
	}
	return revenues, nil
}

const (
	// countsAsPayment are the entries that bring money.
	countsAsPayment = "p.kind IN ('CHARGE', 'RENEWAL')"
	grossMinor      = "coalesce(sum(p.reporting_minor) FILTER (WHERE " + countsAsPayment + "), 0)"
	netMinor        = grossMinor + " - coalesce(sum(p.reporting_minor) FILTER (WHERE p.kind = 'REFUND'), 0)"
)

// orderKeys are the expressions that visitors can be ordered by, and the types that cursors hold
// them in.
var orderKeys = map[model.VisitorRevenueOrderField]struct{ expr, cast string }{
	model.OrderByNet:           {netMinor, "numeric"},
	model.OrderByGross:         {grossMinor, "numeric"},
	model.OrderByLastPaymentAt: {"max(p.occurred_at)", "timestamptz"},
	model.OrderByPayments:      {"count(*) FILTER (WHERE " + countsAsPayment + ")", "bigint"},
}

// RevenueByVisitor lists the visitors that the query selects with their revenue.
func (s *Store) RevenueByVisitor(ctx context.Context, site model.Website, query model.VisitorRevenueQuery) (*model.VisitorRevenueConnection, error) {
	var rows []struct {
		VisitorID      string
		OrderKey       string
		FirstPaymentAt time.Time
		LastPaymentAt  time.Time
	}
	if err := s.report(ctx, site, s.visitorsByRevenue(site, query), &rows); err != nil {
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

func (s *Store) visitorsByRevenue(site model.Website, query model.VisitorRevenueQuery) *bun.SelectQuery {
	key := orderKeys[query.Order.Field]
	entries := inRange(s.entries(site), query.Range).Where("p.visitor_id IS NOT NULL")
	if query.VisitorIDs != nil {
		entries = entries.Where("p.visitor_id = ANY(ARRAY[?]::text[])", list(query.VisitorIDs))
	}
	q := s.credited(site, entries, query.Credit).
		ColumnExpr("p.visitor_id, min(p.occurred_at) AS first_payment_at, max(p.occurred_at) AS last_payment_at").
		ColumnExpr("(" + key.expr + ")::text AS order_key").Group("p.visitor_id")
	if query.MinNet != nil {
		q = q.Having(netMinor+" >= ?::numeric", query.MinNet.MinorString())
	}
	direction, beyond := "DESC", "<"
	if query.Order.Direction == model.Ascending {
		direction, beyond = "ASC", ">"
	}
	if after := query.Page.After; !query.Page.IsFirst() {
		q = q.Having("("+key.expr+", p.visitor_id) "+beyond+" (?::"+key.cast+", ?)", after.Key, after.ID)
	}
	return q.OrderExpr(key.expr + " " + direction + ", p.visitor_id " + direction).Limit(int64(query.Page.First) + 1)
}
