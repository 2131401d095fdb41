package model_test

import (
	_ "embed"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

//go:embed testdata/zones.txt
var zoneList string

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := model.ParseTimezone(name)
	require.NoError(t, err, name)
	return loc
}

func parse(t testing.TB, s string) model.Timestamp {
	t.Helper()
	ts, err := model.ParseTimestamp(s)
	require.NoError(t, err, s)
	return ts
}

// instant writes a time so that what differs is seen.
func instant(t time.Time) string { return t.Format(time.RFC3339Nano) }

func TestParseTimestamp(t *testing.T) {
	t.Parallel()
	t.Run("reads every form", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct{ in, start, end string }{ // in Europe/Paris, UTC+2 in May
			{"2026-05-01", "2026-04-30T22:00:00Z", "2026-05-01T22:00:00Z"},
			{"2026-05-01T10:00", "2026-05-01T08:00:00Z", "2026-05-01T08:01:00Z"},
			{"2026-05-01T10:00:00", "2026-05-01T08:00:00Z", "2026-05-01T08:00:01Z"},
			{"2026-05-01 10:00:00", "2026-05-01T08:00:00Z", "2026-05-01T08:00:01Z"},
			{"2026-05-01T10:00:00.5", "2026-05-01T08:00:00.5Z", "2026-05-01T08:00:00.6Z"},
			{"2026-05-01T10:00:00.999Z", "2026-05-01T10:00:00.999Z", "2026-05-01T10:00:01Z"},
			{"2026-05-01T10:00:00.123456Z", "2026-05-01T10:00:00.123456Z", "2026-05-01T10:00:00.123457Z"},
			{"2026-05-01T10:00:00.123456789Z", "2026-05-01T10:00:00.123456Z", "2026-05-01T10:00:00.123457Z"},
			{"2026-05-01T10:00:00.999999999", "2026-05-01T08:00:00.999999Z", "2026-05-01T08:00:01Z"},
			{"2026-05-01T10:00Z", "2026-05-01T10:00:00Z", "2026-05-01T10:01:00Z"},
			{"2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-05-01T10:00:01Z"},
			{"2026-05-01t10:00:00z", "2026-05-01T10:00:00Z", "2026-05-01T10:00:01Z"},
			{"2026-05-01 10:00:00z", "2026-05-01T10:00:00Z", "2026-05-01T10:00:01Z"},
			{"2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00Z", "2026-05-01T08:00:01Z"},
			{"2026-05-01T10:00:00-0530", "2026-05-01T15:30:00Z", "2026-05-01T15:30:01Z"},
			{"2026-05-01T10:00:00+02", "2026-05-01T08:00:00Z", "2026-05-01T08:00:01Z"},
			{"2026-05-01T10:00:00-00:00", "2026-05-01T10:00:00Z", "2026-05-01T10:00:01Z"},
			{"2026-05-01T10:00:00+18:00", "2026-04-30T16:00:00Z", "2026-04-30T16:00:01Z"},
			{"2026-05-01T10:00:00-18:00", "2026-05-02T04:00:00Z", "2026-05-02T04:00:01Z"},
			{"2024-02-29", "2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z"},
			{"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2000-02-29T00:00:01Z"},
			{"2026-12-31T23:59:59.999Z", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"},
		} {
			ts := parse(t, c.in)
			require.Equal(t, c.start, instant(ts.In(zone(t, "Europe/Paris"))), c.in)
			require.Equal(t, c.end, instant(ts.EndOfUnit().In(zone(t, "Europe/Paris"))), c.in)
			hasOffset := strings.ContainsAny(c.in, "Zz+") || strings.Contains(c.in, "00-")
			require.Equal(t, hasOffset, ts.HasOffset(), c.in)
		}
	})
	t.Run("refuses everything else", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"", "0", "1746093600", "now", "2026", "2026-05", "2026-5-1", "20260501", "2026/05/01", "01-05-2026", "2026-05-01Z", "2026-05-01+02:00", "2026-W18-5", "2026-121",
			"2026-02-30", "2026-02-29", "1900-02-29", "2026-04-31", "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "0000-01-01", "-001-01-01", "+2026-05-01", "12026-05-01",
			"2026-05-01T", "2026-05-01T10", "2026-05-01T10Z", "2026-05-01T10:", "2026-05-01T10:0", "2026-05-01T1:00", "2026-05-01T10:00:", "2026-05-01T10:00:0", "2026-05-01T1000",
			"2026-05-01T24:00:00Z", "24:00:00", "2026-05-01T24:00", "2026-05-01T25:00:00Z", "2026-05-01T10:60:00Z", "2026-05-01T10:00:60Z", "2016-12-31T23:59:60Z",
			"2026-05-01T10:00:00.", "2026-05-01T10:00:00.Z", "2026-05-01T10:00:00,5Z", "2026-05-01T10:00:00.1234567890Z", "2026-05-01T10:00.5Z",
			"2026-05-01T10:00:00+25:00", "2026-05-01T10:00:00+18:01", "2026-05-01T10:00:00-18:01", "2026-05-01T10:00:00+02:60", "2026-05-01T10:00:00+2", "2026-05-01T10:00:00+02:",
			"2026-05-01T10:00:00+02:0", "2026-05-01T10:00:00+020", "2026-05-01T10:00:00+", "2026-05-01T10:00:00+02:00:00", "2026-05-01T10:00:00ZZ", "2026-05-01T10:00:00Z+02:00",
			"2026-05-01T10:00:00−02:00", "2026-05-01T10:00:00 UTC", "2026-05-01T10:00:00[Europe/Paris]", "2026-05-01  10:00:00", "2026-05-01_10:00:00", "2026-05-01\t10:00:00",
			" 2026-05-01", "2026-05-01 ", "2026-05-01T10:00:00Z ", "2026-05-01\n", "2026-05-01T10:00:00\x00", "２０２６-05-01", "Fri, 01 May 2026 10:00:00 GMT",
			strings.Repeat("2026-05-01T", 1000),
		} {
			_, err := model.ParseTimestamp(s)
			requireCode(t, model.CodeInvalidTimestamp, err, s)
		}
	})
	t.Run("never reads an offset whose + became a space as a time", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"2026-05-01T00:00:00+02:00", "2026-05-01T00:00+02:00", "2026-05-01t00:00:00.5+0200", "2026-05-01T00:00:00+02", "2026-05-01 00:00:00+02:00", "2026-05-01+02:00",
		} {
			_, err := model.ParseTimestamp(strings.ReplaceAll(s, "+", " "))
			requireCode(t, model.CodeInvalidTimestamp, err, s)
			require.Contains(t, err.Error(), "%2B")
		}
		for _, s := range []string{"2026-05-01 0200", "2026-05-01 02"} {
			_, err := model.ParseTimestamp(s)
			requireCode(t, model.CodeInvalidTimestamp, err, s)
		}
	})
}

