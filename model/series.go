package model

import "time"

// RevenueBucket is the revenue of one interval, or of the part of it that lies in the range asked for.
type RevenueBucket struct {
	Bucket
	Revenue *Revenue
}

// RevenueOverTimeQuery is a checked question for revenue over time.
type RevenueOverTimeQuery struct {
	RevenueQuery
	Interval Interval
	Now      time.Time // where an open range ends: see Range.Closed
}

// NewRevenueOverTimeQuery checks a question for revenue over time. Whether the range has too many
// intervals is found when its open ends are known. Errors: CodeInvalidRange, CodeInvalidField.
func NewRevenueOverTimeQuery(site Website, r *TimeRange, f *RevenueFilter, interval Interval, now time.Time) (RevenueOverTimeQuery, error) {
	var faults Faults
	q := RevenueOverTimeQuery{RevenueQuery: f.query(site, r, &faults), Interval: interval, Now: now}
	faults.Add("interval", interval.validate())
	return q, faults.Err()
}
