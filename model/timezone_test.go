package model_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestParseTimezone(t *testing.T) {
	t.Parallel()
	t.Run("knows every zone of IANA, and finds it again", func(t *testing.T) {
		t.Parallel()
		for name := range strings.Lines(zoneList) {
			name = strings.TrimSpace(name)
			loc := zone(t, name)
			require.Equal(t, name, loc.String())
			require.Same(t, loc, zone(t, name))
		}
	})
	t.Run("refuses everything else", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{
			"", "Local", "localtime", "Factory", "posixrules", "posix/Europe/Paris", "right/Europe/Paris", "tzdata.zi", "zone.tab", "Europe", "Europe/", "/Europe/Paris",
			"Europe//Paris", "../Europe/Paris", "Europe/../Europe/Paris", "./UTC", "Europe\\Paris", "/etc/localtime", "europe/paris", "utc", "Mars/Olympus", "+02:00", "UTC+2",
			" UTC", "UTC ", "UTC\x00", "Europe/Pariſ", strings.Repeat("A", 65), strings.Repeat("A/", 10_000) + "A",
		} {
			_, err := model.ParseTimezone(name)
			requireCode(t, model.CodeInvalidField, err, name)
		}
	})
}

// TestTimestamp_In_everywhere checks the rules around every change of every zone's clocks from 1880
// to 2030, and that the days of 400 follow one another without a gap.
func TestTimestamp_In_everywhere(t *testing.T) {
	t.Parallel()
	zones, total := 0, 0
	forEachZone(t, func(loc *time.Location, changes []time.Time) {
		zones++
		total += len(changes)
		requireDaysAddUp(t, loc, "2025-12-01", 400)
		for _, year := range []string{"2027", "2028", "2096", "9920"} {
			requireDaysAddUp(t, loc, year+"-12-25", 14)
			for _, clock := range []string{"12-30T12:00:00", "12-31T00:00:00", "12-31T12:34:56", "12-31T23:59:59"} {
				requireReading(t, loc, parse(t, year+"-"+clock).In(time.UTC))
			}
		}
		for _, change := range changes {
			requireRulesAround(t, loc, change)
		}
	})
	require.Greater(t, zones, 250)
	require.Greater(t, total, 10_000)
}

// forEachZone goes through all zones of IANA with the changes of their clocks. Half of the names are
// others for the same zone: what its clocks do is looked at once.
func forEachZone(t *testing.T, do func(loc *time.Location, changes []time.Time)) {
	t.Helper()
	seen := map[string]bool{}
	for name := range strings.Lines(zoneList) {
		loc := zone(t, strings.TrimSpace(name))
		changes, clocks := changesOf(loc)
		if !seen[clocks] {
			seen[clocks] = true
			do(loc, changes)
		}
	}
}

// changesOf lists when the clocks of a zone change, and writes down what they do.
func changesOf(loc *time.Location) (changes []time.Time, clocks string) {
	at := time.Date(1880, 1, 1, 0, 0, 0, 0, time.UTC)
	_, offset := at.In(loc).Zone()
	clocks = fmt.Sprintln(offset)
	for {
		_, next := at.In(loc).ZoneBounds()
		if next.IsZero() {
			return changes, clocks
		}
		if !next.After(at) { // see offsetEnd
			next = at.Add(time.Hour)
		}
		if at = next; at.Year() > 2030 {
			return changes, clocks
		}
		if _, after := at.In(loc).Zone(); after != offset {
			offset = after
			changes = append(changes, at)
			clocks += fmt.Sprintln(at.Unix(), offset)
		}
	}
}

func requireDaysAddUp(t *testing.T, loc *time.Location, first string, days int) {
	t.Helper()
	date := parse(t, first).In(time.UTC)
	reached := parse(t, first).In(loc)
	for range days {
		day := parse(t, date.Format(time.DateOnly))
		if from, to := day.In(loc), day.EndOfUnit().In(loc); !from.Equal(reached) || !to.After(from) {
			t.Fatalf("%s: %s is from %s to %s, but the day before ended at %s", loc, date.Format(time.DateOnly), from, to, reached)
		}
		reached = day.EndOfUnit().In(loc)
		date = date.AddDate(0, 0, 1)
	}
}

// requireRulesAround checks days and times within two days of a change of clocks.
func requireRulesAround(t *testing.T, loc *time.Location, change time.Time) {
	t.Helper()
	date := change.In(loc).AddDate(0, 0, -2)
	for range 4 {
		requireFirstOfDay(t, loc, date.Format(time.DateOnly))
		date = date.AddDate(0, 0, 1)
	}
	_, before := change.Add(-1).In(loc).Zone()
	_, after := change.In(loc).Zone()
	atChange := change.UTC().Add(time.Duration(before) * time.Second)
	skipped := time.Duration(after-before) * time.Second
	for _, wall := range []time.Time{
		atChange.Add(-time.Second), atChange, atChange.Add(time.Second), atChange.Add(skipped / 2).Truncate(time.Second),
		atChange.Add(skipped - time.Second), atChange.Add(skipped), atChange.Add(skipped + time.Second),
	} {
		requireReading(t, loc, wall)
	}
}

// requireFirstOfDay checks that a date is the first instant with a local date not before it.
func requireFirstOfDay(t *testing.T, loc *time.Location, date string) {
	t.Helper()
	got := parse(t, date).In(loc)
	on := got.In(loc).Format(time.DateOnly)
	if before := got.Add(-time.Microsecond).In(loc).Format(time.DateOnly); on < date || before >= date {
		t.Fatalf("%s: %s begins at %s, on %s after %s", loc, date, got, on, before)
	}
}

// requireReading checks that a local time is the first instant at which clocks show it, or as much
// later as clocks skipped.
func requireReading(t *testing.T, loc *time.Location, wall time.Time) {
	t.Helper()
	const layout = "2006-01-02T15:04:05"
	text := wall.Format(layout)
	got := parse(t, text).In(loc)
	first := time.Time{}
	for hours := -48; hours <= 48; hours += 6 { // every offset in use around the time
		_, offset := wall.Add(time.Duration(hours) * time.Hour).In(loc).Zone()
		if at := wall.Add(-time.Duration(offset) * time.Second); at.In(loc).Format(layout) == text && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		change, _ := got.In(loc).ZoneBounds()
		_, before := change.Add(-1).In(loc).Zone()
		first = wall.Add(-time.Duration(before) * time.Second)
		if first.Before(change) {
			t.Fatalf("%s: %s is taken as skipped, but there is no skip before %s", loc, text, got)
		}
	}
	if !got.Equal(first) {
		t.Fatalf("%s: %s is %s, want %s", loc, text, got, first)
	}
}

func FuzzParseTimezone(f *testing.F) {
	for _, s := range []string{"Europe/Paris", "UTC", "Local", "../UTC", "", "posix/UTC", "Etc/GMT-14"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		loc, err := model.ParseTimezone(s)
		if err != nil {
			requireCode(t, model.CodeInvalidField, err, s)
			return
		}
		require.Equal(t, s, loc.String())
		require.NotContains(t, s, "..")
	})
}

func BenchmarkParseTimezone(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.ParseTimezone("America/New_York"); err != nil {
			b.Fatal(err)
		}
	}
}
