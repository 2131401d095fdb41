package model

import "time"

// RevenueBucket is the revenue of one interval, or of the part of it that lies in the range asked for.
type RevenueBucket struct {
	Bucket
	Revenue *Revenue
}

// RevenueOverTimeQuery is a checked question for revenue over time.
type RevenueOverTimeQuery struct {
	Range    Range
	Interval Interval
	Now      time.Time // where an open range ends: see Range.Closed
}

// NewRevenueOverTimeQuery checks a question for revenue over time. Whether the range has too many
// intervals is found when its open ends are known. Errors: CodeInvalidRange, CodeInvalidField.
func NewRevenueOverTimeQuery(site Website, r *TimeRange, interval Interval, now time.Time) (RevenueOverTimeQuery, error) {
	var faults Faults
	in, err := r.In(site.Location())
	faults.Add("range", err)
	faults.Add("interval", interval.validate())
	return RevenueOverTimeQuery{Range: in, Interval: interval, Now: now}, faults.Err()
}
