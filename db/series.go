package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// RevenueOverTime adds up a website's payments by interval, in time order and with no interval left
// out. Errors: CodeTooManyItems.
func (s *Store) RevenueOverTime(ctx context.Context, site model.Website, query model.RevenueOverTimeQuery) ([]*model.RevenueBucket, error) {
	in, err := s.closed(ctx, site, query.Range, query.Now)
	if err != nil {
		return nil, err
	}
	buckets, err := query.Interval.Buckets(in, site.Location())
	if err != nil {
		return nil, err
	}
	byBucket, err := s.partsByBucket(ctx, site, model.RevenueQuery{Range: in, Credit: query.Credit}, buckets)
	if err != nil {
		return nil, err
	}
	revenues := make([]*model.RevenueBucket, len(buckets))
	for i, bucket := range buckets {
		revenue, err := toRevenue(byBucket[i], site.Currency)
		if err != nil {
			return nil, err
		}
		revenues[i] = &model.RevenueBucket{Bucket: bucket, Revenue: revenue}
	}
	return revenues, nil
}

// closed is the range with its open ends closed.
func (s *Store) closed(ctx context.Context, site model.Website, r model.Range, now time.Time) (model.Range, error) {
	if !r.From.IsZero() && !r.To.IsZero() {
		return r, nil
	}
	var row struct{ First, Last bun.NullTime }
	err := s.entries(site).ColumnExpr("min(p.occurred_at) AS first, max(p.occurred_at) AS last").Scan(ctx, &row)
	if err != nil {
		return model.Range{}, translate(err)
	}
	return r.Closed(row.First.UTC(), row.Last.UTC(), now), nil
}

// partsByBucket adds up the payments of a range by the bucket that they are in. Postgres gets the
// instants at which the buckets begin, so that the calendar is computed in one place only.
func (s *Store) partsByBucket(ctx context.Context, site model.Website, query model.RevenueQuery, buckets []model.Bucket) ([][]partRow, error) {
	parts := make([][]partRow, len(buckets))
	if len(buckets) == 0 {
		return parts, nil
	}
	starts := make([]time.Time, len(buckets))
	for i, bucket := range buckets {
		starts[i] = bucket.Start
	}
	var rows []struct {
		partRow
		Bucket int // from 1
	}
	q := s.credited(site, inRange(s.entries(site), query.Range), query.Credit).ColumnExpr(partColumns).
		ColumnExpr("width_bucket(p.occurred_at, ?::timestamptz[]) AS bucket", pgdialect.Array(starts)).
		GroupExpr("bucket, " + partGroups)
	if err := s.report(ctx, site, q, &rows); err != nil {
		return nil, err
	}
	for _, row := range rows {
		parts[row.Bucket-1] = append(parts[row.Bucket-1], row.partRow)
	}
	return parts, nil
}
