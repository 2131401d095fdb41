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

// keyOf is the column of credits that holds a key, and that of journeys that holds those of all visits.
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
	paid := s.withJourneys(site, charges, visited, a.Model, keys).
		UnionAll(s.withJourneys(site, refunded, model.Range{}, a.Model, keys)) // their charges may have been paid at any time
	// Without an offset, Postgres would compute the places again wherever they are used.
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

// placeExprs are the places, in the journey of an entry's visitor, of the touchpoint that is credited with all
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

// withJourneys adds to entries e, of charges or refunds, the visits of their payers in a range: when they started,
// and their keys, first one first. However often somebody came and paid, each touchpoint is then found at once.
func (s *Store) withJourneys(
	site model.Website, e *bun.SelectQuery, in model.Range, m model.AttributionModel, keys []model.Dimension,
) *bun.SelectQuery {
	const inOrder = " ORDER BY t.started_at, t.id)"
	visits := inTime(s.db.NewSelect().TableExpr("visits AS t"), "t.started_at", in).Where("t.website_id = ?", site.ID).
		Where("t.visitor_id IN (?)", s.db.NewSelect().TableExpr("(?) AS e", e).ColumnExpr("e.payer")).
		ColumnExpr("t.visitor_id, t.started_at, t.id")
	journeys := s.db.NewSelect().TableExpr("(?) AS t", visits).GroupExpr("t.visitor_id").
		ColumnExpr("t.visitor_id AS visitor, array_agg(t.started_at" + inOrder + " AS starts")
	columns := []bun.Ident{"starts"}
	for _, d := range keys {
		visits.ColumnExpr("? AS ?", bun.Safe(keyExprs[d]), keyOf(d))
		journeys = journeys.ColumnExpr("array_agg(t.?0"+inOrder+" AS ?0", keyOf(d))
		columns = append(columns, keyOf(d))
	}
	if m == model.ModelLastNonDirect {
		visits.ColumnExpr("t.channel, row_number() OVER (PARTITION BY t.visitor_id ORDER BY t.started_at, t.id)::int AS place")
		journeys = journeys.ColumnExpr("array_agg(t.place ORDER BY t.place) FILTER (WHERE t.channel <> 'DIRECT') AS indirect")
		columns = append(columns, "indirect")
	}
	with := s.db.NewSelect().TableExpr("(?) AS e", e).Join("LEFT JOIN (?) AS j ON j.visitor = e.payer", journeys).ColumnExpr("e.*")
	for _, column := range columns {
		with = with.ColumnExpr("j.?", column)
	}
	return with
}
