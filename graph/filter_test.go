package graph_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// credited is what every query that can be filtered tells of the revenue that is credited to such visits.
func (b *bundle) credited(filter vars) (net string, visitors, payments []any) {
	b.t.Helper()
	got := b.ask(filtered, vars{"range": vars{}, "revenue": filter, "visitors": filter, "payments": filter})
	total, overTime := amounts{}, amounts{}
	total.add(got.at("revenue"))
	for _, bucket := range got.at("revenueOverTime").([]any) {
		overTime.add(node{bucket}.at("revenue"))
	}
	require.Equal(b.t, total, overTime)
	return got.at("revenue.net.amount").(string), got.each("revenueByVisitor.edges", "node.visitor.id"), got.each("payments.edges", "node.transactionId")
}

func TestRevenueFilter(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	b := journey(shared, t)
	b.visit("w", vars{"url": "https://shop.example/?utm_source=news&utm_campaign=spring", "country": "DE", "occurredAt": "2026-04-01T00:00:00Z"})
	b.pay("u", vars{"visitorId": "w", "amount": "50", "occurredAt": "2026-04-23T00:00:00Z"})
	b.pay("nobody's", vars{"amount": "1000"})

	for name, test := range map[string]struct {
		filter             vars
		net                string
		visitors, payments []any
	}{
		"without conditions selects all":       {vars{}, "1150.00", []any{"v", "w"}, []any{"nobody's", "u", "t"}},
		"with a model alone selects all":       {vars{"model": "LINEAR", "windowDays": 1}, "1150.00", []any{"v", "w"}, []any{"nobody's", "u", "t"}},
		"is about the first touch by default":  {vars{"source": "news"}, "150.00", []any{"v", "w"}, []any{"u", "t"}},
		"is about another model if asked":      {vars{"source": "news", "model": "LINEAR"}, "83.34", []any{"w", "v"}, []any{"u", "t"}},
		"is about another window if asked":     {vars{"source": "google.com", "windowDays": 20}, "100.00", []any{"v"}, []any{"t"}},
		"of what nobody has selects nothing":   {vars{"source": "nobody"}, "0.00", []any{}, []any{}},
		"takes all conditions together":        {vars{"source": "news", "utmCampaign": "spring", "country": "de"}, "50.00", []any{"w"}, []any{"u"}},
		"wants them of one visit":              {vars{"source": "news", "channel": "DIRECT", "model": "LINEAR"}, "0.00", []any{}, []any{}},
		"finds visits that have no such thing": {vars{"utmSource": "", "model": "LINEAR"}, "66.66", []any{"v"}, []any{"t"}},
		"finds visits without a country":       {vars{"country": ""}, "100.00", []any{"v"}, []any{"t"}},
		"compares byte by byte":                {vars{"source": "News"}, "0.00", []any{}, []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net, visitors, payments := b.credited(test.filter)
			require.Equal(t, []any{test.net, test.visitors, test.payments}, []any{net, visitors, payments})
		})
	}

	t.Run("lists a payment also where its part is less than a cent", func(t *testing.T) {
		t.Parallel()
		b := journey(shared, t)
		b.pay("cent", vars{"visitorId": "v", "amount": "0.01", "occurredAt": "2026-04-22T00:00:00Z"})
		_, _, payments := b.credited(vars{"source": "direct", "model": "LINEAR"})
		require.Equal(t, []any{"cent", "t"}, payments)
	})

	t.Run("goes with the others of payments and visitors", func(t *testing.T) {
		t.Parallel()
		const query = `query ($p: PaymentFilter, $v: VisitorRevenueFilter) {
			payments(filter: $p, first: 1) { edges { node { transactionId } } pageInfo { hasNextPage endCursor } }
			revenueByVisitor(filter: $v) { edges { node { visitor { id } } } } }`
		got := b.ask(query, vars{"p": vars{"source": "news", "visitorId": "v"}, "v": vars{"source": "news", "minNet": "100"}})
		require.Equal(t, []any{"t"}, got.each("payments.edges", "node.transactionId"))
		require.Equal(t, []any{"v"}, got.each("revenueByVisitor.edges", "node.visitor.id"))
		got = b.ask(query, vars{"p": vars{"source": "news"}, "v": vars{"campaign": "spring"}})
		require.Equal(t, []any{"u"}, got.each("payments.edges", "node.transactionId"))
		require.Equal(t, true, got.at("payments.pageInfo.hasNextPage"))
		require.Equal(t, []any{"w"}, got.each("revenueByVisitor.edges", "node.visitor.id"))
	})

	t.Run("of payments tells nothing of visits to who may not see them", func(t *testing.T) {
		t.Parallel()
		_, secret := b.token(model.Token{WebsiteIDs: []string{b.site.ID}, Scopes: []model.Scope{model.ScopePaymentsRead}})
		for filter, want := range map[string]string{`{model: LINEAR}`: "", `{visitorId: "v"}`: "", `{source: "news"}`: "FORBIDDEN"} {
			_, faults := b.query(secret, `{ payments(websiteId: "`+b.site.ID+`", filter: `+filter+`) { edges { node { id } } } }`, nil)
			if want == "" {
				require.Empty(t, faults)
				continue
			}
			require.Len(t, faults, 1)
			require.Equal(t, want, faults[0].Extensions.Code)
		}
	})

	t.Run("refuses what cannot be", func(t *testing.T) {
		t.Parallel()
		for field, value := range map[string]any{
			"source": "a\u0000", "channel": "email", "country": "DEU", "landingPage": string(slices.Repeat([]byte("a"), 256)), "model": "linear", "windowDays": -1,
		} {
			for _, query := range []string{
				`query ($f: RevenueFilter) { revenue(filter: $f) { charges } }`,
				`query ($f: RevenueFilter) { revenueOverTime(range: {}, filter: $f) { date } }`,
				`query ($f: VisitorRevenueFilter) { revenueByVisitor(filter: $f) { edges { cursor } } }`,
				`query ($f: PaymentFilter) { payments(filter: $f) { edges { cursor } } }`,
			} {
				filter := vars{"os": "Linux"}
				maps.Copy(filter, vars{field: value})
				got := b.refused(query, vars{"f": filter})
				require.Equal(t, []any{"INVALID_FIELD", field}, []any{got.Extensions.Code, got.Extensions.Field}, query)
			}
		}
		got := b.refused(`{ revenueByVisitor(filter: {campaign: "a", utmCampaign: "a"}) { edges { cursor } } }`, nil)
		require.Equal(t, []any{"CONFLICTING_FIELDS", "campaign"}, []any{got.Extensions.Code, got.Extensions.Field})
	})
}
