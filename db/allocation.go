package db

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"tributary/model"
)

// cumulated adds to refunds what their charges had given back before them. Each is then divided as the difference
// of two amounts: so refunds of parts of a charge end by taking back what the charge gave to each touchpoint,
// however each of them divides.
func (s *Store) cumulated(site model.Website, refunds *bun.SelectQuery) *bun.SelectQuery {
	before := s.entries(site).
		ColumnExpr("coalesce(sum(p.amount_minor), 0) AS minor_before, coalesce(sum(p.reporting_minor), 0) AS reporting_before").
		Where("c.id IS NOT NULL AND p.is_refund AND p.charge_id = e.charge_id AND (p.occurred_at, p.id) < (e.occurred_at, e.id)")
	return refunds.Join("LEFT JOIN LATERAL (?) AS b ON true", before).ColumnExpr("b.*")
}

// uncumulated are charges with the columns of cumulated refunds.
func uncumulated(charges *bun.SelectQuery) *bun.SelectQuery {
	return charges.ColumnExpr("0::numeric AS minor_before, 0::numeric AS reporting_before")
}

// weightExprs are the weights that model.Weights describes, of a touchpoint by its place among the touches of
// an entry and the full hours by which it is older than the newest.
var weightExprs = map[model.AttributionModel]string{
	model.ModelLinear:        "1",
	model.ModelPositionBased: "CASE WHEN touches <= 2 THEN 1 WHEN place IN (1, touches) THEN 2 * (touches - 2) ELSE 1 END",
	model.ModelTimeDecay:     decayExpr(),
}

// decayExpr is model.DecayWeight in SQL.
func decayExpr() string {
	weights := strings.Trim(strings.ReplaceAll(fmt.Sprint(model.DecayWeights()), " ", ","), "[]")
	return fmt.Sprintf("('{%s}'::bigint[])[1 + hours %% %d] >> least(hours / %[2]d, 62)", weights, model.HalfLife)
}

// parts are those of an entry e among its touchpoints, by their keys: all of it if there is nothing to divide.
func (s *Store) parts(m model.AttributionModel, keys []model.Dimension) *bun.SelectQuery {
	whole, divided := s.db.NewSelect(), s.divided(m, keys)
	for _, d := range keys {
		whole = whole.ColumnExpr("e.?0[CASE WHEN e.skipped < e.reached THEN e.reached END] AS ?0", keyOf(d))
	}
	const isDivided = "e.reached - e.skipped > 1"
	return whole.ColumnExpr("e.amount_minor, e.reporting_minor").Where("(" + isDivided + ") IS NOT TRUE").
		UnionAll(divided.Where(isDivided))
}

// divided divides an entry e among its latest touchpoints as model.Allocate does.
func (s *Store) divided(m model.AttributionModel, keys []model.Dimension) *bun.SelectQuery {
	latest := fmt.Sprintf("[greatest(e.skipped, e.reached - %d) + 1:e.reached]", model.MaxTouches)
	trails, names := "e.starts"+latest, "touched_at"
	for _, d := range keys {
		trails += ", e." + string(keyOf(d)) + latest
		names += ", " + string(keyOf(d))
	}
	touches := s.db.NewSelect().TableExpr("unnest("+trails+") WITH ORDINALITY AS t ("+names+", place)").ColumnExpr("t.*").
		ColumnExpr("least(e.reached - e.skipped, ?) AS touches", model.MaxTouches).
		ColumnExpr("floor(date_part('epoch', e.starts[e.reached] - t.touched_at) / 3600)::int AS hours")
	weighed := s.db.NewSelect().TableExpr("(?) AS t", touches).ColumnExpr("t.*, d.*, ("+weightExprs[m]+")::numeric AS weight").
		Join(`CROSS JOIN (VALUES (1, 1, false, e.amount_minor + e.minor_before), (2, -1, false, e.minor_before),
			(3, 1, true, e.reporting_minor + e.reporting_before), (4, -1, true, e.reporting_before)) AS d (amount, sign, is_reporting, minor)`).
		Where("d.sign = 1 AND d.minor IS NOT NULL OR d.minor > 0").
		Where("NOT d.is_reporting OR e.reporting_minor IS NOT NULL AND NOT (?)", bun.Safe(inOneCurrency))
	summed := s.db.NewSelect().TableExpr("(?) AS t", weighed).ColumnExpr("t.*, sum(t.weight) OVER (PARTITION BY t.amount) AS weights")
	rounded := s.db.NewSelect().TableExpr("(?) AS t", summed).
		ColumnExpr("t.*, div(t.minor * t.weight, t.weights) AS part, t.minor * t.weight % t.weights AS lost")
	// What was lost, in parts of a minor unit, adds up to the minor units that remain. The greatest losses get one each.
	parts := s.db.NewSelect().TableExpr("(?) AS t", rounded).ColumnExpr("t.*").
		ColumnExpr(`t.sign * (t.part + (row_number() OVER (PARTITION BY t.amount ORDER BY t.lost DESC, t.place)
			<= sum(t.lost) OVER (PARTITION BY t.amount) / t.weights)::int) AS credited`)
	divided := s.db.NewSelect().TableExpr("(?) AS t", parts).Where("t.weight > 0")
	for _, d := range keys {
		divided = divided.ColumnExpr("t.?", keyOf(d)).GroupExpr("t.?", keyOf(d))
	}
	const credited = "(sum(t.credited) FILTER (WHERE NOT t.is_reporting))::bigint"
	return divided.ColumnExpr(credited+" AS amount_minor").
		ColumnExpr("CASE WHEN ? THEN ? ELSE (sum(t.credited) FILTER (WHERE t.is_reporting))::bigint END AS reporting_minor", bun.Safe(inOneCurrency), bun.Safe(credited))
}

// inOneCurrency says of an entry e that its amounts are the same in its own and in the reporting currency, so
// that one division does.
const inOneCurrency = "(e.reporting_minor = e.amount_minor AND e.reporting_before = e.minor_before) IS TRUE"
