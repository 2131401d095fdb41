package tracker_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

const (
	visitorID = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
	sessionID = `^s[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
)

func TestScript_pageviews(t *testing.T) {
	t.Parallel()

	t.Run("pages of one visit have its ids, on subdomains too", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{body: `<a id="next" href="/pricing">Pricing</a>`}}).visit("www.shop.example", "/?utm_source=letter#part")
		first := b.next("pageview")
		require.Regexp(t, visitorID, first.VisitorID)
		require.Regexp(t, sessionID, first.SessionID)
		require.Equal(t, event{
			WebsiteID: "dfid_0123456789ab", Domain: "shop.example", VisitorID: first.VisitorID, SessionID: first.SessionID,
			Type: "pageview", Href: b.address("www.shop.example", "/?utm_source=letter"),
		}, first)
		require.Equal(t, first.VisitorID, b.text("datafast.visitorId"))

		b.do(`document.getElementById("next").click()`)
		second := b.next("pageview")
		require.Equal(t, b.address("www.shop.example", "/pricing"), second.Href)
		require.Equal(t, b.address("www.shop.example", "/?utm_source=letter"), *second.Referrer)
		b.open("app.shop.example", "/")
		third := b.next("pageview")
		for _, e := range []event{second, third} {
			require.Equal(t, []string{first.VisitorID, first.SessionID}, []string{e.VisitorID, e.SessionID})
		}
		b.end()
	})

	t.Run("a single page application's addresses count once each", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/a")
		b.next("pageview")
		b.do(`history.replaceState({}, "", "/a"); history.pushState({}, "", "/a#part"); location.hash = "other";
			new Promise(done => setTimeout(done, 100)) // which is after the tracker has looked`)
		b.do(`history.pushState({}, "", "/redirect"); setTimeout(() => history.replaceState({}, "", "/b"), 50)`)
		e := b.next("pageview")
		require.Equal(t, b.address("shop.example", "/b"), e.Href)
		require.Equal(t, b.address("shop.example", "/a"), *e.Referrer)
		b.do(`history.back()`)
		e = b.next("pageview")
		require.Equal(t, b.address("shop.example", "/a"), e.Href)
		require.Equal(t, b.address("shop.example", "/b"), *e.Referrer)
		b.end()
		require.Equal(t, "4", b.text("requests"))
	})

	t.Run("a page that comes back from the browser's memory counts again", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/a")
		b.next("pageview")
		b.do(`dispatchEvent(new PageTransitionEvent("pageshow", {persisted: false}))`)
		b.do(`dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}))`)
		require.Equal(t, b.address("shop.example", "/a"), *b.next("pageview").Referrer)
		b.end()
	})

	t.Run("events go to the tracker's host, or where its element says", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/")
		b.next("pageview")
		require.Equal(t, b.address("stats.example", "/api/events"), b.text("target"))
		b.show(page{attributes: `data-api-url="/collect"`})
		b.open("shop.example", "/")
		b.next("pageview")
		require.Equal(t, "/collect", b.text("target"))
		b.end()
	})

	t.Run("a page counts when it is seen", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{before: `seen = "hidden"; Object.defineProperty(document, "visibilityState", {get: () => seen})`}}).visit("shop.example", "/")
		b.do(`datafast("early")`)
		require.Equal(t, "0", b.text("requests"))
		require.Empty(t, b.cookies())
		b.do(`seen = "visible"; document.dispatchEvent(new Event("visibilitychange"))`)
		kinds := []string{(<-b.events).Type, (<-b.events).Type}
		require.ElementsMatch(t, []string{"pageview", "custom"}, kinds)
		b.do(`document.dispatchEvent(new Event("visibilitychange"))`)
		b.end()
	})

	t.Run("a second element does nothing", func(t *testing.T) {
		t.Parallel()
		w := &website{t: t}
		w.page.body = `<script>addEventListener("load", () => {
			const copy = document.createElement("script");
			copy.onload = () => datafast("loaded");
			const {src, dataset} = document.querySelector("script[src]");
			Object.assign(copy, {src}); Object.assign(copy.dataset, dataset);
			document.head.append(copy);
		})</script>`
		b := w.visit("shop.example", "/")
		b.next("pageview")
		require.Equal(t, "loaded", b.next("custom").ExtraData["eventName"])
		b.end()
	})
}

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

