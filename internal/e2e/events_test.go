package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/clientip"
	"tributary/model"
	"tributary/rest"
)

const events = "/api/events"

// chrome is the User-Agent of a person.
const chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"

// event is the body of an event of the stack's website, with fields otherwise or besides.
func (s *stack) event(t testing.TB, kind string, fields map[string]any) string {
	t.Helper()
	all := map[string]any{"websiteId": s.site.TrackingID, "visitorId": "v", "sessionId": "s", "href": "https://shop.example/", "type": kind}
	for key, value := range fields {
		all[key] = value
	}
	body, err := json.Marshal(all)
	require.NoError(t, err)
	return string(body)
}

// track sends an event as a browser does: without a token.
func (s *stack) track(t testing.TB, kind string, fields map[string]any, headers ...string) answer {
	t.Helper()
	r := s.request(t, http.MethodPost, events, s.event(t, kind, fields))
	r.Header.Del("Authorization")
	r.Header.Set("User-Agent", chrome)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(t, r)
}

// tracked sends an event that must be recorded.
func (s *stack) tracked(t testing.TB, kind string, fields map[string]any, headers ...string) {
	t.Helper()
	got := s.track(t, kind, fields, headers...)
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.Contains(t, got.body, `"message":"Event recorded"`)
}

func TestTrackEvent(t *testing.T) {
	t.Parallel()

	t.Run("credits a payment to the campaign that brought its visitor", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.tracked(t, "pageview", map[string]any{"href": "https://www.shop.example/?utm_source=news&utm_campaign=spring", "referrer": "https://mail.example/"})
		s.tracked(t, "pageview", map[string]any{"href": "https://shop.example/pricing", "referrer": "https://www.shop.example/"})
		s.tracked(t, "custom", map[string]any{"extraData": map[string]any{"eventName": "signup"}})
		require.Equal(t, "Payment recorded and attributed successfully",
			s.posted(t, `{"amount":10,"currency":"USD","transaction_id":"t1","datafast_visitor_id":"v"}`))
		var data struct {
			Visitor struct {
				VisitCount int
				Journey    struct {
					Edges []struct{ Node map[string]any }
				}
			}
		}
		s.graphql(t, `{ visitor(id: "v") { visitCount journey { edges { node { __typename ... on Visit { source utmCampaign pageviews device browser } ... on Event { name } ... on Payment { transactionId } } } } } }`, nil, &data)
		require.Equal(t, 1, data.Visitor.VisitCount)
		var steps []map[string]any
		for _, edge := range data.Visitor.Journey.Edges {
			steps = append(steps, edge.Node)
		}
		require.Equal(t, []map[string]any{
			{"__typename": "Visit", "source": "news", "utmCampaign": "spring", "pageviews": 2.0, "device": "desktop", "browser": "Chrome"},
			{"__typename": "Event", "name": "signup"},
			{"__typename": "Payment", "transactionId": "t1"},
		}, steps)
	})

	t.Run("takes addresses as browsers have them", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		for i, href := range []string{"/50%off", "/a%2", "/#100%", "/%zz/%41;x?%", "/caf%E9?utm_source=50%25off"} {
			s.tracked(t, "pageview", map[string]any{"visitorId": fmt.Sprint(i), "href": "https://shop.example" + href})
		}
		s.tracked(t, "pageview", map[string]any{"visitorId": "c", "href": "https://shop.example/?utm_source=50%off;now&utm_campaign=%C3%A9%&utm_medium=cpc;"})
		s.tracked(t, "external_link", map[string]any{"extraData": map[string]any{"url": "https://other.example/50%off"}})
		require.Equal(t, 1, s.count(t, "visits WHERE source = '50%off;now' AND utm_campaign = 'é%' AND utm_medium = 'cpc;'"))
		require.Equal(t, 1, s.count(t, "visits WHERE source = '50%off'"))
		require.Equal(t, 1, s.count(t, "visits WHERE landing_path = '/50%25off' AND landing_page = 'https://shop.example/50%off'"))
		require.Equal(t, 1, s.count(t, "visits WHERE landing_path = '/%25zz/%41;x'"))
		for _, href := range []string{"https://evil%2eexample%.shop.example/", "https://shop.example%", "https://shop.example%2f/"} {
			require.Equal(t, http.StatusBadRequest, s.track(t, "pageview", map[string]any{"href": href}).status, href)
		}
	})

	t.Run("counts a retry once", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		first := s.track(t, "pageview", nil)
		require.Equal(t, first.body, s.track(t, "pageview", nil).body)
		s.clock.forward(15_000_000_001)
		s.tracked(t, "pageview", nil)
		require.Equal(t, 1, s.count(t, "visits WHERE pageviews = 2"))
	})

	t.Run("knows a visitor without cookies by the session", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		var visitors []string
		for i := range 2 {
			var got struct{ VisitorID string }
			answer := s.track(t, "pageview", map[string]any{"visitorId": fmt.Sprint("random ", i), "href": fmt.Sprint("https://shop.example/", i), "cookieless": true})
			require.NoError(t, json.Unmarshal([]byte(answer.body), &got))
			visitors = append(visitors, got.VisitorID)
		}
		require.Equal(t, visitors[0], visitors[1])
		require.Equal(t, 1, s.count(t, "visitors WHERE id = $1", visitors[0]))
		require.Equal(t, 1, s.count(t, "visits WHERE pageviews = 2"))
	})

	t.Run("links an e-mail to its visitor, and brings no revenue", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.posted(t, `{"amount":10,"currency":"USD","transaction_id":"t1","email":"ada@example.com"}`)
		s.tracked(t, "pageview", nil)
		s.tracked(t, "payment", map[string]any{"extraData": map[string]any{"email": "Ada@example.com", "amount": 99, "currency": "USD"}})
		require.Equal(t, 1, s.count(t, "payments WHERE visitor_id = 'v' AND basis = 'EMAIL'"))
		require.Equal(t, revenue{"10.00", "0.00", "10.00", 1, 0, 0, 0}, s.totals(t))
	})

	t.Run("refuses pages of other hosts", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		other := s.website(t, model.Website{AccountID: s.site.AccountID, Hostnames: []string{"staging.example", "localhost"}})
		for href, allowed := range map[string][2]bool{ // by the website, and by the one that has further hosts
			"https://shop.example":               {true, true},
			"http://shop.example:8080/a?b=c":     {true, true},
			"https://WWW.Shop.Example./":         {true, true},
			"https://a.b.shop.example/":          {true, true},
			"https://staging.example/":           {false, true},
			"https://pr-1.staging.example/":      {false, true},
			"http://localhost:3000/":             {false, true},
			"http://app.localhost/":              {false, true},
			"http://127.0.0.1:3000/":             {false, true},
			"http://[::1]/":                      {false, true},
			"https://evilshop.example/":          {false, false},
			"https://shop.example.evil/":         {false, false},
			"https://example/":                   {false, false},
			"http://192.168.0.1/":                {false, false},
			"https://shop.example@evil.example/": {false, false},
		} {
			for i, site := range []model.Website{s.site, other} {
				got := s.track(t, "pageview", map[string]any{"websiteId": site.TrackingID, "href": href})
				if allowed[i] {
					require.Equal(t, http.StatusOK, got.status, href)
					continue
				}
				detail := got.refused(t, http.StatusForbidden, "hostname_not_allowed")
				require.Equal(t, "href", *detail.Field)
				require.Contains(t, detail.Message, "tributary website allow")
			}
		}
		for _, href := range []string{"file:///index.html", "datafast://ios/home", "shop.example", "https://"} {
			s.track(t, "pageview", map[string]any{"href": href}).refused(t, http.StatusBadRequest, "invalid_field")
		}
	})

	t.Run("refuses what names no website that takes it", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		for _, id := range []string{"dfid_000000000000", s.site.ID, s.key, "'; --", "a\x00b", strings.Repeat("a", 1000)} {
			detail := s.track(t, "pageview", map[string]any{"websiteId": id}).refused(t, http.StatusNotFound, "website_not_found")
			require.Equal(t, "websiteId", *detail.Field)
		}
		require.NoError(t, s.store.SuspendWebsite(t.Context(), s.site.ID, true))
		s.track(t, "pageview", nil).refused(t, http.StatusForbidden, "website_suspended")
		require.NoError(t, s.store.SuspendWebsite(t.Context(), s.site.ID, false))
		require.NoError(t, s.store.LimitAccount(t.Context(), s.site.AccountID, 1))
		s.tracked(t, "pageview", nil)
		got := s.track(t, "custom", map[string]any{"extraData": map[string]any{"eventName": "n"}})
		got.refused(t, http.StatusTooManyRequests, "event_limit_reached")
		require.NotEmpty(t, got.header.Get("Retry-After"))
		require.Equal(t, 1, s.count(t, "visits"))
		require.Zero(t, s.count(t, "events"))
	})

	t.Run("gives no right to anything else", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		for path, body := range map[string]string{"/graphql": `{"query":"{ websites { id } }"}`, payments: payment("", "")} {
			r := s.request(t, http.MethodPost, path, body)
			r.Header.Set("Authorization", "Bearer "+s.site.TrackingID)
			require.Equal(t, http.StatusUnauthorized, s.do(t, r).status)
		}
		r := s.request(t, http.MethodPost, events+"/x", "{}")
		r.Header.Del("Authorization")
		require.Equal(t, http.StatusUnauthorized, s.do(t, r).status)
	})

	t.Run("ignores bots", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		got := s.track(t, "pageview", nil, "User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
		require.Equal(t, []any{http.StatusOK, `{"message":"Ignored: the User-Agent is that of a bot"}`}, []any{got.status, got.body})
		require.Zero(t, s.count(t, "visitors"))
		for i, client := range []string{"node", "Go-http-client/1.1", ""} {
			s.tracked(t, "pageview", map[string]any{"visitorId": fmt.Sprint(i)}, "User-Agent", client)
		}
		require.Equal(t, 3, s.count(t, "visitors"))
	})

	t.Run("keeps the country, and no address", func(t *testing.T) {
		t.Parallel()
		proxies := clientip.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
		countries, err := clientip.OpenCountries("", proxies)
		require.NoError(t, err)
		s := start(t, options{Senders: rest.Senders{Country: countries.Country}})
		s.tracked(t, "pageview", nil, "X-Forwarded-For", "203.0.113.77", "CF-IPCountry", "FR", "X-Datafast-Real-Ip", "203.0.113.77")
		s.tracked(t, "identify", map[string]any{"extraData": map[string]any{"user_id": "u", "email": "ada@example.com"}}, "X-Forwarded-For", "203.0.113.77")
		require.Equal(t, 1, s.count(t, "visits WHERE country = 'FR'"))
		for _, table := range []string{"visitors", "visits", "events", "customers"} {
			require.NotZero(t, s.count(t, table))
			require.Zero(t, s.count(t, table+" AS row WHERE row::text LIKE '%203.0.113%'"))
			if table != "customers" {
				require.Zero(t, s.count(t, table+" AS row WHERE row::text LIKE '%ada@%'"), "an e-mail is kept in one place")
			}
		}
	})

	t.Run("stores hostile text as it is", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		const hostile = `'; DROP TABLE visits; -- <script>alert(1)</script> ?0 {{7*7}}`
		s.tracked(t, "custom", map[string]any{"visitorId": hostile, "sessionId": hostile, "href": "https://shop.example/?q=<script>", "extraData": map[string]any{"eventName": hostile[:60], hostile[:60]: hostile}})
		s.tracked(t, "pageview", map[string]any{"visitorId": hostile, "sessionId": hostile, "href": "https://shop.example/?utm_source=" + "%27%3B%20DROP%00%FF"})
		require.Equal(t, 1, s.count(t, "events WHERE visitor_id = $1 AND name = $2 AND properties ->> $2 = $1", hostile, hostile[:60]))
		require.Equal(t, 1, s.count(t, "visits WHERE utm_source = '''; DROP'"))
	})
}
