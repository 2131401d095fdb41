package model_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// buckets splits a range, whose ends are timestamps, and writes the intervals as "date start".
func buckets(t *testing.T, i model.Interval, zoneName, from, to string) []string {
	t.Helper()
	loc := zone(t, zoneName)
	all, err := i.Buckets(model.Range{From: parse(t, from).In(loc), To: parse(t, to).In(loc)}, loc)
	require.NoError(t, err)
	texts := []string{}
	for _, b := range all {
		require.Equal(t, time.UTC, b.Start.Location())
		texts = append(texts, b.Date.String()+" "+b.Start.Format("01-02T15:04"))
	}
	return texts
}

// TestInterval_Buckets has what is special about single zones; TestInterval_Buckets_everywhere has the rules.
func TestInterval_Buckets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		interval       model.Interval
		zone, from, to string
		want           []string
	}{
		{"a day of 23 hours", model.IntervalDay, "Europe/Berlin", "2026-03-28", "2026-03-31", []string{"2026-03-28 03-27T23:00", "2026-03-29 03-28T23:00", "2026-03-30 03-29T22:00"}},
		{"a day of 25 hours", model.IntervalDay, "Europe/Berlin", "2026-10-24", "2026-10-27", []string{"2026-10-24 10-23T22:00", "2026-10-25 10-24T22:00", "2026-10-26 10-25T23:00"}},
		{"a day that begins at 01:00", model.IntervalDay, "America/Sao_Paulo", "2018-11-03", "2018-11-06", []string{"2018-11-03 11-03T03:00", "2018-11-04 11-04T03:00", "2018-11-05 11-05T02:00"}},
		{"an offset of 5:45", model.IntervalDay, "Asia/Kathmandu", "2026-05-01", "2026-05-03", []string{"2026-05-01 04-30T18:15", "2026-05-02 05-01T18:15"}},
		{"a day that does not exist", model.IntervalDay, "Pacific/Apia", "2011-12-29", "2012-01-01", []string{"2011-12-29 12-29T10:00", "2011-12-31 12-30T10:00"}},
		{"no part of a day that does not exist", model.IntervalDay, "Pacific/Apia", "2011-12-30", "2011-12-31", []string{}},
		{"a day that is left and entered again", model.IntervalDay, "America/St_Johns", "2010-11-06", "2010-11-08", []string{"2010-11-06 11-06T02:30", "2010-11-07 11-07T02:30"}},
		{"a range within a day that was entered again", model.IntervalDay, "America/St_Johns", "2010-11-07T03:00:00Z", "2010-11-07T04:00:00Z", []string{"2010-11-07 11-07T02:30"}},
		{"a range that cuts days", model.IntervalDay, "Europe/Berlin", "2026-05-01T12:00", "2026-05-02T00:00:01", []string{"2026-05-01 04-30T22:00", "2026-05-02 05-01T22:00"}},
		{"a range that ends with a day", model.IntervalDay, "Europe/Berlin", "2026-05-01T23:59:59", "2026-05-02", []string{"2026-05-01 04-30T22:00"}},
		{"an empty range", model.IntervalDay, "Europe/Berlin", "2026-05-01", "2026-05-01", []string{}},
		{"a skipped hour", model.IntervalHour, "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T04:00", []string{"2026-03-29 03-29T00:00", "2026-03-29 03-29T01:00"}},
		{"an hour that comes twice", model.IntervalHour, "Europe/Berlin", "2026-10-25T02:00", "2026-10-25T04:00", []string{"2026-10-25 10-25T00:00", "2026-10-25 10-25T01:00", "2026-10-25 10-25T02:00"}},
		{"half an hour skipped", model.IntervalHour, "Australia/Lord_Howe", "2026-10-04T01:00", "2026-10-04T04:00", []string{"2026-10-04 10-03T14:30", "2026-10-04 10-03T15:30", "2026-10-04 10-03T16:00"}},
		{"half an hour that comes twice", model.IntervalHour, "Australia/Lord_Howe", "2026-04-05T01:00", "2026-04-05T03:00", []string{"2026-04-05 04-04T14:00", "2026-04-05 04-04T15:00", "2026-04-05 04-04T15:30"}},
		{"hours at a quarter to", model.IntervalHour, "Asia/Kathmandu", "2026-05-01", "2026-05-01T01:00:01", []string{"2026-05-01 04-30T18:15", "2026-05-01 04-30T19:15"}},
		{"hours of a day that is left and entered again", model.IntervalHour, "America/St_Johns", "2010-11-07", "2010-11-07T05:30:00Z", []string{
			"2010-11-07 11-07T02:30", "2010-11-07 11-07T02:31", "2010-11-07 11-07T03:30", "2010-11-07 11-07T04:30",
		}},
		{"a range that cuts hours", model.IntervalHour, "UTC", "2026-05-01T10:59:59", "2026-05-01T11:00:01", []string{"2026-05-01 05-01T10:00", "2026-05-01 05-01T11:00"}},
		{"weeks across a year's end", model.IntervalWeek, "Europe/Berlin", "2026-12-21", "2027-01-11", []string{"2026-12-21 12-20T23:00", "2026-12-28 12-27T23:00", "2027-01-04 01-03T23:00"}},
		{"a week of which the range has Sunday", model.IntervalWeek, "Europe/Berlin", "2023-01-01", "2023-01-02", []string{"2022-12-26 12-25T23:00"}},
		{"a week without its Friday", model.IntervalWeek, "Pacific/Apia", "2011-12-31", "2012-01-03", []string{"2011-12-26 12-26T10:00", "2012-01-02 01-01T10:00"}},
		{"months", model.IntervalMonth, "Europe/Berlin", "2024-01-31", "2024-04-01", []string{"2024-01-01 12-31T23:00", "2024-02-01 01-31T23:00", "2024-03-01 02-29T23:00"}},
		{"a month without its last day", model.IntervalMonth, "Pacific/Kiritimati", "1994-12-30", "1995-01-02", []string{"1994-12-01 12-01T10:00", "1995-01-01 12-31T10:00"}},
		{"a leap year far ahead", model.IntervalDay, "Europe/Berlin", "2096-12-30", "2097-01-02", []string{"2096-12-30 12-29T23:00", "2096-12-31 12-30T23:00", "2097-01-01 12-31T23:00"}},
		{"the end of the calendar", model.IntervalMonth, "America/New_York", "9999-11-30", "9999-12-31", []string{"9999-11-01 11-01T04:00", "9999-12-01 12-01T05:00"}},
	} {
		t.Run(string(c.interval)+": "+c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, buckets(t, c.interval, c.zone, c.from, c.to))
		})
	}
	t.Run("at the beginning of the calendar", func(t *testing.T) {
		t.Parallel()
		for _, i := range intervals {
			all, err := i.Buckets(model.Range{From: parse(t, "0001-01-01").In(time.UTC), To: parse(t, "0001-01-01T00:00:01").In(time.UTC)}, zone(t, "America/New_York"))
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Equal(t, 1, all[0].Start.Year())
		}
	})
	t.Run("are at most 2,000", func(t *testing.T) {
		t.Parallel()
		from := parse(t, "2026-01-01").In(time.UTC)
		most := from.Add(model.MaxBuckets * time.Hour)
		all, err := model.IntervalHour.Buckets(model.Range{From: from, To: most}, time.UTC)
		require.NoError(t, err)
		require.Len(t, all, model.MaxBuckets)
		for i, to := range map[model.Interval]time.Time{
			model.IntervalHour: most.Add(1), model.IntervalDay: from.AddDate(0, 0, 2001), model.IntervalMonth: parse(t, "9999-12-31T23:59:59").In(time.UTC),
		} {
			_, err = i.Buckets(model.Range{From: from, To: to}, time.UTC)
			requireFault(t, model.CodeTooManyItems, "range", err)
		}
	})
}

