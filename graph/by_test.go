package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

const revenueBy = `query ($dimension: Dimension!, $model: AttributionModel, $windowDays: Int, $range: TimeRange, $first: Int, $after: String) {
	revenueBy(dimension: $dimension, model: $model, windowDays: $windowDays, range: $range, first: $first, after: $after) {
		edges { cursor node { key revenue ` + revenueFields + ` visitors payers share revenuePerVisitor { amount } conversionRate } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
		unattributed ` + revenueFields + `
	}
	revenue(range: $range) ` + revenueFields + `
}`

// groups lists groups in short, by source unless the variables say otherwise: key, net revenue, visitors and
// payers, and the net revenue that is credited to none.
func (b *bundle) groups(v vars) []string {
	b.t.Helper()
	if v["dimension"] == nil {
		v["dimension"] = "SOURCE"
	}
	got := b.ask(revenueBy, v)
	texts := []string{}
	for _, edge := range got.at("revenueBy.edges").([]any) {
		g := node{node{edge}.at("node")}
		texts = append(texts, fmt.Sprint(g.at("key"), " ", g.at("revenue.net.amount"), " ", g.at("visitors"), " ", g.at("payers")))
	}
	return append(texts, fmt.Sprint("unattributed ", got.at("revenueBy.unattributed.net.amount")))
}

// journey is a website with a visitor who came by three ways, ten days from each other, and paid a day
// after the last.
func journey(shared *bundle, t *testing.T) *bundle {
	t.Helper()
	b := shared.another(t)
	b.visit("v", vars{"url": "https://shop.example/?utm_source=news", "occurredAt": "2026-04-01T00:00:00Z"})
	b.visit("v", vars{"referrer": "https://www.google.com/", "occurredAt": "2026-04-11T00:00:00Z"})
	b.visit("v", vars{"occurredAt": "2026-04-21T00:00:00Z"})
	b.pay("t", vars{"visitorId": "v", "amount": "100", "occurredAt": "2026-04-22T00:00:00Z"})
	return b
}

func TestRevenueBy_models(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	b := journey(shared, t)
	for model, want := range map[string][]string{
		"FIRST_TOUCH":     {"news 100.00 1 1", "direct 0.00 1 0", "google.com 0.00 1 0"},
		"LAST_TOUCH":      {"direct 100.00 1 1", "google.com 0.00 1 0", "news 0.00 1 0"},
		"LAST_NON_DIRECT": {"google.com 100.00 1 1", "direct 0.00 1 0", "news 0.00 1 0"},
		"LINEAR":          {"news 33.34 1 1", "direct 33.33 1 1", "google.com 33.33 1 1"},
		"POSITION_BASED":  {"direct 40.00 1 1", "news 40.00 1 1", "google.com 20.00 1 1"},
		// 2^(-20/7) : 2^(-10/7) : 1
		"TIME_DECAY": {"direct 66.25 1 1", "google.com 24.61 1 1", "news 9.14 1 1"},
	} {
		require.Equal(t, append(want, "unattributed 0.00"), b.groups(vars{"model": model}), model)
	}

	t.Run("of direct visits alone, the last non-direct one is the last", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", vars{"url": "https://shop.example/a", "occurredAt": "2026-04-01T00:00:00Z"})
		b.visit("v", vars{"url": "https://shop.example/b", "occurredAt": "2026-04-02T00:00:00Z"})
		b.pay("t", vars{"visitorId": "v", "occurredAt": "2026-04-03T00:00:00Z"})
		require.Equal(t, []string{"/b 10.00 1 1", "/a 0.00 1 0", "unattributed 0.00"},
			b.groups(vars{"model": "LAST_NON_DIRECT", "dimension": "LANDING_PAGE"}))
	})

	t.Run("of more than 1,000 visits the latest count, but the first stays the first", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", vars{"url": "https://shop.example/?utm_source=news", "occurredAt": "2026-04-01T00:00:00Z"})
		sql[int](b, `WITH more AS (INSERT INTO visits (website_id, id, visitor_id, started_at, last_seen_at, landing_page, source, channel,
				utm_source, utm_medium, utm_campaign, utm_term, utm_content, pageviews)
			SELECT $1, gen_random_uuid(), 'v', at, at, 'https://shop.example/', 'direct', 'DIRECT', '', '', '', '', '', 1
			FROM generate_series(timestamptz '2026-04-02T00:00:00Z', '2026-04-02T16:39:00Z', interval '1 minute') AS at RETURNING 1)
			SELECT count(*)::int FROM more`, b.site.ID)
		b.pay("t", vars{"visitorId": "v", "amount": "100", "occurredAt": "2026-04-03T00:00:00Z"})
		require.Equal(t, []string{"news 100.00 1 1", "direct 0.00 1 0", "unattributed 0.00"}, b.groups(vars{}))
		for _, model := range []string{"LAST_NON_DIRECT", "LINEAR", "POSITION_BASED", "TIME_DECAY"} {
			require.Equal(t, []string{"direct 100.00 1 1", "news 0.00 1 0", "unattributed 0.00"}, b.groups(vars{"model": model}), model)
		}
	})
}

