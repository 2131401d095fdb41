package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

const events = "/api/events"

// event is the body of an event with the fields that all need, and some more.
func event(kind, more string) string {
	return `{"websiteId":"dfid_1","visitorId":"v","sessionId":"s","href":"https://shop.example/","type":"` + kind + `"` + more + `}`
}

func TestTrackEvent(t *testing.T) {
	t.Parallel()

	t.Run("hands a pageview on", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.country = "DE"
		r := request(http.MethodPost, events, event("pageview", `,"referrer":"https://news.example/","adClickIds":{"gclid":"1"},
			"domain":"x","visitorFirstSeenAt":"2026-05-20T12:00:00.000Z","visitorSessionNumber":1,"viewport":{"width":1},"language":"en",
			"timezone":"UTC","screenWidth":1,"screenHeight":1,"device":{"platform":"web"},"cookieless":false,"extraData":null`))
		r.Header.Set("User-Agent", "Firefox")
		require.Equal(t, http.StatusOK, a.do(t, r).StatusCode)
		require.Equal(t, []model.RecordVisitInput{{
			VisitorID: "v", SessionID: new("s"), URL: "https://shop.example/", Referrer: new("https://news.example/"), UserAgent: new("Firefox"),
			Country: new("DE"), AdClickIDs: model.Metadata{"gclid": "1"},
		}}, a.views)
		require.Equal(t, []model.Principal{{TrackingID: "dfid_1"}}, a.principals)
	})

	t.Run("hands other events on", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			body string
			want model.RecordEventInput
		}{
			"custom": {event("custom", `,"extraData":{"eventName":"sign\u0075p","plan":"pro","n":1.50,"quoted\"":null}`),
				model.RecordEventInput{Type: model.EventCustom, Name: new("signup"), Properties: model.Metadata{"plan": "pro", "n": json.Number("1.50"), `quoted"`: nil}}},
			"identify": {event("identify", `,"extraData":{"user_id":"u1","name":"Ada","image":"","email":"a@b","plan":"pro"}`),
				model.RecordEventInput{Type: model.EventIdentify, UserID: new("u1"), Name: new("Ada"), Image: new(""), Email: new("a@b"), Properties: model.Metadata{"plan": "pro"}}},
			"identify by a number": {event("identify", `,"extraData":{"user_id":42}`),
				model.RecordEventInput{Type: model.EventIdentify, UserID: new("42")}},
			"payment": {event("payment", `,"extraData":{"email":"a@b","customer_id":"c1","amount":99,"currency":"USD","stripe_session_id":"cs_1"}`),
				model.RecordEventInput{Type: model.EventPayment, Email: new("a@b"), CustomerID: new("c1"),
					Properties: model.Metadata{"amount": json.Number("99"), "currency": "USD", "stripe_session_id": "cs_1"}}},
			"external link": {event("external_link", `,"extraData":{"url":"https://other.example/","text":"Other"}`),
				model.RecordEventInput{Type: model.EventExternalLink, Link: new("https://other.example/"), Name: new("Other")}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := newAPI(t)
				require.Equal(t, `{"message":"Event recorded","visitorId":"v"}`, a.ok(t, http.MethodPost, events, test.body))
				test.want.VisitorID, test.want.SessionID, test.want.URL = "v", new("s"), "https://shop.example/"
				require.Equal(t, []model.RecordEventInput{test.want}, a.events)
			})
		}
	})

	t.Run("drops a referrer that a browser cannot mend", func(t *testing.T) {
		t.Parallel()
		for _, referrer := range []string{"", "about:blank", "chrome-extension://abc/x", "https://" + strings.Repeat("a", 2048)} {
			a := newAPI(t)
			a.ok(t, http.MethodPost, events, event("pageview", `,"referrer":"`+referrer+`"`))
			require.Nil(t, a.views[0].Referrer)
		}
	})

	t.Run("makes one visitor of a session without cookies", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		visitor := func(website, visitor, session string) string {
			var answer struct{ VisitorID string }
			body := `{"websiteId":"` + website + `","sessionId":"` + session + `","href":"https://shop.example/","type":"pageview","cookieless":true` + visitor + `}`
			require.NoError(t, json.Unmarshal([]byte(a.ok(t, http.MethodPost, events, body)), &answer))
			require.Equal(t, answer.VisitorID, a.views[len(a.views)-1].VisitorID)
			return answer.VisitorID
		}
		first := visitor("dfid_1", `,"visitorId":"random"`, "s1")
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, first)
		require.Equal(t, first, visitor("dfid_1", "", "s1"))
		require.NotEqual(t, first, visitor("dfid_1", "", "s2"))
		require.NotEqual(t, first, visitor("dfid_2", "", "s1"))
	})

	t.Run("names the keys that it does not know", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		require.Equal(t, `{"message":"Event recorded","visitorId":"v","ignored_fields":["refferer","Domain"]}`,
			a.ok(t, http.MethodPost, events, event("pageview", `,"refferer":"x","Domain":1`)))
	})

	t.Run("reads text as JSON, and no other type", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		for contentType, status := range map[string]int{
			"text/plain": 200, "text/plain;charset=UTF-8": 200, "application/json; charset=utf-8": 200, "": 415, "text/html": 415, "application/x-www-form-urlencoded": 415,
		} {
			r := request(http.MethodPost, events, event("pageview", ""))
			r.Header.Set("Content-Type", contentType)
			require.Equal(t, status, a.do(t, r).StatusCode, contentType)
		}
		r := request(http.MethodPost, path, `{"amount":1,"currency":"USD","transaction_id":"t"}`)
		r.Header.Set("Content-Type", "text/plain")
		require.Equal(t, http.StatusUnsupportedMediaType, a.do(t, r).StatusCode, "a payment is JSON")
	})

	t.Run("tells all faults by the names of the body", func(t *testing.T) {
		t.Parallel()
		for body, want := range map[string][]string{
			`{}`:               {"websiteId", "type", "sessionId", "href", "visitorId"},
			event("click", ""): {"type"},
			`{"websiteId":"","visitorId":"v","sessionId":"s","href":"https://shop.example/","type":""}`: {"websiteId", "type"},
			event("pageview", `,"x":1,"referrer":1,"adClickIds":[],"cookieless":1`):                     {"cookieless", "referrer", "adClickIds"},
			`{"websiteId":"w","visitorId":" v","sessionId":"","href":"file:///a","type":"pageview"}`:    {"visitorId", "sessionId", "href"},
			event("custom", ""):                             {"extraData.eventName"},
			event("custom", `,"extraData":{"eventName":1}`): {"extraData.eventName"},
			event("custom", `,"extraData":{"eventName":"`+strings.Repeat("n", 65)+`"}`):                         {"extraData.eventName"},
			event("custom", `,"extraData":[]`):                                                                  {"extraData"},
			event("custom", `,"extraData":{"eventName":"n","a":{}}`):                                            {"extraData"},
			event("custom", `,"extraData":{"eventName":"n","a":"`+strings.Repeat("n", 256)+`"}`):                {"extraData"},
			event("custom", `,"extraData":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1}`): {"extraData", "extraData.eventName"},
			event("identify", ""): {"extraData.user_id"},
			event("identify", `,"extraData":{"user_id":"","name":"a\u0000","image":"x","email":"e"}`): {"extraData.user_id", "extraData.name", "extraData.image", "extraData.email"},
			event("payment", `,"extraData":{}`):                              {"extraData.email"},
			event("payment", `,"extraData":{"email":"e","customer_id":" "}`): {"extraData.customer_id", "extraData.email"},
			event("external_link", ``):                                       {"extraData.url"},
			event("external_link", `,"extraData":{"url":"/relative"}`):       {"extraData.url"},
		} {
			detail := newAPI(t).failed(t, request(http.MethodPost, events, body), http.StatusBadRequest)
			fields := []string{*detail.Field}
			if detail.Fields != nil {
				fields = nil
				for _, f := range *detail.Fields {
					fields = append(fields, f.Field)
				}
			}
			require.Equal(t, want, fields, body)
		}
		for _, body := range []string{"null", "[]", event("pageview", `,"type":"custom"`), event("custom", `,"extraData":{"a":1,"a":2}`), event("pageview", "") + "{}"} {
			require.Equal(t, http.StatusBadRequest, newAPI(t).do(t, request(http.MethodPost, events, body)).StatusCode, body)
		}
		require.Equal(t, http.StatusRequestEntityTooLarge, newAPI(t).do(t, request(http.MethodPost, events, event("pageview", "")+strings.Repeat(" ", 64<<10))).StatusCode)
	})

	t.Run("ignores bots", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		r := request(http.MethodPost, events, event("pageview", ""))
		r.Header.Set("User-Agent", "a bot")
		require.Equal(t, http.StatusOK, a.do(t, r).StatusCode)
		require.Empty(t, a.views)
	})

	t.Run("refuses an address that sends too many", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.wait = 1500 * time.Millisecond
		res := a.do(t, request(http.MethodPost, events, "any"))
		require.Equal(t, "2", res.Header.Get("Retry-After"))
		detail := a.failure(t, res)
		require.Equal(t, []any{429, "rate_limited"}, []any{detail.Code, string(detail.Reason)})
		a.ok(t, http.MethodPost, path, `{"amount":1,"currency":"USD","transaction_id":"t"}`)
	})

	t.Run("is open to pages of every origin, and nothing else is", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t)
		a.err = model.ErrWebsiteNotFound()
		for _, body := range []string{event("pageview", ""), "none"} {
			res := a.do(t, request(http.MethodPost, events, body))
			require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"), "a page can read an error too")
			require.Empty(t, res.Header.Get("Access-Control-Allow-Credentials"))
		}
		preflight := a.do(t, request(http.MethodOptions, events, ""))
		require.Equal(t, http.StatusNoContent, preflight.StatusCode)
		for name, want := range map[string]string{
			"Origin": "*", "Methods": "POST", "Headers": "Content-Type, X-Datafast-Real-Ip",
		} {
			require.Equal(t, want, preflight.Header.Get("Access-Control-Allow-"+name))
		}
		require.Equal(t, "86400", preflight.Header.Get("Access-Control-Max-Age"))
		require.Equal(t, "OPTIONS, POST", a.do(t, request(http.MethodGet, events, "")).Header.Get("Allow"))
		res := a.do(t, request(http.MethodOptions, path, ""))
		require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
		require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
	})
}
