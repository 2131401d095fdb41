package db

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"tributary/model"
)

// cumulated are entries of s.paid as amounts to be divided, whose sum with their sign is the entry's. A
// refund is all that its charge has given back with it, less what it had given back before: so refunds of
// parts of a charge end by taking back what the charge gave to each touchpoint, however each of them divides.
func (s *Store) cumulated(site model.Website, paid *bun.SelectQuery) *bun.SelectQuery {
	before := s.entries(site).
		ColumnExpr("coalesce(sum(p.amount_minor), 0) AS amount_minor, coalesce(sum(p.reporting_minor), 0) AS reporting_minor").
		Where("e.known AND p.is_refund AND p.charge_id = e.charge_id AND (p.occurred_at, p.id) < (e.occurred_at, e.id)")
	return s.db.NewSelect().TableExpr("(?) AS e", paid).
		Join("LEFT JOIN LATERAL (?) AS b ON true", before).
		Join(`CROSS JOIN LATERAL (VALUES (1, e.amount_minor + b.amount_minor, e.reporting_minor + b.reporting_minor),
			(-1, b.amount_minor, CASE WHEN e.reporting_minor IS NOT NULL THEN b.reporting_minor END)) AS d (sign, minor, reporting)`).
		Where("d.sign = 1 OR d.minor > 0").
		ColumnExpr("e.*, d.sign, d.minor, d.reporting")
}

// weightExprs are the weights that model.Weights describes, of a touchpoint by its place among the touches of
// an entry and the full hours by which it is older than the newest.
var weightExprs = map[model.AttributionModel]string{
	model.ModelLinear:        "1",
	model.ModelPositionBased: "CASE WHEN touches <= 2 THEN 1 WHEN place IN (1, touches) THEN 2 * (touches - 2) ELSE 1 END",
	model.ModelTimeDecay:     decayExpr(),
}

// decayExpr is model.DecayWeight in SQL. An entry without a touchpoint is one part, of whichever weight.
func decayExpr() string {
	weights := strings.Trim(strings.ReplaceAll(fmt.Sprint(model.DecayWeights()), " ", ","), "[]")
	return fmt.Sprintf("CASE WHEN hours IS NULL THEN 1 ELSE ('{%s}'::bigint[])[1 + hours %% %d] >> least(hours / %[2]d, 62) END", weights, model.HalfLife)
}

// divided divides amounts among their touchpoints as model.Allocate does.
func (s *Store) divided(amounts, touches *bun.SelectQuery, m model.AttributionModel, keys []model.Dimension) *bun.SelectQuery {
	touches = latest(touches.ColumnExpr("t.started_at AS touched_at, t.id AS touch_id"), model.MaxTouches)
	const each = "(PARTITION BY e.id, e.sign)"
	placed := s.db.NewSelect().TableExpr("(?) AS e", amounts).Join("LEFT JOIN LATERAL (?) AS t ON true", touches).
		ColumnExpr("e.*, t.*, count(*) OVER " + each + " AS touches").
		ColumnExpr("row_number() OVER (PARTITION BY e.id, e.sign ORDER BY t.touched_at, t.touch_id) AS place").
		ColumnExpr("floor(date_part('epoch', max(t.touched_at) OVER " + each + " - t.touched_at) / 3600)::int AS hours")
	weighed := s.db.NewSelect().TableExpr("(?) AS e", placed).ColumnExpr("e.*, (" + weightExprs[m] + ")::numeric AS weight")
	summed := s.db.NewSelect().TableExpr("(?) AS e", weighed).ColumnExpr("e.*, sum(e.weight) OVER " + each + " AS weights")
	rounded := s.db.NewSelect().TableExpr("(?) AS e", summed).ColumnExpr("e.*").
		ColumnExpr("div(e.minor * e.weight, e.weights) AS minor_part, e.minor * e.weight % e.weights AS minor_rest").
		ColumnExpr("div(e.reporting * e.weight, e.weights) AS reporting_part, e.reporting * e.weight % e.weights AS reporting_rest")
	parts := s.db.NewSelect().TableExpr("(?) AS e", rounded).
		ColumnExpr("e.id, e.kind, e.currency, e.occurred_at, e.visitor_id, e.weight")
	for _, d := range keys {
		parts = parts.ColumnExpr("e.?", keyOf(d))
	}
	parts = parts.ColumnExpr(partExpr("minor") + " AS amount_minor, " + partExpr("reporting") + " AS reporting_minor")
	return s.db.NewSelect().TableExpr("(?) AS p", parts).ColumnExpr("p.*").Where("p.weight > 0")
}

// partExpr is the part of an amount e, from what was rounded down and lost by that. The losses, in parts of a
// minor unit, add up to the minor units that remain, of which the greatest losses get one each.
func partExpr(amount string) string {
	return strings.ReplaceAll(`e.sign * (e.AMOUNT_part + (row_number() OVER (PARTITION BY e.id, e.sign ORDER BY e.AMOUNT_rest DESC, e.place)
		<= sum(e.AMOUNT_rest) OVER (PARTITION BY e.id, e.sign) / e.weights)::int)`, "AMOUNT", amount)
}
