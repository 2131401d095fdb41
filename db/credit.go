package db

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// keyExprs are the keys of a visit t.
var keyExprs = map[model.Dimension]string{
	model.DimensionSource:      "t.source",
	model.DimensionChannel:     "t.channel",
	model.DimensionReferrer:    "t.referrer_host",
	model.DimensionUtmSource:   "t.utm_source",
	model.DimensionUtmMedium:   "t.utm_medium",
	model.DimensionUtmCampaign: "t.utm_campaign",
	model.DimensionUtmTerm:     "t.utm_term",
	model.DimensionUtmContent:  "t.utm_content",
	model.DimensionLandingPage: "t.landing_path",
	model.DimensionCountry:     "coalesce(t.country, '')",
	model.DimensionDevice:      "coalesce(t.device, '')",
	model.DimensionBrowser:     "coalesce(t.browser, '')",
	model.DimensionOS:          "coalesce(t.os, '')",
}

// keyOf is the column of credits that holds a key, and that of trails that holds those of all visits.
func keyOf(d model.Dimension) bun.Ident { return bun.Ident("key_" + strings.ToLower(string(d))) }

// entryColumns are those of an entry e that credits keep.
const entryColumns = "e.id, e.kind, e.currency, e.occurred_at, e.visitor_id"

// credited narrows entries, which s.entries selects, to what a question is about in a range. The result p can
// be read as the entries can; its amounts are the parts that are credited.
func (s *Store) credited(site model.Website, entries *bun.SelectQuery, in model.Range, credit model.Credit) *bun.SelectQuery {
	if credit.IsAll() {
		return inRange(entries, in)
	}
	dimensions := slices.Sorted(maps.Keys(credit.Keys))
	matching := s.db.NewSelect().TableExpr("(?) AS p", s.credits(site, entries, in, credit.Attribution, dimensions))
	for _, d := range dimensions {
		matching = matching.Where("p.? = ?", keyOf(d), credit.Keys[d])
	}
	return matching
}

// credits are the parts of entries in a range, which s.entries selects, by the keys of their touchpoints in some
// dimensions: the entry's columns, its amounts being the part, and the keys. An entry without a touchpoint is
// all in one row, without keys. No two rows of an entry have the same keys.
func (s *Store) credits(
	site model.Website, entries *bun.SelectQuery, in model.Range, a model.Attribution, keys []model.Dimension,
) *bun.SelectQuery {
	entries = inRange(entries, in)
	charges, refunds := s.charges(entries), s.refunds(site, entries)
	if !a.Model.IsSingleTouch() {
		charges, refunds = uncumulated(charges), s.cumulated(site, refunds)
	}
	visited := model.Range{To: in.To}
	if !in.From.IsZero() {
		visited.From = in.From.Add(-a.Window)
	}
	refunded := s.db.NewSelect().TableExpr("refunds AS e").ColumnExpr("e.*")
	payers := s.db.NewSelect().TableExpr("(?) AS e", entries).ColumnExpr("e.visitor_id")
	payersOfRefunded := s.db.NewSelect().TableExpr("refunds AS e").ColumnExpr("e.payer")
	paid := s.withTrails(charges, s.trails(site, payers, visited, a.Model, keys)).
		UnionAll(s.withTrails(refunded, s.trails(site, payersOfRefunded, model.Range{}, a.Model, keys)))
	// With the offset, Postgres computes the places once; it would for each use of them.
	placed := s.db.NewSelect().TableExpr("(?) AS e", paid).ColumnExpr("e.*").
		ColumnExpr("width_bucket(e.paid_at - make_interval(hours => ?), e.starts) AS skipped", int(a.Window/time.Hour)).
		ColumnExpr("width_bucket(e.paid_at, e.starts) AS reached")
	credits := s.db.NewSelect().With("refunds", refunds).TableExpr("(? OFFSET 0) AS e", placed).ColumnExpr(entryColumns)
	if !a.Model.IsSingleTouch() {
		return credits.Join("CROSS JOIN LATERAL (?) AS t", s.parts(a.Model, keys)).ColumnExpr("t.*")
	}
	for _, d := range keys {
		credits = credits.ColumnExpr("e.?[CASE WHEN e.skipped < e.reached THEN ? END] AS ?0", keyOf(d), bun.Safe(placeExprs[a.Model]))
	}
	return credits.ColumnExpr("e.amount_minor, e.reporting_minor")
}

// placeExprs are the places, in the trail of an entry's payer, of the touchpoint that is credited with all
// of the entry: the touchpoints are those after skipped up to reached.
var placeExprs = map[model.AttributionModel]string{
	model.ModelFirstTouch: "e.skipped + 1",
	model.ModelLastTouch:  "e.reached",
	model.ModelLastNonDirect: `CASE WHEN e.indirect[width_bucket(e.reached, e.indirect)] > greatest(e.skipped, e.reached - ` + strconv.Itoa(model.MaxTouches) + `)
		THEN e.indirect[width_bucket(e.reached, e.indirect)] ELSE e.reached END`,
}

// charges are the entries that are no refunds, with the visitor and time whose touchpoints they are credited to.
func (s *Store) charges(entries *bun.SelectQuery) *bun.SelectQuery {
	return s.db.NewSelect().TableExpr("(?) AS e", entries).Where("e.kind <> 'REFUND'").
		ColumnExpr(entryColumns + ", e.amount_minor, e.reporting_minor, e.visitor_id AS payer, e.occurred_at AS paid_at")
}

// refunds are the entries that are, with those of their charge, if that is known.
func (s *Store) refunds(site model.Website, entries *bun.SelectQuery) *bun.SelectQuery {
	return s.db.NewSelect().TableExpr("(?) AS e", entries).Where("e.is_refund").
		Join("LEFT JOIN (?) AS c ON c.transaction_id = e.charge_id AND NOT c.is_refund", s.entries(site)).
		ColumnExpr(entryColumns + ", e.amount_minor, e.reporting_minor").
		ColumnExpr("CASE WHEN c.id IS NULL THEN e.visitor_id ELSE c.visitor_id END AS payer, coalesce(c.occurred_at, e.occurred_at) AS paid_at")
}
