package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// TestZones asks for the days, weeks and months of 400 days in every time zone: each has what occurred on its days
// by the zone's clocks, and together they are the revenue.
func TestZones(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	zones := clocksOf(t, noon.AddDate(0, 0, -400), noon)
	require.Greater(t, len(zones), 50)
	const clients = 4
	atOnce(clients, func(client int) any {
		for i := client; i < len(zones); i += clients {
			s.on(t, model.Website{AccountID: s.site.AccountID, Timezone: zones[i]}).checkDays(t)
		}
		return nil
	})
}

// clocksOf are time zones whose clocks show all that clocks of any zone show between two times.
func clocksOf(t *testing.T, from, to time.Time) []string {
	t.Helper()
	names, err := os.ReadFile("../../model/testdata/zones.txt")
	require.NoError(t, err)
	zones := map[string]string{}
	for name := range strings.FieldsSeq(string(names)) {
		loc, err := time.LoadLocation(name)
		require.NoError(t, err)
		var clocks strings.Builder
		for at := from; at.Before(to); at = at.Add(time.Hour) {
			_, offset := at.In(loc).Zone()
			fmt.Fprint(&clocks, offset, " ")
		}
		zones[clocks.String()] = name
	}
	return slices.Sorted(maps.Values(zones))
}

// checkDays records payments next to the midnights of 400 days, by turns before and after, and asks for their
// intervals.
func (s *stack) checkDays(t *testing.T) {
	b := &books{currency: "USD", zone: s.site.Location()}
	from, to := noon.AddDate(0, 0, -400), noon
	var sent []map[string]any
	for i := range 400 {
		day := from.AddDate(0, 0, i).In(b.zone)
		midnight := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, b.zone).UTC()
		e := &paid{sentPayment: sentPayment{currency: "USD"}, kind: "CHARGE", minor: int64(1 + i), at: midnight.Add(-time.Duration(i%2) * time.Microsecond)}
		b.facts = append(b.facts, &fact{payment: e})
		sent = append(sent, map[string]any{
			"transactionId": fmt.Sprint("t", i), "currency": "USD", "amount": major(e.minor, "USD"), "occurredAt": e.at.Format(time.RFC3339Nano),
		})
	}
	s.graphql(t, `mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) { results { payload { outcome } } } }`,
		map[string]any{"input": map[string]any{"payments": sent}}, nil)

	in := map[string]any{"from": from.Format(time.RFC3339), "to": to.Format(time.RFC3339)}
	entries := within(b.entries(), from, to)
	for _, interval := range []string{"DAY", "WEEK", "MONTH"} {
		var data struct {
			Revenue         struct{ Net amountNode }
			RevenueOverTime []struct {
				Date    string
				Revenue struct{ Net amountNode }
			}
		}
		s.graphql(t, `query($range: TimeRange!, $interval: Interval!) { revenue(range: $range) { net { amount currency } }
			revenueOverTime(range: $range, interval: $interval) { date revenue { net { amount currency } } } }`, map[string]any{"range": in, "interval": interval}, &data)
		net := func(entries []*paid) (minor int64) {
			for _, e := range entries {
				minor += e.minor
			}
			return minor
		}
		want, got, sum := map[string]string{}, map[string]string{}, int64(0)
		for date, own := range grouped(entries, b.began(interval)) {
			want[date] = major(net(own), "USD")
		}
		for _, bucket := range data.RevenueOverTime {
			sum += minorOf(bucket.Revenue.Net.Amount, 2)
			if bucket.Revenue.Net.Amount != "0.00" {
				got[bucket.Date] = bucket.Revenue.Net.Amount
			}
		}
		require.Equal(t, want, got, "%s in %s", interval, s.site.Timezone)
		require.Equal(t, data.Revenue.Net.Amount, major(sum, "USD"), "%s in %s", interval, s.site.Timezone)
		require.Equal(t, major(net(entries), "USD"), data.Revenue.Net.Amount, s.site.Timezone)
	}
}
