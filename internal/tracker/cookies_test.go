package tracker_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

func TestScript_cookies(t *testing.T) {
	t.Parallel()
	in := func(c *network.Cookie) time.Duration {
		return time.Until(time.Unix(int64(c.Expires), 0)).Round(10 * time.Minute)
	}

	t.Run("belong to the domain, for a year and for half an hour", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("www.shop.example", "/")
		e := b.next("pageview")
		cookies := b.cookies()
		require.Len(t, cookies, 2)
		visitor, session := cookies["datafast_visitor_id"], cookies["datafast_session_id"]
		require.Equal(t, []string{e.VisitorID, e.SessionID}, []string{visitor.Value, session.Value})
		require.Equal(t, []time.Duration{365 * 24 * time.Hour, 30 * time.Minute}, []time.Duration{in(visitor), in(session)})
		for _, c := range cookies {
			require.Equal(t, ".shop.example", c.Domain)
			require.Equal(t, "/", c.Path)
			require.Equal(t, network.CookieSameSiteLax, c.SameSite)
			require.False(t, c.Secure)
		}
	})

	t.Run("are secure with TLS", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, tls: true}).visit("shop.example", "/")
		b.next("pageview")
		cookies := b.cookies()
		require.Len(t, cookies, 2)
		for _, c := range cookies {
			require.True(t, c.Secure, c.Name)
		}
	})

	t.Run("belong to the host where the browser refuses the domain", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("app.example", "/")
		e := b.next("pageview")
		cookies := b.cookies()
		require.Len(t, cookies, 2)
		require.Equal(t, "app.example", cookies["datafast_visitor_id"].Domain)
		b.open("app.example", "/2")
		require.Equal(t, e.VisitorID, b.next("pageview").VisitorID)
	})

	t.Run("of the session end it with them", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/")
		first := b.next("pageview")
		b.do(`clock = Date.now; Date.now = () => clock() + 31 * 60 * 1000;
			document.cookie = "datafast_session_id=; Max-Age=0; Path=/; Domain=shop.example"; datafast("back")`)
		e := b.next("custom")
		require.Equal(t, first.VisitorID, e.VisitorID)
		require.Regexp(t, sessionID, e.SessionID)
		require.NotEqual(t, first.SessionID, e.SessionID)
	})

	t.Run("of another tracker keep the visitor", func(t *testing.T) {
		t.Parallel()
		const id = "0b5e8f6e-5b0f-4b43-8d5b-7c1f2a0e9d11"
		b := (&website{t: t, page: page{before: `document.cookie = "faurya_visitor_id=` + id + `; Path=/"`}}).visit("shop.example", "/")
		require.Equal(t, id, b.next("pageview").VisitorID)
		require.Equal(t, id, b.cookies()["datafast_visitor_id"].Value)
	})

	t.Run("can have Faurya's names", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{attributes: `data-cookie-prefix="faurya"`}}).visit("shop.example", "/")
		e := b.next("pageview")
		cookies := b.cookies()
		require.Len(t, cookies, 2)
		require.Equal(t, e.VisitorID, cookies["faurya_visitor_id"].Value)
		require.Equal(t, e.SessionID, cookies["faurya_session_id"].Value)
	})

	t.Run("are not needed", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{before: `Object.defineProperty(document, "cookie", {get: () => "", set() {}})`}}).visit("shop.example", "/")
		first := b.next("pageview")
		b.do(`datafast("goal")`)
		e := b.next("custom")
		require.Equal(t, []string{first.VisitorID, first.SessionID}, []string{e.VisitorID, e.SessionID})
	})
}

func TestScript_cookieless(t *testing.T) {
	t.Parallel()

	t.Run("the session lasts as long as the page", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{attributes: "data-cookieless"}}).visit("shop.example", "/")
		first := b.next("pageview")
		require.True(t, first.Cookieless)
		require.Empty(t, first.VisitorID)
		require.Regexp(t, sessionID, first.SessionID)
		browsertest.WaitFor(b.ctx, t, `datafast.visitorId === "visitor"`)
		b.do(`history.pushState({}, "", "/b")`)
		require.Equal(t, first.SessionID, b.next("pageview").SessionID)
		require.Empty(t, b.cookies())
		require.Equal(t, "0", b.text("localStorage.length + sessionStorage.length"))
		b.open("shop.example", "/c")
		require.NotEqual(t, first.SessionID, b.next("pageview").SessionID)
		b.end()
	})

	t.Run("the session lasts as long as the tab", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{attributes: `data-cookieless="session"`}}).visit("shop.example", "/")
		first := b.next("pageview")
		require.True(t, first.Cookieless)
		b.open("shop.example", "/b")
		require.Equal(t, first.SessionID, b.next("pageview").SessionID)
		require.Empty(t, b.cookies())
		require.Equal(t, `{"datafast_session_id":"`+first.SessionID+`"}`, b.text("JSON.stringify(sessionStorage)"))
		require.Equal(t, "0", b.text("localStorage.length"))
		b.end()
	})
}
