package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

const revenueOverTime = `query ($range: TimeRange!, $interval: Interval!) {
	revenueOverTime(range: $range, interval: $interval) { start date revenue { net { amount } charges } }
	revenue(range: $range) { net { amount } charges }
}`

// series lists the intervals of a range, which is written as "from/to", as "date start net".
func (b *bundle) series(interval, in string) []string {
	b.t.Helper()
	from, to, _ := strings.Cut(in, "/")
	span := vars{}
	if from != "" {
		span["from"] = from
	}
	if to != "" {
		span["to"] = to
	}
	got := b.ask(revenueOverTime, vars{"range": span, "interval": interval})
	texts, sum, charges := []string{}, model.NewSum("USD"), 0.0
	for _, bucket := range got.at("revenueOverTime").([]any) {
		n := node{bucket}
		net := n.at("revenue.net.amount").(string)
		part, err := model.ParseSum(strings.Replace(net, ".", "", 1), "USD")
		require.NoError(b.t, err)
		sum, charges = sum.Add(part), charges+n.at("revenue.charges").(float64)
		texts = append(texts, fmt.Sprint(n.at("date"), " ", n.at("start"), " ", net))
	}
	require.Equal(b.t, []any{got.at("revenue.net.amount"), got.at("revenue.charges")}, []any{string(sum.Amount()), charges}, "the intervals add up")
	return texts
}

// placed is a website in a zone, with payments of 1, 2, 4, … USD at the given times.
func (b *bundle) placed(t *testing.T, zone string, at ...string) *bundle {
	t.Helper()
	other := b.another(t)
	other.site = b.website(model.Website{Timezone: zone})
	other.key = other.websiteKey(other.site)
	for i, occurred := range at {
		other.pay(fmt.Sprint("t", i), vars{"amount": 1 << i, "occurredAt": occurred})
	}
	return other
}

