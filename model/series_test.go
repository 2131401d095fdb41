package model_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestNewRevenueOverTimeQuery(t *testing.T) {
	t.Parallel()
	site := model.Website{Timezone: "Europe/Berlin", Currency: "USD"}
	from, to := parse(t, "2026-05-01"), parse(t, "2026-05-02")

	t.Run("reads the range in the website's zone", func(t *testing.T) {
		t.Parallel()
		q, err := model.NewRevenueOverTimeQuery(site, &model.TimeRange{From: &from}, nil, model.IntervalWeek, noon)
		require.NoError(t, err)
		require.Equal(t, model.RevenueOverTimeQuery{
			RevenueQuery: model.RevenueQuery{Range: model.Range{From: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC)}}, Interval: model.IntervalWeek, Now: noon,
		}, q)
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		for _, i := range []model.Interval{"", "day", "YEAR"} {
			_, err := model.NewRevenueOverTimeQuery(site, &model.TimeRange{From: &to, To: &from}, nil, i, noon)
			requireFault(t, model.CodeInvalidRange, "range", err)
			require.Len(t, model.AsError(err).Others, 1)
			requireFault(t, model.CodeInvalidField, "interval", model.AsError(err).Others[0])
		}
	})
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0001-01-01", "2024-02-29", "9999-12-31"} {
		date, err := model.ParseDate(s)
		require.NoError(t, err)
		require.Equal(t, s, date.String())
	}
	for _, s := range []string{"", "0000-12-31", "2026-02-29", "2026-5-1", "2026-05-01T00:00:00Z", "10000-01-01", "-001-01-01", " 2026-05-01"} {
		_, err := model.ParseDate(s)
		requireCode(t, model.CodeInvalidTimestamp, err, s)
	}
}
