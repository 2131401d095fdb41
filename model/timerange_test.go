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
