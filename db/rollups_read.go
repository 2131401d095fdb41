package db

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// keptRow begins each row that is read from rollups.
type keptRow struct {
	IsKept bool // the rollups hold at that moment; else this is the only row, and the ledger is to be read
	IsRow  bool // it is a row of the query; else the query has none
}

// fromRollups runs a query on a website's rollups, of hours and days or of visitors, if they hold: those of visitors
// do when all is converted to the website's currency that can be.
func (s *Store) fromRollups(site model.Website, ofVisitors bool, q *bun.SelectQuery) *bun.RawQuery {
	return s.db.NewRaw(`SELECT w.is_kept, q.is_row IS NOT NULL AS is_row, q.* FROM (
			SELECT CASE WHEN ?1 THEN w.visitor_rollups_until IS NULL AND w.currency = ?2 AND w.currency_version = w.converted_version
				ELSE w.rollups_until IS NULL END AS is_kept
			FROM websites w WHERE w.id = ?0) AS w
		LEFT JOIN LATERAL (?3) AS q ON w.is_kept`, site.ID, ofVisitors, site.Currency, q.ColumnExpr("true AS is_row"))
}

// bucketRow is a part of the revenue of a bucket.
type bucketRow struct {
	keptRow
	partRow
	Bucket int // 0 is before the first one
}

// partsBetween adds up what a query selects between times, which are in order: first what is before the first
// of them. Postgres gets the times, so that the calendar is computed in one place only.
func (s *Store) partsBetween(ctx context.Context, site model.Website, query model.RevenueQuery, starts []time.Time) ([][]partRow, error) {
	var rows []bucketRow
	isKept := false
	if query.Credit.IsAll() {
		if err := s.fromRollups(site, false, s.keptParts(site, query.Range, starts)).Scan(ctx, &rows); err != nil {
			return nil, translate(err)
		}
		isKept = len(rows) > 0 && rows[0].IsKept
		rows = slices.DeleteFunc(rows, func(row bucketRow) bool { return !row.IsRow })
	}
	if !isKept {
		err := s.credited(site, s.entries(site), query.Range, query.Credit).ColumnExpr(partColumns).
			ColumnExpr(bucketExpr, bun.Safe("p.occurred_at"), pgdialect.Array(starts)).GroupExpr("bucket, "+partGroups).Scan(ctx, &rows)
		if err != nil {
			return nil, translate(err)
		}
	}
	parts := make([][]partRow, len(starts)+1)
	for _, row := range rows {
		parts[row.Bucket] = append(parts[row.Bucket], row.partRow)
	}
	return parts, nil
}

// keptParts adds up the parts of a range by bucket: whole days and hours from the rollups, the rest from the ledger.
func (s *Store) keptParts(site model.Website, r model.Range, starts []time.Time) *bun.SelectQuery {
	spans := model.NewSpans(r, starts)
	// With the offset, Postgres reads the rows of one range after the other; it might read all of the website's.
	each := func(ranges []model.Range, rows *bun.SelectQuery) *bun.SelectQuery {
		from, to := make([]time.Time, len(ranges)), make([]time.Time, len(ranges))
		for i, r := range ranges {
			from[i], to[i] = r.From, r.To
		}
		return s.db.NewSelect().TableExpr("unnest(?::timestamptz[], ?::timestamptz[]) AS r (from_at, to_at)", pgdialect.Array(from), pgdialect.Array(to)).
			Join("CROSS JOIN LATERAL (? OFFSET 0) AS p", rows).ColumnExpr("p.*")
	}
	rollups := func(span string) *bun.SelectQuery {
		return s.db.NewSelect().TableExpr("rollups AS p").Where("p.website_id = ? AND p.span = ?", site.ID, span).
			Where("p.starts_at >= r.from_at AND p.starts_at < r.to_at").
			ColumnExpr("p.starts_at AS at, p.kind, p.currency, p.count, p.amount_minor").ColumnExpr(worthExpr, site.Currency)
	}
	ledger := s.db.NewSelect().TableExpr("payments AS p").Where("p.website_id = ?", site.ID).
		Where("p.occurred_at >= r.from_at AND p.occurred_at < r.to_at").
		ColumnExpr("p.occurred_at AS at, p.kind, p.currency, 1 AS count, p.amount_minor").ColumnExpr(worthExpr, site.Currency)
	sums := s.db.NewRaw("? UNION ALL ? UNION ALL ?", each(spans.Days, rollups(spanDay)), each(spans.Hours, rollups(spanHour)), each(spans.Rest, ledger))
	return s.db.NewSelect().TableExpr("(?) AS p", sums).ColumnExpr("p.kind, p.currency, p.reporting_minor IS NOT NULL AS converted").
		ColumnExpr("sum(p.count)::bigint AS count, sum(p.amount_minor)::text AS original, coalesce(sum(p.reporting_minor), 0)::text AS reporting").
		ColumnExpr(bucketExpr, bun.Safe("p.at"), pgdialect.Array(starts)).GroupExpr("bucket, " + partGroups)
}

// bucketExpr is the number of the bucket that a time is in.
const bucketExpr = "width_bucket(?, ?::timestamptz[]) AS bucket"
