package db

import (
	"maps"
	"slices"
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

// keyOf is the column of credits that holds a key.
func keyOf(d model.Dimension) bun.Ident { return bun.Ident("key_" + strings.ToLower(string(d))) }

// entryColumns are those of an entry p that credits keep.
const entryColumns = "p.id, p.kind, p.charge_id, p.currency, p.amount_minor, p.reporting_minor, p.occurred_at, p.visitor_id"

// credited narrows entries, which s.entries selects, to what a question is about. The result p can be read as
// the entries can; its amounts are the parts that are credited.
func (s *Store) credited(site model.Website, entries *bun.SelectQuery, credit model.Credit) *bun.SelectQuery {
	if credit.IsAll() {
		return entries
	}
	dimensions := slices.Sorted(maps.Keys(credit.Keys))
	matching := s.db.NewSelect().TableExpr("(?) AS p", s.credits(site, entries, credit.Attribution, dimensions))
	for _, d := range dimensions {
		matching = matching.Where("p.? = ?", keyOf(d), credit.Keys[d])
	}
	return s.db.NewSelect().TableExpr("(?) AS p", whole(matching, credit.Model))
}

// whole puts the parts of an entry together that a query on credits p selects, so that each entry
// counts once; by further columns too, if any.
func whole(credits *bun.SelectQuery, m model.AttributionModel, by ...bun.Ident) *bun.SelectQuery {
	columns := []bun.Ident{"id", "kind", "currency", "occurred_at", "visitor_id"}
	for _, column := range append(columns, by...) {
		credits = credits.ColumnExpr("p.?", column)
		if !m.IsSingleTouch() {
			credits = credits.GroupExpr("p.?", column)
		}
	}
	if m.IsSingleTouch() {
		return credits.ColumnExpr("p.amount_minor, p.reporting_minor")
	}
	return credits.ColumnExpr("sum(p.amount_minor) AS amount_minor, sum(p.reporting_minor) AS reporting_minor")
}

// credits are the parts of entries, which s.entries selects, by touchpoint: the entry's columns, its amounts
// being the part, and the keys of the touchpoint in some dimensions. An entry without a touchpoint is all
// in one row, without keys.
func (s *Store) credits(site model.Website, entries *bun.SelectQuery, a model.Attribution, keys []model.Dimension) *bun.SelectQuery {
	paid, touches := s.paid(site, entries), s.touches(site, a.Window, keys)
	if !a.Model.IsSingleTouch() {
		return s.divided(s.cumulated(site, paid), touches, a.Model, keys)
	}
	return s.db.NewSelect().TableExpr("(?) AS e", paid).ColumnExpr("*").
		Join("LEFT JOIN LATERAL (?) AS t ON true", s.one(touches, a.Model))
}

// one is the touchpoint that a model credits with all of an entry.
func (s *Store) one(touches *bun.SelectQuery, m model.AttributionModel) *bun.SelectQuery {
	switch m {
	case model.ModelFirstTouch:
		return touches.OrderExpr("t.started_at, t.id").Limit(1)
	case model.ModelLastNonDirect:
		touches = latest(touches.ColumnExpr("t.channel, t.started_at AS touched_at, t.id AS touch_id"), model.MaxTouches)
		return s.db.NewSelect().TableExpr("(?) AS t", touches).ColumnExpr("t.*").
			OrderExpr("t.channel = 'DIRECT', t.touched_at DESC, t.touch_id DESC").Limit(1)
	}
	return latest(touches, 1)
}

// latest are the last n of touchpoints. As many direct visits as a visitor can make must not be read for
// each of many payments.
func latest(touches *bun.SelectQuery, n int) *bun.SelectQuery {
	return touches.OrderExpr("t.started_at DESC, t.id DESC").Limit(int64(n))
}

// paid are entries of s.entries as e, with the visitor and time whose touchpoints they are credited to: a
// refund's are those of its charge, if that is known.
func (s *Store) paid(site model.Website, entries *bun.SelectQuery) *bun.SelectQuery {
	charge := s.entries(site).ColumnExpr("true AS known, p.visitor_id, p.occurred_at").
		Where("e.kind = 'REFUND' AND p.transaction_id = e.charge_id AND NOT p.is_refund").Limit(1)
	return s.db.NewSelect().TableExpr("(?) AS e", entries.ColumnExpr(entryColumns)).
		Join("LEFT JOIN LATERAL (?) AS c ON true", charge).
		ColumnExpr("e.*, CASE WHEN c.known THEN c.visitor_id ELSE e.visitor_id END AS payer, c.known, coalesce(c.occurred_at, e.occurred_at) AS paid_at")
}

// touches are the touchpoints t of an entry e, and their keys.
func (s *Store) touches(site model.Website, window time.Duration, keys []model.Dimension) *bun.SelectQuery {
	q := s.db.NewSelect().TableExpr("visits AS t").
		Where("t.website_id = ? AND t.visitor_id = e.payer AND t.started_at <= e.paid_at", site.ID).
		Where("t.started_at > e.paid_at - make_interval(hours => ?)", int(window/time.Hour))
	for _, d := range keys {
		q = q.ColumnExpr("? AS ?", bun.Safe(keyExprs[d]), keyOf(d))
	}
	return q
}
