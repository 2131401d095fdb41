package db

import (
	"context"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"tributary/model"
)

// groupRow is a part of a group, or of what is credited to none, or a group without parts.
type groupRow struct {
	partRow
	HasPart  bool
	Key      *string // nil of what is credited to none
	Net      string
	Visitors int64
	Payers   int64
	Total    string // net of all groups, and of what is credited to none
}

// RevenueBy lists the groups of a dimension. One statement reads all, so that groups and Unattributed
// add up to the revenue at one moment.
func (s *Store) RevenueBy(ctx context.Context, site model.Website, query model.RevenueByQuery) (*model.RevenueGroupConnection, error) {
	leave, err := s.reporting(ctx, site, "revenueBy")
	if err != nil {
		return nil, err
	}
	defer leave()
	var rows []groupRow
	if err := s.groups(site, query).Scan(ctx, &rows); err != nil {
		return nil, translate(err)
	}
	unattributed, nodes, err := toGroups(rows, site.Currency)
	if err != nil {
		return nil, err
	}
	edges, info := model.Paginate(query.Page, nodes,
		func(g **model.RevenueGroup) model.Cursor { return query.Cursor(*g) },
		func(at string, g **model.RevenueGroup) model.RevenueGroupEdge {
			return model.RevenueGroupEdge{Cursor: at, Node: *g}
		})
	return &model.RevenueGroupConnection{Edges: edges, PageInfo: info, Unattributed: unattributed}, nil
}

// groups selects the parts of a page of groups, in order, and those of what is credited to none. The credits are
// computed once and read twice: for their sums, and for the payers.
func (s *Store) groups(site model.Website, query model.RevenueByQuery) *bun.RawQuery {
	key := keyOf(query.Dimension)
	credits := s.db.NewSelect().
		TableExpr("(?) AS p", s.credits(site, s.entries(site), query.Range, query.Attribution, []model.Dimension{query.Dimension})).
		ColumnExpr(`p.kind, p.currency, p.amount_minor, p.reporting_minor, p.? COLLATE "C" AS key, p.visitor_id`, key)
	// Visitor by visitor: an index has the visits of all time in this order.
	visited := s.db.NewSelect().TableExpr("visits AS t").Where("t.website_id = ?", site.ID).
		ColumnExpr(`t.visitor_id, ? COLLATE "C" AS key`, bun.Safe(keyExprs[query.Dimension])).OrderExpr("t.visitor_id, key")
	page := s.db.NewSelect().TableExpr("groups").Where("key IS NOT NULL").
		OrderExpr("-net, -visitors, key").Limit(int64(query.Page.First) + 1)
	if after := query.Page.After; !query.Page.IsFirst() {
		net, visitors, _ := strings.Cut(after.Key, " ")
		page = page.Where("(-net, -visitors, key) > (-?::numeric, -?::bigint, ?)", net, visitors, after.ID)
	}
	return s.db.NewRaw(`WITH credits AS MATERIALIZED (?0),
		parts AS (SELECT p.key, p.kind, p.currency, p.reporting_minor IS NOT NULL AS converted, count(*) AS count,
			sum(p.amount_minor) AS amount_minor, sum(p.reporting_minor) AS reporting_minor FROM credits p GROUP BY p.key, `+partGroups+`),
		paid AS (SELECT p.key, count(*) AS payers
			FROM (SELECT DISTINCT p.key, p.visitor_id FROM credits p WHERE `+countsAsPayment+` AND p.visitor_id IS NOT NULL) AS p GROUP BY p.key),
		earned AS (SELECT p.key, `+netMinor+` AS net FROM parts p GROUP BY p.key),
		seen AS (SELECT t.key, count(*) AS visitors FROM (SELECT DISTINCT t.visitor_id, t.key FROM (?1) AS t) AS t GROUP BY t.key),
		groups AS (SELECT key, coalesce(net, 0) AS net, coalesce(visitors, 0) AS visitors, coalesce(payers, 0) AS payers
			FROM earned LEFT JOIN paid USING (key) FULL JOIN seen USING (key)),
		page AS (?2)
		SELECT page.key, page.visitors, page.payers, page.net, (SELECT coalesce(sum(net), 0) FROM earned)::text AS total, p.kind IS NOT NULL AS has_part, ?3
		FROM page LEFT JOIN parts p ON p.key = page.key
		UNION ALL SELECT NULL, 0, 0, 0, '0', true, ?3 FROM parts p WHERE p.key IS NULL
		ORDER BY net DESC, visitors DESC, key`,
		credits, inTime(visited, "t.started_at", query.Range), page,
		bun.Safe("p.kind, p.currency, p.converted, p.count, p.amount_minor::text AS original, coalesce(p.reporting_minor, 0)::text AS reporting"))
}

// toGroups are what is credited to none, and the groups in order.
func toGroups(rows []groupRow, reporting model.Currency) (*model.Revenue, []*model.RevenueGroup, error) {
	var nodes []*model.RevenueGroup
	var unattributed []partRow
	byKey := map[string][]partRow{}
	for _, row := range rows {
		if row.Key == nil {
			unattributed = append(unattributed, row.partRow)
			continue
		}
		key := *row.Key
		if _, found := byKey[key]; !found {
			total, err := model.ParseSum(row.Total, reporting)
			if err != nil {
				return nil, nil, err
			}
			nodes = append(nodes, &model.RevenueGroup{
				Key: key, Visitors: int(row.Visitors), Payers: int(row.Payers), Total: total, OrderKey: row.Net + " " + strconv.FormatInt(row.Visitors, 10),
			})
			byKey[key] = nil
		}
		if row.HasPart {
			byKey[key] = append(byKey[key], row.partRow)
		}
	}
	for _, node := range nodes {
		var err error
		if node.Revenue, err = toRevenue(byKey[node.Key], reporting); err != nil {
			return nil, nil, err
		}
	}
	rest, err := toRevenue(unattributed, reporting)
	return rest, nodes, err
}
