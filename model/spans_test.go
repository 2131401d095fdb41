package model_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

func TestNewSpans(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 5, day, hour, minute, 0, 0, time.UTC) }

	t.Run("takes whole days, then whole hours, then the rest", func(t *testing.T) {
		t.Parallel()
		got := model.NewSpans(model.Range{From: at(1, 22, 30), To: at(4, 1, 15)}, nil)
		require.Equal(t, model.Spans{
			Days:  []model.Range{{From: at(2, 0, 0), To: at(4, 0, 0)}},
			Hours: []model.Range{{From: at(1, 23, 0), To: at(2, 0, 0)}, {From: at(4, 0, 0), To: at(4, 1, 0)}},
			Rest:  []model.Range{{From: at(1, 22, 30), To: at(1, 23, 0)}, {From: at(4, 1, 0), To: at(4, 1, 15)}},
		}, got)
	})

	t.Run("needs only days for all time", func(t *testing.T) {
		t.Parallel()
		got := model.NewSpans(model.Range{}, nil)
		require.Len(t, got.Days, 1)
		require.Empty(t, got.Hours)
		require.Empty(t, got.Rest)
	})

	t.Run("has nothing of an empty range", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, model.Spans{}, model.NewSpans(model.Range{From: at(1, 1, 1), To: at(1, 1, 1)}, nil))
	})

	t.Run("has each instant once, and nothing on both sides of a cut", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			moment := rapid.Custom(func(t *rapid.T) time.Time {
				unit := rapid.SampledFrom([]time.Duration{time.Microsecond, 15 * time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
				return at(1, 0, 0).Add(time.Duration(rapid.Int64Range(0, int64(8*24*time.Hour)).Draw(t, "at"))).Truncate(unit)
			})
			r := model.Range{From: moment.Draw(t, "from"), To: moment.Draw(t, "to")}
			cuts := rapid.SliceOfN(moment, 0, 5).Draw(t, "cuts")
			slices.SortFunc(cuts, time.Time.Compare)
			s := model.NewSpans(r, cuts)
			for probe := at(1, 0, 0); probe.Before(at(10, 0, 0)); probe = probe.Add(15 * time.Minute) {
				found := 0
				for unit, ranges := range map[time.Duration][]model.Range{24 * time.Hour: s.Days, time.Hour: s.Hours, 1: s.Rest} {
					for _, part := range ranges {
						require.Equal(t, part, model.Range{From: part.From.Truncate(unit), To: part.To.Truncate(unit)})
						if probe.Before(part.From) || !probe.Before(part.To) {
							continue
						}
						found++
						for _, cut := range cuts {
							start := probe.Truncate(unit)
							within := cut.After(start) && cut.Before(start.Add(unit)) && cut.After(r.From) && cut.Before(r.To)
							require.False(t, within, "%v is on both sides of %v", start, cut)
						}
					}
				}
				inside := !probe.Before(r.From) && probe.Before(r.To)
				require.Equal(t, inside, found == 1, "%v", probe)
				require.LessOrEqual(t, found, 1)
			}
		})
	})
}
