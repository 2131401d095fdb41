package model

import "time"

// TimeRange is a range as a client wrote it; a missing end is open. Timestamps are bounds of a
// half-open range as they stand: see Timestamp.EndOfUnit for an end that includes what it names.
type TimeRange struct {
	From, To *Timestamp
}

// Range is the half-open range of instants [From, To), in UTC. A zero time is an open end.
type Range struct {
	From, To time.Time
}

// In resolves the range in a website's time zone; a nil range is all time. Both ends may be the
// same: an empty range. Error: CodeInvalidRange if it ends before it starts.
func (r *TimeRange) In(loc *time.Location) (Range, error) {
	var resolved Range
	if r == nil {
		return resolved, nil
	}
	if r.From != nil {
		resolved.From = r.From.In(loc)
	}
	if r.To != nil {
		resolved.To = r.To.In(loc)
	}
	if r.From == nil || r.To == nil {
		return resolved, nil
	}
	// With an end that includes its unit, start and end are compared as they were written: the 2nd
	// to the 1st of May is no empty range.
	last, _ := r.To.bounds(loc)
	if resolved.From.After(resolved.To) || (r.To.end && resolved.From.Equal(resolved.To) && resolved.From.After(last)) {
		return Range{}, Errorf(CodeInvalidRange, "", "the range must not end before it starts")
	}
	return resolved, nil
}

// Closed is the range with its open ends closed so that no payment leaves it: an open start is the
// first payment, and an open end is now, or just after the last payment if that is not before now.
// First and last are those of all the website's payments, zero if it has none. What would end before
// it starts is empty.
func (r Range) Closed(first, last, now time.Time) Range {
	if r.To.IsZero() {
		r.To = now
		if !last.Before(now) {
			r.To = last.Add(time.Microsecond)
		}
	}
	if r.From.IsZero() {
		r.From = first
		if first.IsZero() {
			r.From = r.To
		}
	}
	if r.To.Before(r.From) {
		r.To = r.From
	}
	return r
}