func TestScript_otherDomains(t *testing.T) {
	t.Parallel()
	w := &website{t: t, page: page{attributes: `data-allowed-hostnames="app.example, shop.example"`}}
	w.page.body = `<a id="next" href="/pricing?plan=1">Pricing</a>`
	b := w.visit("shop.example", "/")
	first := b.next("pageview")
	b.do(`link = document.getElementById("next"); link.hostname = "app.example"; link.click()`)
	e := b.next("pageview")
	require.Equal(t, b.address("app.example", "/pricing?plan=1"), e.Href)
	require.Equal(t, []string{first.VisitorID, first.SessionID}, []string{e.VisitorID, e.SessionID})
	require.Equal(t, e.Href, b.text("location"))
	require.Equal(t, first.VisitorID, b.cookies()["datafast_visitor_id"].Value)
	require.Equal(t, ".app.example", b.cookies()["datafast_visitor_id"].Domain)

	b.open("app.example", "/?_df_vid=0b5e8f6e-5b0f-4b43-8d5b-7c1f2a0e9d11&x=1")
	e = b.next("pageview")
	require.Equal(t, first.VisitorID, e.VisitorID, "a stranger's link names another visitor")
	require.Equal(t, b.address("app.example", "/?x=1"), e.Href)
	b.end()
}

func TestScript_inIframe(t *testing.T) {
	t.Parallel()
	const frame = `<script>if (self === top && location.pathname === "/") {
		const frame = document.createElement("iframe"); frame.src = "/inside"; document.body.append(frame) }</script>`
	b := (&website{t: t, page: page{body: frame}}).visit("shop.example", "/")
	b.next("pageview")
	browsertest.WaitFor(b.ctx, t, `frames[0].datafast.loaded`)
	require.Equal(t, "0", b.text("frames[0].requests"))
	b.end()

	b.show(page{body: frame, attributes: "data-allow-iframe"})
	b.open("shop.example", "/")
	addresses := []string{b.next("pageview").Href, b.next("pageview").Href}
	require.ElementsMatch(t, []string{b.address("shop.example", "/"), b.address("shop.example", "/inside")}, addresses)
	b.end()
}

func TestScript_blocked(t *testing.T) {
	t.Parallel()
	signal := func(name, value string) string {
		return `Object.defineProperty(navigator, "` + name + `", {get: () => ` + value + `});`
	}

	t.Run("sends and keeps nothing", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("localhost", "/")
		for name, c := range map[string]struct{ host, before, attributes string }{
			"on localhost":                {host: "localhost", attributes: `data-allow-localhost="false"`},
			"on this machine's address":   {host: "127.0.0.1"},
			"in a driven browser":         {host: "shop.example", before: signal("webdriver", "true")},
			"with Do Not Track":           {host: "shop.example", before: signal("doNotTrack", `"1"`)},
			"with Global Privacy Control": {host: "shop.example", before: signal("globalPrivacyControl", "true")},
			"for who has said so":         {host: "me.shop.example", before: `localStorage.datafast_ignore = "true"`},
		} {
			b.show(page{before: c.before, attributes: c.attributes})
			b.open(c.host, "/")
			b.do(`datafast("goal")`)
			require.Equal(t, "0", b.text("requests"), "%s: %s", name, b.state())
			require.Empty(t, b.cookies(), name)
		}
		require.Empty(t, browsertest.Problems(b.ctx))
	})

	t.Run("is not who allows it or is tested", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{attributes: `data-allow-localhost="true"`}}).visit("localhost", "/")
		b.next("pageview")
		b.show(page{before: signal("webdriver", "true"), attributes: "data-allow-localhost"})
		b.open("shop.example", "/")
		b.next("pageview")
		b.show(page{before: signal("doNotTrack", `"0"`)})
		b.open("shop.example", "/")
		b.next("pageview")
		b.end()
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
