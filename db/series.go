package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// RevenueOverTime adds up a website's payments by interval, in time order and with no interval left
// out. Errors: CodeTooManyItems.
func (s *Store) RevenueOverTime(ctx context.Context, site model.Website, query model.RevenueOverTimeQuery) ([]*model.RevenueBucket, error) {
	leave, err := s.reporting(ctx, site, "revenueOverTime")
	if err != nil {
		return nil, err
	}
	defer leave()
	in, err := s.closed(ctx, site, query.Range, query.Now)
	if err != nil {
		return nil, err
	}
	buckets, err := query.Interval.Buckets(in, site.Location())
	if err != nil {
		return nil, err
	}
	starts := make([]time.Time, len(buckets))
	for i, bucket := range buckets {
		starts[i] = bucket.Start
	}
	parts, err := s.partsBetween(ctx, site, model.RevenueQuery{Range: in, Credit: query.Credit}, starts)
	if err != nil {
		return nil, err
	}
	revenues := make([]*model.RevenueBucket, len(buckets))
	for i, bucket := range buckets {
		revenue, err := toRevenue(parts[i+1], site.Currency)
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