func TestRevenueOverTime(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	for _, c := range []struct {
		name, zone   string
		at           []string
		interval, in string
		want         []string
	}{
		{
			"a day of 23 hours", "Europe/Berlin",
			[]string{"2026-03-28T22:59:59.999999Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z", "2026-03-29T22:00:00Z"}, "DAY", "2026-03-28T00:00:00+01:00/2026-04-01T00:00:00+02:00",
			[]string{"2026-03-28 2026-03-27T23:00:00Z 1.00", "2026-03-29 2026-03-28T23:00:00Z 6.00", "2026-03-30 2026-03-29T22:00:00Z 8.00", "2026-03-31 2026-03-30T22:00:00Z 0.00"},
		},
		{
			"a day of 25 hours", "Europe/Berlin",
			[]string{"2025-10-25T22:00:00Z", "2025-10-26T22:59:59.999999Z", "2025-10-26T23:00:00Z"}, "DAY", "2025-10-26T00:00:00+02:00/2025-10-28T00:00:00+01:00",
			[]string{"2025-10-26 2025-10-25T22:00:00Z 3.00", "2025-10-27 2025-10-26T23:00:00Z 4.00"},
		},
		{
			"hours of a day when clocks go back", "Europe/Berlin",
			[]string{"2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z", "2025-10-26T02:00:00Z"}, "HOUR", "2025-10-26T00:00:00Z/2025-10-26T03:00:00Z",
			[]string{"2025-10-26 2025-10-26T00:00:00Z 1.00", "2025-10-26 2025-10-26T01:00:00Z 2.00", "2025-10-26 2025-10-26T02:00:00Z 4.00"},
		},
		{
			"a day without midnight", "America/Sao_Paulo",
			[]string{"2018-11-04T02:59:59.999999Z", "2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999999Z", "2018-11-05T02:00:00Z"}, "DAY", "2018-11-03T03:00:00Z/2018-11-06T02:00:00Z",
			[]string{"2018-11-03 2018-11-03T03:00:00Z 1.00", "2018-11-04 2018-11-04T03:00:00Z 6.00", "2018-11-05 2018-11-05T02:00:00Z 8.00"},
		},
		{
			"an offset of 5:45", "Asia/Kathmandu",
			[]string{"2026-05-01T18:14:59.999999Z", "2026-05-01T18:15:00Z"}, "DAY", "2026-05-01T00:00:00+05:45/2026-05-03T00:00:00+05:45",
			[]string{"2026-05-01 2026-04-30T18:15:00Z 1.00", "2026-05-02 2026-05-01T18:15:00Z 2.00"},
		},
		{
			"half an hour skipped", "Australia/Lord_Howe",
			[]string{"2025-10-04T15:29:59Z", "2025-10-04T15:30:00Z", "2025-10-04T16:00:00Z"}, "HOUR", "2025-10-04T14:30:00Z/2025-10-04T17:00:00Z",
			[]string{"2025-10-05 2025-10-04T14:30:00Z 1.00", "2025-10-05 2025-10-04T15:30:00Z 2.00", "2025-10-05 2025-10-04T16:00:00Z 4.00"},
		},
		{
			"half an hour that comes twice", "Australia/Lord_Howe",
			[]string{"2026-04-04T14:59:59Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"}, "HOUR", "2026-04-04T14:00:00Z/2026-04-04T16:30:00Z",
			[]string{"2026-04-05 2026-04-04T14:00:00Z 1.00", "2026-04-05 2026-04-04T15:00:00Z 2.00", "2026-04-05 2026-04-04T15:30:00Z 4.00"},
		},
		{
			"a day that does not exist", "Pacific/Apia",
			[]string{"2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z"}, "DAY", "2011-12-29T10:00:00Z/2011-12-31T10:00:00Z",
			[]string{"2011-12-29 2011-12-29T10:00:00Z 1.00", "2011-12-31 2011-12-30T10:00:00Z 2.00"},
		},
		{
			"weeks across a year's end", "Europe/Berlin",
			[]string{"2024-12-29T22:59:59Z", "2024-12-29T23:00:00Z", "2025-01-01T12:00:00Z", "2025-01-05T23:00:00Z"}, "WEEK", "2024-12-28T00:00:00+01:00/2025-01-07T00:00:00+01:00",
			[]string{"2024-12-23 2024-12-22T23:00:00Z 1.00", "2024-12-30 2024-12-29T23:00:00Z 6.00", "2025-01-06 2025-01-05T23:00:00Z 8.00"},
		},
		{
			"months", "Europe/Berlin",
			[]string{"2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"}, "MONTH", "2025-12-15T00:00:00Z/2026-04-15T00:00:00Z",
			[]string{"2025-12-01 2025-11-30T23:00:00Z 1.00", "2026-01-01 2025-12-31T23:00:00Z 2.00", "2026-02-01 2026-01-31T23:00:00Z 0.00", "2026-03-01 2026-02-28T23:00:00Z 4.00", "2026-04-01 2026-03-31T22:00:00Z 8.00"},
		},
		{
			"a range that cuts its intervals", "UTC",
			[]string{"2026-05-01T11:59:59Z", "2026-05-01T12:00:00Z", "2026-05-02T11:59:59Z", "2026-05-02T12:00:00Z"}, "DAY", "2026-05-01T12:00:00Z/2026-05-02T12:00:00Z",
			[]string{"2026-05-01 2026-05-01T00:00:00Z 2.00", "2026-05-02 2026-05-02T00:00:00Z 4.00"},
		},
		{"an empty range", "UTC", []string{"2026-05-01T12:00:00Z"}, "DAY", "2026-05-01T12:00:00Z/2026-05-01T12:00:00Z", []string{}},
		{"an open start", "UTC", []string{"2026-05-02T12:00:00Z"}, "DAY", "/2026-05-04T00:00:00Z", []string{"2026-05-02 2026-05-02T00:00:00Z 1.00", "2026-05-03 2026-05-03T00:00:00Z 0.00"}},
		{"an open start after the end", "UTC", []string{"2026-05-02T12:00:00Z"}, "DAY", "/2026-05-02T00:00:00Z", []string{}},
		{"an open end", "UTC", []string{"2026-05-18T12:00:00Z"}, "DAY", "2026-05-18T13:00:00Z/", []string{"2026-05-18 2026-05-18T00:00:00Z 0.00", "2026-05-19 2026-05-19T00:00:00Z 0.00", "2026-05-20 2026-05-20T00:00:00Z 0.00"}},
		{"an open end and a payment that is ahead", "UTC", []string{"2026-05-20T12:00:00Z", "2026-05-21T00:00:00Z"}, "DAY", "2026-05-20T00:00:00Z/", []string{"2026-05-20 2026-05-20T00:00:00Z 1.00", "2026-05-21 2026-05-21T00:00:00Z 2.00"}},
		{"two open ends", "UTC", []string{"2026-03-31T12:00:00Z"}, "MONTH", "/", []string{"2026-03-01 2026-03-01T00:00:00Z 1.00", "2026-04-01 2026-04-01T00:00:00Z 0.00", "2026-05-01 2026-05-01T00:00:00Z 0.00"}},
		{"two open ends of nothing", "UTC", nil, "HOUR", "/", []string{}},
		{"an open start of nothing", "UTC", nil, "HOUR", "/2026-05-20T00:00:00Z", []string{}},
	} {
		t.Run(c.interval+": "+c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, shared.placed(t, c.zone, c.at...).series(c.interval, c.in))
		})
	}
}

