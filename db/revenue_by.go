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
	var rows []groupRow
	if err := s.report(ctx, site, s.groups(site, query), &rows); err != nil {
		return nil, err
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

// groups selects the parts of a page of groups, in order, and those of what is credited to none.
func (s *Store) groups(site model.Website, query model.RevenueByQuery) *bun.RawQuery {
	key := keyOf(query.Dimension)
	// Visitor by visitor, so that the visits to be looked up lie near one another.
	entries := inRange(s.entries(site), query.Range).OrderExpr("p.visitor_id")
	credits := s.db.NewSelect().TableExpr("(?) AS p", s.credits(site, entries, query.Attribution, []model.Dimension{query.Dimension}))
	visited := s.db.NewSelect().TableExpr("visits AS t").Where("t.website_id = ?", site.ID).
		ColumnExpr("? AS ?, t.visitor_id", bun.Safe(keyExprs[query.Dimension]), key).Distinct()
	page := s.db.NewSelect().TableExpr("groups").Where("key IS NOT NULL").
		OrderExpr("-net, -visitors, key").Limit(int64(query.Page.First) + 1)
	if after := query.Page.After; !query.Page.IsFirst() {
		net, visitors, _ := strings.Cut(after.Key, " ")
		page = page.Where("(-net, -visitors, key) > (-?::numeric, -?::bigint, ?)", net, visitors, after.ID)
	}
	return s.db.NewRaw(`WITH credits AS (SELECT p.*, p.?3 COLLATE "C" AS key FROM (?0) AS p),
		parts AS (SELECT p.key, `+partColumns+` FROM credits p GROUP BY p.key, `+partGroups+`),
		earned AS (SELECT p.key, `+netMinor+` AS net, count(DISTINCT p.visitor_id) FILTER (WHERE `+countsAsPayment+`) AS payers
			FROM credits p GROUP BY p.key),
		seen AS (SELECT t.?3 COLLATE "C" AS key, count(*) AS visitors FROM (?1) AS t GROUP BY 1),
		groups AS (SELECT key, coalesce(net, 0) AS net, coalesce(visitors, 0) AS visitors, coalesce(payers, 0) AS payers
			FROM earned FULL JOIN seen USING (key)),
		page AS (?2)
		SELECT page.key, page.visitors, page.payers, page.net, (SELECT coalesce(sum(net), 0) FROM earned)::text AS total,
			parts.kind IS NOT NULL AS has_part, parts.kind, parts.currency, parts.converted, parts.count, parts.original, parts.reporting
		FROM page LEFT JOIN parts USING (key)
		UNION ALL SELECT NULL, 0, 0, 0, '0', true, kind, currency, converted, count, original, reporting FROM parts WHERE key IS NULL
		ORDER BY net DESC, visitors DESC, key`,
		whole(credits, query.Attribution.Model, key), inTime(visited, "t.started_at", query.Range), page, key)
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
