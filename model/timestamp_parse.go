package model

import (
	"strings"
	"time"
)

// maxOffset is the greatest offset from UTC that is accepted; no zone has ever had as much.
const maxOffset = 18 * time.Hour

// ParseTimestamp reads RFC 3339 and the forms of ISO 8601 that clients send in its place: a date
// alone, no seconds, no offset, T or t or one space before the time, 1 to 9 digits of a fraction,
// and Z, z, ±hh:mm, ±hhmm or ±hh (at most 18 hours) for the offset. A date alone has no offset; after
// a space the seconds are required. So the space that a + becomes in a query string is always
// refused, and never makes a time of day of an offset. Error: CodeInvalidTimestamp.
func ParseTimestamp(s string) (Timestamp, error) {
	in := scanner{rest: s}
	t := Timestamp{wall: in.date(), unit: day}
	if in.rest != "" {
		blank := in.skip(" ")
		if !blank && !in.skip("t") {
			in.need("T")
		}
		clock, unit := in.clock()
		if !in.failed && ((blank && unit == time.Minute) || strings.HasPrefix(in.rest, " ")) {
			return Timestamp{}, Errorf(CodeInvalidTimestamp, "", "must have a T before the time; in an address, + must be written as %%2B")
		}
		t.wall, t.unit = t.wall.Add(clock), unit
		if in.rest != "" {
			t.offset, t.hasOffset = in.offset(), true
		}
	}
	if in.failed || in.rest != "" {
		return Timestamp{}, Errorf(CodeInvalidTimestamp, "", "must be an ISO 8601 time or date, such as 2026-05-01T10:00:00Z")
	}
	return t, nil
}

// scanner takes text apart from its beginning. Once something is not as it must be, it has failed.
type scanner struct {
	rest   string
	failed bool
}

// skip takes what may come next.
func (in *scanner) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(in.rest, prefix)
	in.rest = rest
	return ok
}

// need takes what must come next.
func (in *scanner) need(prefix string) { in.failed = !in.skip(prefix) || in.failed }

// number takes a number of so many digits that lies from least to most.
func (in *scanner) number(width, least, most int) int {
	n := 0
	for i := range width {
		if i >= len(in.rest) || in.rest[i] < '0' || in.rest[i] > '9' {
			in.failed = true
			return 0
		}
		n = n*10 + int(in.rest[i]-'0')
	}
	in.rest = in.rest[width:]
	in.failed = in.failed || n < least || n > most
	return n
}

// date takes yyyy-mm-dd, a real day of the years 1 to 9999.
func (in *scanner) date() time.Time {
	year := in.number(4, 1, 9999)
	in.need("-")
	month := in.number(2, 1, 12)
	in.need("-")
	dayOfMonth := in.number(2, 1, 31)
	t := time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
	in.failed = in.failed || t.Day() != dayOfMonth
	return t
}

// clock takes hh:mm, hh:mm:ss or hh:mm:ss.f… and says which unit was written last.
func (in *scanner) clock() (sinceMidnight, unit time.Duration) {
	hours := in.number(2, 0, 23)
	in.need(":")
	minutes := in.number(2, 0, 59)
	sinceMidnight = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if !in.skip(":") {
		return sinceMidnight, time.Minute
	}
	sinceMidnight += time.Duration(in.number(2, 0, 59)) * time.Second
	if !in.skip(".") {
		return sinceMidnight, time.Second
	}
	fraction, rest := cutDigits(in.rest)
	in.rest = rest
	in.failed = in.failed || len(fraction) < 1 || len(fraction) > 9
	unit = time.Second
	for i := 0; i < len(fraction) && unit > time.Microsecond; i++ {
		unit /= 10
		sinceMidnight += time.Duration(fraction[i]-'0') * unit
	}
	return sinceMidnight, unit
}

// offset takes Z, z, ±hh, ±hhmm or ±hh:mm: the time east of UTC.
func (in *scanner) offset() time.Duration {
	if in.skip("Z") || in.skip("z") {
		return 0
	}
	west := in.skip("-")
	if !west {
		in.need("+")
	}
	offset := time.Duration(in.number(2, 0, 18)) * time.Hour
	if in.rest != "" {
		in.skip(":")
		offset += time.Duration(in.number(2, 0, 59)) * time.Minute
	}
	in.failed = in.failed || offset > maxOffset
	if west {
		return -offset
	}
	return offset
}
