package db

import (
	"github.com/uptrace/bun"

	"tributary/model"
)

// trails select the visits of each of several visitors as arrays, first one first. However often somebody came and
// paid, the touchpoints of a payment are found in them by two binary searches.
type trails struct {
	query   *bun.SelectQuery
	columns []bun.Ident
}

// trails are those of visitors in a range: when the visits started, their keys and, for the model that asks for
// it, the places of those that are not direct. The visits come in order, which arrays keep; up to version 15 Postgres
// would sort each of them by itself if it were told the order of an array.
func (s *Store) trails(
	site model.Website, visitors *bun.SelectQuery, in model.Range, m model.AttributionModel, keys []model.Dimension,
) trails {
	visits := inTime(s.db.NewSelect().TableExpr("visits AS t"), "t.started_at", in).
		Where("t.website_id = ? AND t.visitor_id IN (?)", site.ID, visitors).ColumnExpr("t.visitor_id, t.started_at, t.id").
		OrderExpr("t.visitor_id, t.started_at, t.id")
	found := trails{columns: []bun.Ident{"starts"}}
	found.query = s.db.NewSelect().TableExpr("(?) AS t", visits).GroupExpr("t.visitor_id").
		ColumnExpr("t.visitor_id AS visitor, array_agg(t.started_at) AS starts")
	for _, d := range keys {
		visits.ColumnExpr("? AS ?", bun.Safe(keyExprs[d]), keyOf(d))
		found.query.ColumnExpr("array_agg(t.?0) AS ?0", keyOf(d))
		found.columns = append(found.columns, keyOf(d))
	}
	if m == model.ModelLastNonDirect {
		visits.ColumnExpr("t.channel, row_number() OVER (PARTITION BY t.visitor_id ORDER BY t.started_at, t.id)::int AS place")
		found.query.ColumnExpr("array_agg(t.place) FILTER (WHERE t.channel <> 'DIRECT') AS indirect")
		found.columns = append(found.columns, "indirect")
	}
	return found
}

// withTrails adds to entries e, of charges or refunds, the trails of their payers.
func (s *Store) withTrails(e *bun.SelectQuery, trails trails) *bun.SelectQuery {
	// They are distinct already: this is for Postgres, which would expect several trails for each entry.
	distinct := s.db.NewSelect().DistinctOn("v.visitor").TableExpr("(?) AS v", trails.query).ColumnExpr("v.*")
	with := s.db.NewSelect().TableExpr("(?) AS e", e).Join("LEFT JOIN (?) AS v ON v.visitor = e.payer", distinct).ColumnExpr("e.*")
	for _, column := range trails.columns {
		with = with.ColumnExpr("v.?", column)
	}
	return with
}