func TestRevenueBy(t *testing.T) {
	t.Parallel()
	shared := setup(t)

	t.Run("credits visits from the start of the window to the payment", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", vars{"url": "https://shop.example/?utm_source=early", "occurredAt": "2026-04-01T00:00:00Z"})
		b.visit("v", vars{"url": "https://shop.example/?utm_source=late", "occurredAt": "2026-04-08T00:00:00Z"})
		b.visit("w", vars{"url": "https://shop.example/?utm_source=after", "occurredAt": "2026-04-08T00:00:00.000001Z"})
		b.pay("t", vars{"visitorId": "v", "occurredAt": "2026-04-08T00:00:00Z"})
		b.pay("u", vars{"visitorId": "w", "amount": 1, "occurredAt": "2026-04-08T00:00:00Z"})
		require.Equal(t, []string{"late 10.00 1 1", "after 0.00 1 0", "early 0.00 1 0", "unattributed 1.00"}, b.groups(vars{"windowDays": 7}))
		require.Equal(t, []string{"early 10.00 1 1", "after 0.00 1 0", "late 0.00 1 0", "unattributed 1.00"}, b.groups(vars{"windowDays": 8}))
	})

	t.Run("tells how many visitors paid, and how much each brought", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		for i := range 4 {
			visitor := fmt.Sprint("v", i)
			b.visit(visitor, vars{"url": "https://shop.example/?utm_source=news", "occurredAt": "2026-04-01T00:00:00Z"})
			b.visit(visitor, vars{"url": "https://shop.example/?utm_source=news", "occurredAt": "2026-04-02T00:00:00Z"})
		}
		b.pay("t0", vars{"visitorId": "v0", "amount": "10", "occurredAt": "2026-04-03T00:00:00Z"})
		b.pay("t1", vars{"visitorId": "v0", "amount": "20.10", "renewal": true, "occurredAt": "2026-04-04T00:00:00Z"})
		b.pay("t2", vars{"visitorId": "v1", "amount": "0", "occurredAt": "2026-04-04T00:00:00Z"})
		b.pay("t3", vars{"amount": "9.90", "occurredAt": "2026-04-04T00:00:00Z"})
		group := func(span vars) []any {
			g := node{b.ask(revenueBy, vars{"dimension": "SOURCE", "range": span}).at("revenueBy.edges.0.node")}
			return []any{g.at("visitors"), g.at("payers"), g.at("conversionRate"), g.at("revenue.net.amount"), g.at("revenuePerVisitor.amount"), g.at("share"), g.at("revenue.freeTrials")}
		}
		require.Equal(t, []any{4.0, 1.0, 0.25, "30.10", "7.52", 0.7525, 1.0}, group(nil))
		require.Equal(t, []any{0.0, 1.0, nil, "30.10", nil, 0.7525, 1.0}, group(vars{"from": "2026-04-03T00:00:00Z"}), "of payers who came before")
		require.Equal(t, []any{4.0, 0.0, 0.0, "0.00", "0.00", 0.0, 0.0}, group(vars{"to": "2026-04-03T00:00:00Z"}), "of visits before all payments")
	})

	t.Run("groups by every dimension", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", vars{
			"url": "https://WWW.shop.example/a/B%20c?utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top#x", "referrer": "https://www.Letter.example:8080/x",
			"country": "de", "userAgent": "any", "occurredAt": "2026-04-01T00:00:00Z",
		})
		b.visit("w", vars{"url": "https://docs.shop.example?x=1", "referrer": "android-app://com.google.android.gm/", "occurredAt": "2026-04-01T00:00:00Z"})
		b.visit("x", vars{"url": "https://shop.example", "referrer": "https://checkout.stripe.com/pay", "occurredAt": "2026-04-01T00:00:00Z"})
		b.pay("t", vars{"visitorId": "v", "amount": 4, "occurredAt": "2026-04-02T00:00:00Z"})
		b.pay("u", vars{"visitorId": "w", "amount": 2, "occurredAt": "2026-04-02T00:00:00Z"})
		b.pay("w", vars{"visitorId": "x", "amount": 1, "occurredAt": "2026-04-02T00:00:00Z"})
		for dimension, want := range map[string][]string{
			"SOURCE":       {"news 4.00 1 1", "com.google.android.gm 2.00 1 1", "direct 1.00 1 1"},
			"CHANNEL":      {"EMAIL 6.00 2 2", "DIRECT 1.00 1 1"},
			"REFERRER":     {"letter.example 4.00 1 1", "com.google.android.gm 2.00 1 1", " 1.00 1 1"},
			"UTM_SOURCE":   {"news 4.00 1 1", " 3.00 2 2"},
			"UTM_MEDIUM":   {"email 4.00 1 1", " 3.00 2 2"},
			"UTM_CAMPAIGN": {"spring 4.00 1 1", " 3.00 2 2"},
			"UTM_TERM":     {"shoes 4.00 1 1", " 3.00 2 2"},
			"UTM_CONTENT":  {"top 4.00 1 1", " 3.00 2 2"},
			"LANDING_PAGE": {"/a/B%20c 4.00 1 1", "docs.shop.example/ 2.00 1 1", "/ 1.00 1 1"},
			"COUNTRY":      {"DE 4.00 1 1", " 3.00 2 2"},
			"DEVICE":       {"mobile 4.00 1 1", " 3.00 2 2"},
			"BROWSER":      {"Firefox 4.00 1 1", " 3.00 2 2"},
			"OS":           {"Android 4.00 1 1", " 3.00 2 2"},
		} {
			require.Equal(t, append(want, "unattributed 0.00"), b.groups(vars{"dimension": dimension}), dimension)
		}
	})

	t.Run("groups a visit by its first pageview, also one that comes late", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v", vars{"url": "https://shop.example/cart", "referrer": "https://shop.example/", "occurredAt": "2026-04-01T00:10:00Z"})
		b.visit("v", vars{"url": "https://shop.example/pricing", "referrer": "https://letter.example/", "occurredAt": "2026-04-01T00:00:00Z"})
		for dimension, key := range map[string]string{
			"SOURCE": "letter.example", "CHANNEL": "REFERRAL", "REFERRER": "letter.example", "LANDING_PAGE": "/pricing",
		} {
			require.Equal(t, []string{key + " 0.00 1 0", "unattributed 0.00"}, b.groups(vars{"dimension": dimension}), dimension)
		}
	})

	t.Run("refuses what cannot be asked", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		for _, test := range []struct {
			want, field string
			v           vars
		}{
			{"INVALID_FIELD", "dimension", vars{"dimension": "source"}},
			{"INVALID_FIELD", "model", vars{"dimension": "SOURCE", "model": "first_touch"}},
			{"INVALID_FIELD", "windowDays", vars{"dimension": "SOURCE", "windowDays": 0}},
			{"INVALID_FIELD", "windowDays", vars{"dimension": "SOURCE", "windowDays": 3651}},
			{"INVALID_RANGE", "range", vars{"dimension": "SOURCE", "range": vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}}},
			{"TOO_MANY_ITEMS", "first", vars{"dimension": "SOURCE", "first": 101}},
			{"INVALID_CURSOR", "after", vars{"dimension": "SOURCE", "after": "x"}},
			{"INVALID_CURSOR", "after", vars{"dimension": "SOURCE", "after": model.Cursor{Order: "BY SOURCE", Key: "0 -9223372036854775808", ID: "a"}.String()}},
		} {
			_, faults := b.query(b.key, revenueBy, test.v)
			require.NotEmpty(t, faults, test.v)
			require.Equal(t, []any{test.want, test.field}, []any{faults[0].Extensions.Code, faults[0].Extensions.Field}, test.v)
		}
	})

	t.Run("pages on after the longest key", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		long := ""
		for range 300 {
			long += "<"
		}
		for _, tail := range []string{"", "&utm_campaign=b"} {
			b.visit("v"+tail, vars{"url": "https://shop.example/?utm_source=" + long + tail})
		}
		b.visit("w", vars{"url": "https://shop.example/?utm_source=a"})
		got := b.ask(revenueBy, vars{"dimension": "SOURCE", "first": 1})
		require.Len(t, got.at("revenueBy.edges.0.node.key"), 255)
		v := vars{"dimension": "SOURCE", "first": 1, "after": got.at("revenueBy.pageInfo.endCursor")}
		require.Equal(t, []string{"a 0.00 1 0", "unattributed 0.00"}, b.groups(v))
	})
}

