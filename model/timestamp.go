package model

import "time"

const day = 24 * time.Hour

// The instants that Timestamp.In gives lie within what every store and format can hold. The first
// is not the zero time, which stands for an open end in a Range.
var (
	firstInstant = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)
	lastInstant  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

// maxAhead is how far a client's clock may be ahead of ours.
const maxAhead = day

// Timestamp is a time as a client wrote it: the fields of calendar and clock, an offset from UTC or
// none, and the unit that was written last (a day, a minute, a second or a part of one). It becomes
// an instant in a time zone: see In.
type Timestamp struct {
	wall      time.Time     // the fields as if they were UTC, truncated to microseconds
	unit      time.Duration // day for a date; 0 for an instant that nobody wrote; else at least a microsecond
	offset    time.Duration // east of UTC
	hasOffset bool
	end       bool // stands for the end of its unit
}

// AtTime is the timestamp of an exact instant, to the microsecond; it is the end of its unit too.
func AtTime(t time.Time) Timestamp {
	return Timestamp{wall: t.UTC().Truncate(time.Microsecond), hasOffset: true}
}

// HasOffset says whether an offset from UTC was written, so that the time zone does not matter.
func (t Timestamp) HasOffset() bool { return t.hasOffset }

// EndOfUnit is the timestamp as the end of a half-open range that includes all of the written unit:
// the start of the next local day for a date, a second later for a time to the second. Digits of a
// fraction beyond the microsecond do not make the unit smaller than that.
func (t Timestamp) EndOfUnit() Timestamp {
	t.end = true
	return t
}

// In is the instant, in UTC and truncated to microseconds. Without an offset the fields are read in
// loc: a date is the first instant of that local day, or of the first day after it if clocks skipped
// it; a time that clocks skip is as much later as they skip; a time that comes twice is the earlier
// one. Instants before the year 1 or after 9999 become the first or last microsecond of those.
func (t Timestamp) In(loc *time.Location) time.Time {
	start, next := t.bounds(loc)
	if t.end {
		return next
	}
	return start
}

// bounds is the written unit as a half-open range.
func (t Timestamp) bounds(loc *time.Location) (start, next time.Time) {
	switch {
	case t.unit == day:
		_, start = resolve(t.wall, loc)
		_, next = resolve(t.wall.AddDate(0, 0, 1), loc)
	case t.hasOffset:
		start = t.wall.Add(-t.offset)
		next = start.Add(t.unit)
	default:
		start, _ = resolve(t.wall, loc)
		next = start.Add(t.unit)
	}
	return clamp(start), clamp(next)
}

func clamp(t time.Time) time.Time {
	switch {
	case t.Before(firstInstant):
		return firstInstant
	case t.After(lastInstant):
		return lastInstant
	}
	return t.UTC()
}

// resolve finds when the clocks of loc first show what wall shows in UTC. If they skip that, shifted
// is as much later as they skip, and after is the instant of the change; otherwise they are equal.
func resolve(wall time.Time, loc *time.Location) (shifted, after time.Time) {
	// Go from one period of constant offset to the next, beginning well before any offset's reading.
	for t := wall.Add(-2 * day).In(loc); ; {
		_, offset := t.Zone()
		reading := wall.Add(-time.Duration(offset) * time.Second)
		end := offsetEnd(t)
		switch {
		case reading.Before(t):
			return shifted, t
		case end.IsZero() || reading.Before(end):
			return reading, reading
		}
		shifted, t = reading, end
	}
}

// offsetEnd is a later instant until which t's zone keeps the offset that it has at t; zero for ever.
func offsetEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// ZoneBounds takes all years to have 365 days where it has only a rule to go by, so on the
		// last day of a leap year the end of the period is in the past.
		return t.Add(time.Hour)
	}
	return end
}

// CheckOccurredAt checks when something happened that is recorded now: from 1970 on, and not more
// than 24 hours ahead. Error: CodeInvalidTimestamp.
func CheckOccurredAt(t, now time.Time) error {
	switch {
	case t.Before(EarliestPayment):
		return Errorf(CodeInvalidTimestamp, "", "must not be before 1970")
	case t.After(now.Add(maxAhead)):
		return Errorf(CodeInvalidTimestamp, "", "must not be more than 24 hours from now")
	}
	return nil
}

// FormatMillis writes an instant as JavaScript does: in UTC, truncated to milliseconds,
// 2023-01-31T23:59:59.000Z.
func FormatMillis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
