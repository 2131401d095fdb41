package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordVisit(t *testing.T) {
	t.Parallel()
	shared := setup(t)

	t.Run("answers the visit and its visitor", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		got := b.visit("v1", vars{
			"url":      "https://shop.example/pricing?utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=t%20x&utm_content=c",
			"referrer": "https://mail.example/inbox", "country": "de", "userAgent": "any", "sessionId": "s1", "occurredAt": "2026-05-20T10:00:00+02:00",
		})
		id := got.at("visit.id")
		require.Equal(t, map[string]any{
			"visit": map[string]any{
				"id": id, "startedAt": "2026-05-20T08:00:00Z", "landingPage": "https://shop.example/pricing?utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=t%20x&utm_content=c",
				"referrer": "https://mail.example/inbox", "source": "news", "channel": "EMAIL", "utmSource": "news", "utmMedium": "email", "utmCampaign": "spring", "utmTerm": "t x", "utmContent": "c",
				"country": "DE", "device": "mobile", "browser": "Firefox", "os": "Android", "pageviews": 1.0,
			},
			"visitor": map[string]any{
				"id": "v1", "seen": true, "visitCount": 1.0, "firstSeenAt": "2026-05-20T08:00:00Z", "lastSeenAt": "2026-05-20T08:00:00Z",
				"firstVisit": map[string]any{"id": id}, "lastVisit": map[string]any{"id": id},
			},
		}, got.value)
	})

	t.Run("names source and channel", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		for i, test := range []struct {
			source, channel string
			vars
		}{
			{"direct", "DIRECT", nil},
			{"direct", "DIRECT", vars{"referrer": ""}},
			{"direct", "DIRECT", vars{"referrer": "https://www.blog.shop.example/"}},
			{"direct", "DIRECT", vars{"referrer": "https://checkout.stripe.com/c/pay"}},
			{"google.de", "ORGANIC_SEARCH", vars{"referrer": "https://www.google.de/"}},
			{"Google", "PAID_SEARCH", vars{"url": "https://shop.example/?utm_source=Google&utm_medium=CPC"}},
			{"facebook", "ORGANIC_SOCIAL", vars{"url": "https://shop.example/?fbclid=1"}},
			{"linkedin", "PAID_SOCIAL", vars{"url": "https://shop.example/?li_fat_id=1"}},
			{"chatgpt.com", "AI_ASSISTANT", vars{"url": "https://shop.example/?utm_source=chatgpt.com"}},
			{"com.google.android.gm", "EMAIL", vars{"referrer": "android-app://com.google.android.gm/"}},
			{"google", "PAID_SEARCH", vars{"adClickIds": vars{"gclid": "1", "unknown": "2"}}},
			{"bing", "PAID_SEARCH", vars{"url": "https://shop.example/?msclkid=1", "adClickIds": vars{"fbclid": "1"}}},
			{"anna", "AFFILIATE", vars{"url": "https://shop.example/?via=anna&utm_medium=affiliate"}},
			{"search.example", "REFERRAL", vars{"referrer": "https://WWW.Search.example:8080/?q=secret"}},
			{"taboola", "DISPLAY", vars{"url": "https://shop.example/?tblci=1"}},
			{"news.example", "DISPLAY", vars{"url": "https://shop.example/?tblci=1", "referrer": "https://news.example/"}},
			{"podcast", "OTHER", vars{"url": "https://shop.example/?utm_source=podcast"}},
		} {
			got := b.visit(string(rune('a'+i)), test.vars)
			require.Equal(t, []any{test.source, test.channel}, []any{got.at("visit.source"), got.at("visit.channel")}, test)
		}
	})

	t.Run("continues a visit, or starts another", func(t *testing.T) {
		t.Parallel()
		campaign, stripe := "https://shop.example/?utm_campaign=spring", "https://checkout.stripe.com/c/pay"
		at := func(times ...string) (views []vars) {
			for _, time := range times {
				views = append(views, vars{"occurredAt": "2026-05-20T" + time + "Z"})
			}
			return views
		}
		for name, test := range map[string]struct {
			views     []vars // of one visitor
			pageviews []any  // of its visits, first one first
		}{
			"after 30 idle minutes":                                     {at("10:00:00", "10:30:00", "11:00:00", "11:30:00.000001"), []any{3.0, 1.0}},
			"with another campaign":                                     {[]vars{{"url": campaign}, {}, {"url": campaign + "2"}, {}}, []any{2.0, 2.0}},
			"not with the same campaign":                                {[]vars{{"url": campaign}, {"url": campaign, "referrer": "https://blog.example/"}}, []any{2.0}},
			"with another session":                                      {[]vars{{"sessionId": "a"}, {"sessionId": "b"}, {"sessionId": "a", "url": "https://shop.example/2"}}, []any{2.0, 1.0}},
			"in the same session after a day":                           {[]vars{{"sessionId": "a", "occurredAt": "2026-05-18T10:00:00Z"}, {"sessionId": "a"}}, []any{1.0, 1.0}},
			"in the same session with a campaign":                       {[]vars{{"sessionId": "a"}, {"sessionId": "a", "url": campaign, "occurredAt": "2026-05-20T12:01:00Z"}, {"sessionId": "a", "occurredAt": "2026-05-20T12:02:00Z"}}, []any{1.0, 2.0}},
			"in the order of their times":                               {at("10:00:00", "09:50:00", "09:55:00"), []any{3.0}},
			"in the order of their campaigns":                           {[]vars{{"occurredAt": "2026-05-20T10:02:00Z"}, {"url": campaign, "occurredAt": "2026-05-20T10:01:00Z"}, {"occurredAt": "2026-05-20T10:00:00Z"}, {"url": campaign + "2", "occurredAt": "2026-05-20T09:59:00Z"}}, []any{2.0, 2.0}},
			"long before the visits that are known":                     {at("10:00:00", "09:29:59"), []any{1.0, 1.0}},
			"late, of another session":                                  {[]vars{{"sessionId": "a", "occurredAt": "2026-05-20T10:01:00Z"}, {"sessionId": "b", "occurredAt": "2026-05-20T10:00:00Z"}, {"sessionId": "a", "occurredAt": "2026-05-20T09:59:00Z"}}, []any{2.0, 1.0}},
			"not when it is sent again":                                 {[]vars{{"sessionId": "a"}, {"sessionId": "a"}, {"sessionId": "a", "occurredAt": "2026-05-20T12:00:15Z"}, {"sessionId": "a", "occurredAt": "2026-05-20T12:00:15.000001Z"}}, []any{2.0}},
			"not when it is sent again, unless another page was viewed": {[]vars{{}, {"url": "https://shop.example/2"}, {}, {"referrer": "https://shop.example/2"}, {"referrer": "https://shop.example/2"}}, []any{4.0}},
			"between visits, by the one before it":                      {at("08:00:00", "10:00:00", "08:10:00"), []any{2.0, 1.0}},
			"not after a checkout":                                      {[]vars{{"url": campaign}, {"referrer": stripe, "occurredAt": "2026-05-20T12:25:00Z"}, {"referrer": stripe, "url": campaign + "2&ref=stripe", "occurredAt": "2026-05-20T12:30:00Z"}}, []any{3.0}},
			"after a checkout that took too long":                       {[]vars{{"url": campaign, "occurredAt": "2026-05-20T10:00:00Z"}, {"referrer": stripe}}, []any{1.0, 1.0}},
			"not after a checkout by the session":                       {[]vars{{"sessionId": "a"}, {"sessionId": "b", "referrer": stripe}, {"sessionId": "c", "referrer": "https://shop.example/"}}, []any{3.0}},
			"with another ref, but not inside":                          {[]vars{{"url": "https://shop.example/?ref=anna"}, {"url": "https://shop.example/?ref=nav", "referrer": "https://shop.example/"}, {"url": "https://shop.example/?via=ben"}}, []any{2.0, 1.0}},
			"by an ad":                                                  {[]vars{{}, {"url": "https://shop.example/?gclid=1"}, {"url": "https://shop.example/?gclid=2"}}, []any{1.0, 2.0}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := shared.another(t)
				var last node
				for _, view := range test.views {
					last = b.visit("v1", view)
				}
				require.Equal(t, float64(len(test.pageviews)), last.at("visitor.visitCount"))
				got := b.ask(`{ visitor(id: "v1") { visitCount visits { edges { node { id pageviews } } } firstVisit { id } lastVisit { id } } }`, nil)
				require.Equal(t, test.pageviews, got.each("visitor.visits.edges", "node.pageviews"))
				ids := got.each("visitor.visits.edges", "node.id")
				require.Equal(t, []any{ids[0], ids[len(ids)-1]}, []any{got.at("visitor.firstVisit.id"), got.at("visitor.lastVisit.id")})
			})
		}
	})

	t.Run("a visitor who is back from a checkout keeps source and channel", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		b.visit("v1", vars{"url": "https://shop.example/?gclid=1"})
		got := b.visit("v1", vars{"referrer": "https://www.paypal.com/"})
		require.Equal(t, []any{"google", "PAID_SEARCH", 2.0, 1.0},
			[]any{got.at("visit.source"), got.at("visit.channel"), got.at("visit.pageviews"), got.at("visitor.visitCount")})
	})

	t.Run("at once by one visitor is one visit", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		concurrently(16, func(i int) string { b.visit("v1", vars{"url": fmt.Sprint("https://shop.example/", i)}); return "" })
		got := b.ask(`{ visitor(id: "v1") { visitCount lastVisit { pageviews } } }`, nil)
		require.Equal(t, []any{1.0, 16.0}, []any{got.at("visitor.visitCount"), got.at("visitor.lastVisit.pageviews")})
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		got := b.refused(recordVisit, vars{"input": vars{
			"visitorId": "", "sessionId": " ", "url": "shop.example", "referrer": "https://" + strings.Repeat("a", 2048), "country": "Germany", "occurredAt": "1969-12-31T23:59:59Z",
		}})
		require.Equal(t, []string{"visitorId", "sessionId", "url", "referrer", "occurredAt", "country"}, got.Extensions.Fields)
	})
}

func TestVisitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visit("seen", vars{"occurredAt": "2026-05-01T10:00:00Z"})
	b.visit("seen", vars{"occurredAt": "2026-05-02T10:00:00Z"})
	b.pay("t1", vars{"visitorId": "unseen"})
	const query = `query ($id: ID!) { visitor(id: $id) {
		id seen firstSeenAt lastSeenAt visitCount firstVisit { startedAt } lastVisit { startedAt }
		visits { edges { node { startedAt } } } payments { edges { node { transactionId } } } revenue { net { amount } }
	} }`
	none := map[string]any{"edges": []any{}}
	for id, want := range map[string]any{
		"seen": map[string]any{
			"id": "seen", "seen": true, "firstSeenAt": "2026-05-01T10:00:00Z", "lastSeenAt": "2026-05-02T10:00:00Z", "visitCount": 2.0,
			"firstVisit": map[string]any{"startedAt": "2026-05-01T10:00:00Z"}, "lastVisit": map[string]any{"startedAt": "2026-05-02T10:00:00Z"},
			"visits": map[string]any{"edges": []any{
				map[string]any{"node": map[string]any{"startedAt": "2026-05-01T10:00:00Z"}}, map[string]any{"node": map[string]any{"startedAt": "2026-05-02T10:00:00Z"}}}},
			"payments": none, "revenue": map[string]any{"net": map[string]any{"amount": "0.00"}},
		},
		"unseen": map[string]any{
			"id": "unseen", "seen": false, "firstSeenAt": nil, "lastSeenAt": nil, "visitCount": 0.0, "firstVisit": nil, "lastVisit": nil, "visits": none,
			"payments": map[string]any{"edges": []any{map[string]any{"node": map[string]any{"transactionId": "t1"}}}}, "revenue": map[string]any{"net": map[string]any{"amount": "10.00"}},
		},
		"unknown": nil,
	} {
		require.Equal(t, want, b.ask(query, vars{"id": id}).at("visitor"), id)
	}
	got := b.refused(query, vars{"id": " x"})
	require.Equal(t, []any{"INVALID_FIELD", "id"}, []any{got.Extensions.Code, got.Extensions.Field})
}

func TestMutations_showWhatTheyLeftBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visit("v", nil)
	got := b.ask(`mutation {
		a: recordPayment(input: {transactionId: "a", amount: 1, currency: "USD", visitorId: "v"}) { payment { visitor { revenue { net { amount } } } } }
		b: recordPayment(input: {transactionId: "b", amount: 2, currency: "USD", visitorId: "v"}) { payment { visitor { revenue { net { amount } } } } }
	}`, nil)
	require.Equal(t, []any{"1.00", "3.00"}, []any{got.at("a.payment.visitor.revenue.net.amount"), got.at("b.payment.visitor.revenue.net.amount")})
}