// TestInterval_Buckets_everywhere splits 400 days of every zone, and the days around every change of
// its clocks since 1970, before which nothing was paid.
func TestInterval_Buckets_everywhere(t *testing.T) {
	t.Parallel()
	hours, zones := 0, 0
	forEachZone(t, func(loc *time.Location, changes []time.Time) {
		zones++
		first := parse(t, "2025-12-01").In(time.UTC)
		for day := 0; day < 400; day += 80 { // as many as MaxBuckets allows for hours
			hours += requireIntervals(t, loc, first.AddDate(0, 0, day), first.AddDate(0, 0, day+80))
		}
		for _, year := range []string{"2028", "2096"} { // see offsetEnd
			requireIntervals(t, loc, parse(t, year+"-12-29T12:34:56Z").In(time.UTC), parse(t, year+"-12-31").In(time.UTC).AddDate(0, 0, 2))
		}
		for _, change := range changes {
			if change.Year() >= 1970 {
				requireIntervals(t, loc, change.Add(-25*time.Hour), change.Add(25*time.Hour))
			}
		}
	})
	require.Greater(t, hours, zones*400*24)
}

// requireIntervals splits a range by every interval, compares what each instant of it is in with what
// clocks show, and answers the number of hours.
func requireIntervals(t *testing.T, loc *time.Location, from, to time.Time) int {
	t.Helper()
	split := [][]model.Bucket{}
	for _, i := range intervals {
		all, err := i.Buckets(model.Range{From: from, To: to}, loc)
		require.NoError(t, err)
		if len(all) == 0 || all[0].Start.After(from) || !all[len(all)-1].Start.Before(to) {
			t.Fatalf("%s: the intervals by %s of %s to %s do not begin and end in it", loc, i, from, to)
		}
		for n, b := range all {
			if n > 0 && (!b.Start.After(from) || !b.Start.After(all[n-1].Start)) {
				t.Fatalf("%s: %s %s begins at %s, which is not after the one before", loc, i, b.Date, b.Start)
			}
			if before := b.Start.Add(-time.Microsecond); shown(i, before.In(loc)) == shown(i, b.Start.In(loc)) {
				t.Fatalf("%s: %s %s begins at %s, but clocks do not show that", loc, i, b.Date, b.Start)
			}
		}
		split = append(split, all)
	}
	const step = 30 * time.Minute
	var day, hour [3]int // the latest that clocks have shown: a day that they leave for an hour goes on
	var want [4]model.Date
	var in [4]int
	for at := from.Add(-2 * time.Hour).In(loc); at.Before(to); at = at.Add(step) {
		for _, t := range []time.Time{at.Add(-time.Minute), at} { // some clocks were changed a minute after midnight
			if on := shown(model.IntervalDay, t); slices.Compare(on[:], day[:]) > 0 {
				day = on
				for i, interval := range intervals {
					want[i] = firstDay(interval, day)
				}
			}
		}
		hourBefore, inHour := hour, in[0]
		if hour = shown(model.IntervalHour, at); at.Before(from) {
			continue
		}
		for i, all := range split {
			for in[i]+1 < len(all) && !all[in[i]+1].Start.After(at) {
				in[i]++
			}
			if got := all[in[i]].Date; got != want[i] {
				t.Fatalf("%s: %s is in the %s of %s, want %s", loc, at, intervals[i], got, want[i])
			}
		}
		if at.Add(-step).After(from) && (in[0] != inHour) != (hour != hourBefore) {
			t.Fatalf("%s: another hour begins by %s: %t, but clocks say %t", loc, at, in[0] != inHour, hour != hourBefore)
		}
	}
	return len(split[0])
}

