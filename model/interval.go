package model

import (
	"iter"
	"slices"
	"time"
)

// Interval is a stretch of the calendar and clock of a website's time zone.
type Interval string

// The intervals. Days, weeks and months begin when the first of their days does: see Timestamp.In.
const (
	// IntervalHour begins with each full hour that clocks show, and with each change of clocks. So it
	// is shorter than an hour where clocks are changed by half an hour, or within an hour.
	IntervalHour Interval = "HOUR"
	// IntervalDay is a local day: of 23 or 25 hours where clocks are changed.
	IntervalDay Interval = "DAY"
	// IntervalWeek is a week of ISO 8601, which begins on Monday.
	IntervalWeek Interval = "WEEK"
	// IntervalMonth is a month of the calendar.
	IntervalMonth Interval = "MONTH"
)

// MaxBuckets is the greatest number of intervals that a range is split into: hours of 83 days, days
// of five years.
const MaxBuckets = 2000

// Bucket is an interval that a range is split into.
type Bucket struct {
	// Start is when the interval begins, in UTC; for the first one that may be before the range does.
	Start time.Time
	// Date is the interval's first day; of an hour, the day that it is counted to. It is what the
	// calendar says, also if clocks skipped all of that day.
	Date Date
}

// validate refuses an interval that does not exist: GraphQL lets enums of any letter case pass.
func (i Interval) validate() error {
	if !slices.Contains([]Interval{IntervalHour, IntervalDay, IntervalWeek, IntervalMonth}, i) {
		return Errorf(CodeInvalidField, "", "must be HOUR, DAY, WEEK or MONTH")
	}
	return nil
}

// Buckets are the intervals of loc that have a part in the range, in time order: each instant of the
// range is in exactly one, from its start to the next one's. An interval that clocks skipped has no
// length and is left out. Both ends of the range must be given. Error: CodeTooManyItems for more
// than MaxBuckets.
func (i Interval) Buckets(r Range, loc *time.Location) ([]Bucket, error) {
	buckets := []Bucket{}
	if !r.From.Before(r.To) {
		return buckets, nil
	}
	for start, date := range i.starts(r.From, loc) {
		last := len(buckets) - 1
		switch {
		case !start.Before(r.To):
			return buckets, nil
		case !start.After(r.From):
			buckets = buckets[:0] // what was before has ended
		case start.Equal(buckets[last].Start):
			buckets = buckets[:last] // it was skipped
		case len(buckets) == MaxBuckets:
			return nil, Errorf(CodeTooManyItems, "range", "the range must not have more than %d intervals: ask for a shorter range or a longer interval", MaxBuckets)
		}
		buckets = append(buckets, Bucket{Start: clamp(start), Date: date})
	}
	return buckets, nil
}

// starts are when the intervals begin, from one that began at t or before, without end.
func (i Interval) starts(t time.Time, loc *time.Location) iter.Seq2[time.Time, Date] {
	return func(yield func(time.Time, Date) bool) {
		day := i.firstDay(t.In(loc))
		_, start := resolve(day, loc)
		for {
			next := i.nextFirstDay(day)
			_, end := resolve(next, loc)
			for at := start; ; {
				if !yield(at, DateOf(day)) {
					return
				}
				if i != IntervalHour {
					break
				}
				if at = nextHour(at.In(loc)); !at.Before(end) {
					break
				}
			}
			day, start = next, end
		}
	}
}

// firstDay is the first day of the interval that t is in, as midnight in UTC; for an hour, its day.
func (i Interval) firstDay(t time.Time) time.Time {
	year, month, day := t.Date()
	switch i {
	case IntervalMonth:
		day = 1
	case IntervalWeek:
		day -= (int(t.Weekday()) + 6) % 7 // days since Monday
	case IntervalHour, IntervalDay:
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// nextFirstDay is the first day of the interval after the one that begins with day.
func (i Interval) nextFirstDay(day time.Time) time.Time {
	switch i {
	case IntervalMonth:
		return day.AddDate(0, 1, 0)
	case IntervalWeek:
		return day.AddDate(0, 0, 7)
	case IntervalHour, IntervalDay:
	}
	return day.AddDate(0, 0, 1)
}

// nextHour is the first instant after t at which the clocks of t's zone show a full hour or are changed.
func nextHour(t time.Time) time.Time {
	_, offset := t.Zone()
	shown := t.Add(time.Duration(offset) * time.Second).UTC()
	full := t.Add(shown.Truncate(time.Hour).Add(time.Hour).Sub(shown))
	for {
		end := offsetEnd(t)
		if end.IsZero() || !end.Before(full) {
			return full
		}
		if _, after := end.Zone(); after != offset {
			return end
		}
		t = end
	}
}
