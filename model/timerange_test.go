package model_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestTimeRange_In(t *testing.T) {
	t.Parallel()
	paris := zone(t, "Europe/Paris")
	bound := func(s string) *model.Timestamp {
		ts := parse(t, s)
		return &ts
	}
	inclusive := func(s string) *model.Timestamp {
		ts := parse(t, s).EndOfUnit()
		return &ts
	}
	t.Run("is half-open, in UTC", func(t *testing.T) {
		t.Parallel()
		r, err := (&model.TimeRange{From: bound("2026-01-01"), To: bound("2026-02-01T00:00:00Z")}).In(paris)
		require.NoError(t, err)
		require.Equal(t, model.Range{
			From: time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC), To: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		}, r)
	})
	t.Run("leaves ends open that are missing", func(t *testing.T) {
		t.Parallel()
		for _, in := range []*model.TimeRange{nil, {}} {
			r, err := in.In(paris)
			require.NoError(t, err)
			require.Equal(t, model.Range{}, r)
		}
		r, err := (&model.TimeRange{From: bound("2026-01-01")}).In(paris)
		require.NoError(t, err)
		require.True(t, r.To.IsZero() && !r.From.IsZero())
		r, err = (&model.TimeRange{To: bound("2026-01-01")}).In(paris)
		require.NoError(t, err)
		require.True(t, r.From.IsZero() && !r.To.IsZero())
	})
	t.Run("never opens an end that was given", func(t *testing.T) {
		t.Parallel()
		r, err := (&model.TimeRange{To: bound("0001-01-01T00:00:00Z")}).In(paris)
		require.NoError(t, err)
		require.False(t, r.To.IsZero())
	})
	t.Run("may be empty", func(t *testing.T) {
		t.Parallel()
		r, err := (&model.TimeRange{From: bound("2026-01-01"), To: bound("2026-01-01")}).In(paris)
		require.NoError(t, err)
		require.Equal(t, r.From, r.To)
	})
	t.Run("includes the last unit when asked to", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			from, to string
			length   time.Duration
		}{
			{"2026-01-01", "2026-02-01", 32 * 24 * time.Hour}, {"2026-01-01", "2026-01-01", 24 * time.Hour}, {"2026-03-29", "2026-03-29", 23 * time.Hour},
			{"2026-01-01T12:00", "2026-01-01", 12 * time.Hour}, {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", time.Second},
			{"2026-01-01T00:00:00Z", "2026-01-01T00:00:59.999Z", time.Minute},
		} {
			r, err := (&model.TimeRange{From: bound(c.from), To: inclusive(c.to)}).In(paris)
			require.NoError(t, err)
			require.Equal(t, c.length, r.To.Sub(r.From), c.from)
		}
	})
	t.Run("of a day that does not exist is empty", func(t *testing.T) {
		t.Parallel()
		r, err := (&model.TimeRange{From: bound("2011-12-30"), To: inclusive("2011-12-30")}).In(zone(t, "Pacific/Apia"))
		require.NoError(t, err)
		require.Equal(t, r.From, r.To)
	})
	t.Run("refuses to end before it starts", func(t *testing.T) {
		t.Parallel()
		for _, in := range []*model.TimeRange{
			{From: bound("2026-02-01"), To: bound("2026-01-01")},
			{From: bound("2026-02-01"), To: inclusive("2026-01-01")},
			{From: bound("2026-01-02"), To: inclusive("2026-01-01")},
			{From: bound("2026-01-01T00:00:01Z"), To: inclusive("2026-01-01T00:00:00Z")},
			{From: bound("2026-01-01T00:00:00.000001Z"), To: bound("2026-01-01T00:00:00Z")},
		} {
			_, err := in.In(paris)
			requireCode(t, model.CodeInvalidRange, err, "")
		}
	})
}

func TestRange_Closed(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 5, 1, hour, 0, 0, 0, time.UTC) }
	never, now := time.Time{}, at(12)
	for name, c := range map[string]struct {
		in          model.Range
		first, last time.Time
		want        model.Range
	}{
		"both ends given":                       {model.Range{From: at(1), To: at(20)}, at(3), at(4), model.Range{From: at(1), To: at(20)}},
		"an open start":                         {model.Range{To: at(20)}, at(3), at(4), model.Range{From: at(3), To: at(20)}},
		"an open start after the end":           {model.Range{To: at(2)}, at(3), at(4), model.Range{From: at(3), To: at(3)}},
		"an open start of nothing":              {model.Range{To: at(20)}, never, never, model.Range{From: at(20), To: at(20)}},
		"an open end":                           {model.Range{From: at(1)}, at(3), at(4), model.Range{From: at(1), To: now}},
		"an open end of nothing":                {model.Range{From: at(1)}, never, never, model.Range{From: at(1), To: now}},
		"an open end with a payment now":        {model.Range{From: at(1)}, at(3), now, model.Range{From: at(1), To: now.Add(time.Microsecond)}},
		"an open end with a payment to come":    {model.Range{From: at(1)}, at(3), at(13), model.Range{From: at(1), To: at(13).Add(time.Microsecond)}},
		"an open end before the start":          {model.Range{From: at(14)}, at(3), at(13), model.Range{From: at(14), To: at(14)}},
		"two open ends":                         {model.Range{}, at(3), at(4), model.Range{From: at(3), To: now}},
		"two open ends of nothing":              {model.Range{}, never, never, model.Range{From: now, To: now}},
		"two open ends and a payment to come":   {model.Range{}, at(13), at(13), model.Range{From: at(13), To: at(13).Add(time.Microsecond)}},
		"two open ends and one payment, at now": {model.Range{}, now, now, model.Range{From: now, To: now.Add(time.Microsecond)}},
	} {
		require.Equal(t, c.want, c.in.Closed(c.first, c.last, now), name)
	}
}