func TestRevenueOverTime_fields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("u1", vars{"amount": "10.50", "occurredAt": "2026-05-01T10:00:00Z"})
	b.pay("u2", vars{"amount": "5", "renewal": true, "occurredAt": "2026-05-02T10:00:00Z"})
	b.refund("u3", "u1", vars{"amount": "0.5", "occurredAt": "2026-05-02T10:00:00Z"})
	b.pay("j1", vars{"amount": "1000", "currency": "JPY", "occurredAt": "2026-05-02T10:00:00Z"})
	b.pay("trial", vars{"amount": "9", "freeTrial": true, "occurredAt": "2026-05-02T10:00:00Z"})
	b.placed(t, "UTC", "2026-05-01T10:00:00Z") // of another website

	got := b.ask(`{ revenueOverTime(range: {from: "2026-05-01T00:00:00Z", to: "2026-05-04T00:00:00Z"}) { date revenue `+revenueFields+` }
		first: revenue(range: {from: "2026-05-01T00:00:00Z", to: "2026-05-02T00:00:00Z"}) `+revenueFields+`
		second: revenue(range: {from: "2026-05-02T00:00:00Z", to: "2026-05-03T00:00:00Z"}) `+revenueFields+`
		third: revenue(range: {from: "2026-05-03T00:00:00Z", to: "2026-05-04T00:00:00Z"}) `+revenueFields+` }`, nil)
	require.Equal(t, []any{"2026-05-01", "2026-05-02", "2026-05-03"}, got.each("revenueOverTime", "date"), "days by default")
	require.Equal(t, []any{got.at("first"), got.at("second"), got.at("third")}, got.each("revenueOverTime", "revenue"))
	require.Equal(t, []any{"10.50", "4.50", "0.00"}, got.each("revenueOverTime", "revenue.net.amount"))
}

func TestRevenueOverTime_refused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.pay("old", vars{"occurredAt": "1990-01-01T00:00:00Z"})
	day := func(n int) string {
		return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.RFC3339)
	}
	for _, test := range []struct{ interval, from, to, code, field string }{
		{"DAY", day(0), day(2000), "", ""},
		{"DAY", day(0), day(2001), "TOO_MANY_ITEMS", "range"},
		{"HOUR", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "TOO_MANY_ITEMS", "range"},
		{"MONTH", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "TOO_MANY_ITEMS", "range"},
		{"DAY", "", day(0), "TOO_MANY_ITEMS", "range"},
		{"DAY", day(0), "", "TOO_MANY_ITEMS", "range"},
		{"DAY", day(1), day(0), "INVALID_RANGE", "range"},
		{"day", day(0), day(1), "INVALID_FIELD", "interval"},
	} {
		in := vars{}
		if test.from != "" {
			in["from"] = test.from
		}
		if test.to != "" {
			in["to"] = test.to
		}
		data, faults := b.query(b.key, `query ($in: TimeRange!, $interval: Interval!) { revenueOverTime(range: $in, interval: $interval) { date } }`, vars{"in": in, "interval": test.interval})
		if test.code == "" {
			require.Empty(t, faults)
			require.Len(t, data.at("revenueOverTime"), 2000)
			continue
		}
		require.Len(t, faults, 1, test)
		require.Equal(t, []any{test.code, test.field}, []any{faults[0].Extensions.Code, faults[0].Extensions.Field}, test)
	}
	fault := b.refused(`{ revenueOverTime(range: {}, interval: HOUR) { date } }`, nil)
	require.Contains(t, fault.Message, "2000")
	require.Contains(t, fault.Message, "range")
	require.Contains(t, fault.Message, "interval")
}

// TestRevenueOverTime_statements counts the SQL statements: one for the sums, one for the ends of the
// range if they are open, and those that every operation needs.
func TestRevenueOverTime_statements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		b.pay(fmt.Sprint("t", i), vars{"occurredAt": fmt.Sprintf("2026-0%d-01T00:00:00Z", i+1)})
	}
	count := func(query string) int64 {
		before := b.statements.Load()
		b.ask(query, nil)
		return b.statements.Load() - before
	}
	one := count(`{ revenue { net { amount } } }`)
	const over = `{ revenueOverTime(range: {%s}, interval: %s) { start date revenue ` + revenueFields + ` } }`
	var closed, open []int64
	for _, interval := range []string{"MONTH", "WEEK", "DAY"} {
		closed = append(closed, count(fmt.Sprintf(over, `from: "2026-01-01T00:00:00Z", to: "2026-05-01T00:00:00Z"`, interval)))
		open = append(open, count(fmt.Sprintf(over, ``, interval)))
	}
	require.Equal(t, slices.Repeat([]int64{one}, 3), closed)
	require.Equal(t, slices.Repeat([]int64{one + 1}, 3), open)
}

func TestRevenueOverTime_several(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ask := func(series int) []fault {
		query := "{"
		for i := range series {
			query += fmt.Sprintf(` a%d: revenueOverTime(range: {from: "2026-01-01T00:00:00Z", to: "2026-03-25T00:00:00Z"}, interval: HOUR) { start }`, i)
		}
		_, faults := b.query(b.key, query+" }", nil)
		return faults
	}
	require.Empty(t, ask(3))
	faults := ask(4)
	require.NotEmpty(t, faults)
	require.Equal(t, "TOO_MANY_ITEMS", faults[0].Extensions.Code)
	require.Contains(t, faults[0].Message, "6000 intervals")
	require.Empty(t, ask(3), "each query for itself")
}