var intervals = []model.Interval{model.IntervalHour, model.IntervalDay, model.IntervalWeek, model.IntervalMonth}

// shown is what clocks show at t that is different in the next interval.
func shown(i model.Interval, t time.Time) [3]int {
	year, month, day := t.Date()
	switch i {
	case model.IntervalHour:
		_, offset := t.Zone()
		return [3]int{offset, day, t.Hour()}
	case model.IntervalWeek:
		year, week := t.ISOWeek()
		return [3]int{year, week}
	case model.IntervalMonth:
		return [3]int{year, int(month)}
	}
	return [3]int{year, int(month), day}
}

// firstDay is the first day of the interval that a date is in.
func firstDay(i model.Interval, date [3]int) model.Date {
	year, month, day := date[0], time.Month(date[1]), date[2]
	switch i {
	case model.IntervalMonth:
		day = 1
	case model.IntervalWeek:
		date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
		for date.Weekday() != time.Monday {
			date = date.AddDate(0, 0, -1)
		}
		year, month, day = date.Date()
	case model.IntervalHour, model.IntervalDay:
	}
	return model.Date{Year: year, Month: month, Day: day}
}

func BenchmarkInterval_Buckets(b *testing.B) {
	loc := zone(b, "America/New_York")
	in := model.Range{From: parse(b, "2024-01-01").In(loc), To: parse(b, "2025-01-01").In(loc)}
	for b.Loop() {
		if _, err := model.IntervalDay.Buckets(in, loc); err != nil {
			b.Fatal(err)
		}
	}
}