// TestTimestamp_In has what is special about single zones; TestTimestamp_In_everywhere has the rules.
func TestTimestamp_In(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zone, in, start, end string }{
		{"a day that begins at 01:00", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"a day that begins at 01:00", "Asia/Beirut", "2024-03-31", "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z"},
		{"a day that begins at 01:00", "Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"},
		{"a day that begins at 00:30", "America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"},
		{"a day whose midnight comes twice", "America/Havana", "2024-11-03", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"},
		{"a day that is left and entered again", "America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"},
		{"a day before one whose first hour was skipped", "America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		{"a day of 25 hours", "Europe/Paris", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"a day that does not exist", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"the day before it", "Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"a time of a day that does not exist", "Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00:00Z", "2011-12-30T22:01:00Z"},
		{"a skipped time", "Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", "2026-03-29T01:30:01Z"},
		{"the last second before a skip", "Europe/Paris", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"},
		{"a time that comes twice", "Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T00:30:01Z"},
		{"the last second that comes twice", "Europe/Paris", "2026-10-25T02:59:59", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z"},
		{"local mean time", "Europe/Paris", "1850-01-01", "1849-12-31T23:50:39Z", "1850-01-01T23:50:39Z"},
		{"years to come", "America/New_York", "2150-07-01", "2150-07-01T04:00:00Z", "2150-07-02T04:00:00Z"},
		{"the beginning of the calendar", "UTC", "0001-01-01", "0001-01-01T00:00:00.000001Z", "0001-01-02T00:00:00Z"},
		{"before the calendar", "Asia/Tokyo", "0001-01-01T00:00:00", "0001-01-01T00:00:00.000001Z", "0001-01-01T00:00:00.000001Z"},
		{"after the calendar", "America/New_York", "9999-12-31", "9999-12-31T05:00:00Z", "9999-12-31T23:59:59.999999Z"},
	} {
		t.Run(c.name+" in "+c.zone, func(t *testing.T) {
			t.Parallel()
			loc := zone(t, c.zone)
			require.Equal(t, c.start, instant(parse(t, c.in).In(loc)))
			require.Equal(t, c.end, instant(parse(t, c.in).EndOfUnit().In(loc)))
		})
	}
	t.Run("is never the zero time", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+18:00"} {
			require.False(t, parse(t, s).In(time.UTC).IsZero(), s)
		}
		require.False(t, model.AtTime(time.Time{}).In(time.UTC).IsZero())
	})
}

func TestAtTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 10, 0, 0, 123456789, zone(t, "Asia/Tokyo"))
	ts := model.AtTime(at)
	require.True(t, ts.HasOffset())
	require.Equal(t, "2026-05-01T01:00:00.123456Z", instant(ts.In(zone(t, "Europe/Paris"))))
	require.Equal(t, ts.In(time.UTC), ts.EndOfUnit().In(time.UTC))
}

func TestCheckOccurredAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{now, now.Add(24 * time.Hour), time.Unix(0, 0), now.AddDate(-30, 0, 0)} {
		require.NoError(t, model.CheckOccurredAt(at, now), at)
	}
	for _, at := range []time.Time{now.Add(24*time.Hour + time.Microsecond), now.Add(25 * time.Hour), time.Unix(0, -1), parse(t, "1969-12-31").In(time.UTC), {}} {
		requireCode(t, model.CodeInvalidTimestamp, model.CheckOccurredAt(at, now), at.String())
	}
}

func TestFormatMillis(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2023-01-31T23:59:59.000Z", model.FormatMillis(time.Date(2023, 1, 31, 23, 59, 59, 0, time.UTC)))
	require.Equal(t, "2023-01-31T22:59:59.999Z", model.FormatMillis(time.Date(2023, 1, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600))))
}

// rfc3339 is its grammar, to which the standard library does not keep strictly.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)

func FuzzParseTimestamp(f *testing.F) {
	for _, s := range []string{
		"2026-05-01", "2026-05-01T10:00", "2026-05-01T10:00:00Z", "2026-05-01t10:00:00.123456789+02:00", "2026-05-01 10:00:00-0530", "2026-05-01T00:00:00 02:00",
		"2026-02-30", "2026-05-01T24:00:00Z", "2026-05-01T10:00:00+25:00", "0001-01-01T00:00:00+18:00", "9999-12-31", "2018-11-04", "2011-12-30", "9920-12-31", "2026-05-01T0:00:00Z", "",
	} {
		f.Add(s)
	}
	zones := []*time.Location{time.UTC, zone(f, "America/Sao_Paulo"), zone(f, "Pacific/Apia"), zone(f, "America/St_Johns")}
	f.Fuzz(func(t *testing.T, s string) {
		ts, err := model.ParseTimestamp(s)
		rfc, rfcErr := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			requireCode(t, model.CodeInvalidTimestamp, err, s)
			// The standard library also reads offsets beyond 18 hours, and the year 0.
			if rfcErr == nil && rfc3339.MatchString(s) && rfc.Year() > 0 {
				_, offset := rfc.Zone()
				require.Greater(t, max(offset, -offset), 18*3600, s)
			}
			return
		}
		require.LessOrEqual(t, len(s), 35)
		for _, loc := range zones {
			start, end := ts.In(loc), ts.EndOfUnit().In(loc)
			require.False(t, start.IsZero() || end.IsZero() || end.Before(start), s)
			require.True(t, start.Year() >= 1 && end.Year() <= 9999, s)
			require.Equal(t, start, start.UTC().Truncate(time.Microsecond))
		}
		if start := ts.In(time.UTC); rfcErr == nil && rfc.UTC().Year() >= 1 && start.Nanosecond() != 1000 && rfc.UTC().Year() <= 9999 {
			require.True(t, start.Equal(rfc.Truncate(time.Microsecond)), s)
		}
	})
}

func BenchmarkParseTimestamp(b *testing.B) {
	for name, s := range map[string]string{"date": "2026-05-01", "instant": "2026-05-01T10:00:00.123Z"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := model.ParseTimestamp(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTimestamp_In(b *testing.B) {
	loc := zone(b, "America/New_York")
	for name, s := range map[string]string{"date": "2026-05-01", "local": "2026-05-01T10:00:00", "instant": "2026-05-01T10:00:00Z"} {
		ts := parse(b, s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = ts.In(loc)
			}
		})
	}
}
