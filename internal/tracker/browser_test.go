package tracker_test

import (
	"testing"

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
		kinds := []string{b.nextOf("pageview", "custom").Type, b.nextOf("pageview", "custom").Type}
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
		sent := map[string]event{} // by two requests at once
		for range 2 {
			e := b.nextOf("pageview", "custom")
			sent[e.Type] = e
		}
		require.Contains(t, sent, "pageview")
		require.Equal(t, "loaded", sent["custom"].ExtraData["eventName"])
		b.end()
	})
}

func TestScript_otherDomains(t *testing.T) {
	t.Parallel()
	w := &website{t: t, page: page{attributes: `data-allowed-hostnames="app.example, shop.example"`}}
	w.page.body = `<a id="next" href="/pricing?plan=1">Pricing</a>`
	b := w.visit("shop.example", "/")
	first := b.next("pageview")
	b.do(`link = document.getElementById("next"); link.setAttribute("href", "#here"); link.click()`)
	require.Equal(t, b.address("shop.example", "/#here"), b.text("location"), "a link within a domain stays as it is")
	b.do(`link.setAttribute("href", "/pricing?plan=1"); link.hostname = "app.example"; link.click()`)
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