func TestRevenueBy_refunds(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	linear := func() vars { return vars{"model": "LINEAR"} }

	t.Run("follow the credit of their charge", func(t *testing.T) {
		t.Parallel()
		b := journey(shared, t)
		b.visit("v", vars{"url": "https://shop.example/?utm_source=later", "occurredAt": "2026-04-23T00:00:00Z"})
		b.visit("w", vars{"url": "https://shop.example/?utm_source=other", "occurredAt": "2026-04-01T00:00:00Z"})
		b.refund("r", "t", vars{"amount": "100", "visitorId": "w", "occurredAt": "2026-05-20T00:00:00Z"})
		for _, model := range []string{"FIRST_TOUCH", "LAST_TOUCH", "LAST_NON_DIRECT", "LINEAR", "POSITION_BASED", "TIME_DECAY"} {
			for _, edge := range b.ask(revenueBy, vars{"dimension": "SOURCE", "model": model}).each("revenueBy.edges", "node.revenue.net.amount") {
				require.Equal(t, "0.00", edge, model)
			}
		}
		require.Equal(t, []string{"direct -33.33 0 0", "google.com -33.33 0 0", "news -33.34 0 0", "unattributed 0.00"},
			b.groups(vars{"model": "LINEAR", "range": vars{"from": "2026-05-01T00:00:00Z"}}), "also where the charge is not in the range")
	})

	t.Run("of parts, at one instant too, take back what the charge gave", func(t *testing.T) {
		t.Parallel()
		b := journey(shared, t)
		for i := range 10 {
			b.refund(fmt.Sprint("r", i), "t", vars{"amount": "10", "occurredAt": "2026-04-23T00:00:00Z"})
		}
		require.Equal(t, []string{"direct 0.00 1 1", "google.com 0.00 1 1", "news 0.00 1 1", "unattributed 0.00"}, b.groups(linear()))
	})

	t.Run("of a charge that nobody knows have touchpoints of their own", func(t *testing.T) {
		t.Parallel()
		b := journey(shared, t)
		b.refund("r", "unknown", vars{"amount": "30", "visitorId": "v", "occurredAt": "2026-04-12T00:00:00Z"})
		b.refund("s", "unknown", vars{"amount": "1", "occurredAt": "2026-04-12T00:00:00Z"})
		require.Equal(t, []string{"direct 33.33 1 1", "news 18.34 1 1", "google.com 18.33 1 1", "unattributed -1.00"}, b.groups(linear()))
		b.pay("unknown", vars{"amount": "31", "occurredAt": "2026-04-01T00:00:00Z"})
		require.Equal(t, []string{"news 33.34 1 1", "direct 33.33 1 1", "google.com 33.33 1 1", "unattributed 0.00"}, b.groups(linear()), "until the charge comes")
	})
}
