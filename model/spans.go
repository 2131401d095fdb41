package model

import "time"

// Spans is a range of time by how its payments are added up with the least work: whole days and whole hours of
// UTC, whose sums are kept, and the rest. Each instant of the range is in exactly one of its stretches.
type Spans struct {
	Days, Hours, Rest []Range
}

// EarliestPayment is the time before which no payment occurred.
var EarliestPayment = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// latest is after all payments, and the start of a day.
var latest = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)

// NewSpans splits a range such that none of its days and hours is on both sides of a cut. The cuts are in time
// order.
func NewSpans(r Range, cuts []time.Time) Spans {
	if r.From.Before(EarliestPayment) {
		r.From = EarliestPayment
	}
	if r.To.IsZero() {
		r.To = latest
	}
	var s Spans
	for _, cut := range append(cuts[:len(cuts):len(cuts)], r.To) {
		if cut.After(r.From) && !cut.After(r.To) {
			s.add(Range{From: r.From, To: cut})
			r.From = cut
		}
	}
	return s
}

func (s *Spans) add(r Range) {
	beforeDays, days, afterDays := r.whole(24 * time.Hour)
	s.Days = appendRange(s.Days, days)
	for _, part := range []Range{beforeDays, afterDays} {
		beforeHours, hours, afterHours := part.whole(time.Hour)
		s.Hours = appendRange(s.Hours, hours)
		s.Rest = appendRange(appendRange(s.Rest, beforeHours), afterHours)
	}
}

// whole is the part of the range that consists of whole units of UTC, with what is before and after it.
func (r Range) whole(unit time.Duration) (before, whole, after Range) {
	from, to := r.From.Add(unit-1).Truncate(unit), r.To.Truncate(unit)
	if !from.Before(to) {
		return r, Range{}, Range{}
	}
	return Range{r.From, from}, Range{from, to}, Range{to, r.To}
}

// appendRange adds a range that is not before the last one, in one with that if they touch.
func appendRange(ranges []Range, r Range) []Range {
	last := len(ranges) - 1
	switch {
	case !r.From.Before(r.To):
		return ranges
	case last >= 0 && ranges[last].To.Equal(r.From):
		ranges[last].To = r.To
		return ranges
	}
	return append(ranges, r)
}
