package db

import (
	"context"

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
		p.currency, p.amount_minor, p.occurred_at, p.recorded_at, p.visitor_id, p.basis, p.session_id, p.customer_id, p.email_folded`).ColumnExpr(worthExpr, site.Currency)
}

// worthExpr is what p is worth in a website's currency.
const worthExpr = "CASE ? WHEN p.reporting_currency THEN p.reporting_minor WHEN p.currency THEN p.amount_minor END AS reporting_minor"

// Revenue adds up a website's payments.
func (s *Store) Revenue(ctx context.Context, site model.Website, query model.RevenueQuery) (*model.Revenue, error) {
	leave, err := s.reporting(ctx, site, "revenue")
	if err != nil {
		return nil, err
	}
	defer leave()
	parts, err := s.partsBetween(ctx, site, query, nil)
	if err != nil {
		return nil, err
	}
	return toRevenue(parts[0], site.Currency)
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
	entries := s.entries(site).Where("p.visitor_id IN (?)", list(visitors))
	err := s.credited(site, entries, query.Range, query.Credit).ColumnExpr("p.visitor_id, "+partColumns).
		GroupExpr("p.visitor_id, "+partGroups).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
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
	refundedMinor   = "coalesce(sum(p.reporting_minor) FILTER (WHERE p.kind = 'REFUND'), 0)"
	netMinor        = grossMinor + " - " + refundedMinor
)
