package tracker_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

// queue is what docs/TRACKER.md tells pages to have before the tracker.
const queue = `window.datafast = window.datafast || function () { (window.datafast.q = window.datafast.q || []).push(arguments) };`

func TestScript_events(t *testing.T) {
	t.Parallel()

	t.Run("calls from before the tracker wait for it", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{before: queue + `kept = datafast; datafast("signup", {plan: "pro", seats: 3, eventName: "other"})`}}).visit("shop.example", "/")
		events := map[string]event{}
		for range 2 {
			e := b.nextOf("pageview", "custom")
			events[e.Type] = e
		}
		require.Equal(t, map[string]any{"eventName": "signup", "plan": "pro", "seats": 3.0}, events["custom"].ExtraData)
		require.Equal(t, events["pageview"].VisitorID, events["custom"].VisitorID)
		b.do(`kept("again")`)
		require.Equal(t, "again", b.next("custom").ExtraData["eventName"], "calls of the function that the page had before go nowhere")
		b.end()
	})

	t.Run("identify and payment say who the visitor is", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/")
		first := b.next("pageview")
		b.do(`datafast("identify", {user_id: "u1", name: "Ada", image: "https://shop.example/ada.png"})`)
		e := b.next("identify")
		require.Equal(t, map[string]any{"user_id": "u1", "name": "Ada", "image": "https://shop.example/ada.png"}, e.ExtraData)
		require.Equal(t, first.VisitorID, e.VisitorID)
		b.do(`datafast("payment", {email: "ada@example.com"})`)
		require.Equal(t, map[string]any{"email": "ada@example.com"}, b.next("payment").ExtraData)
		b.end()
	})

	t.Run("a link to elsewhere is told although the page is left", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{body: `<a href="/next"><b id="own">Next</b></a> <a id="link"> Other <b>site</b> </a>`}}).visit("shop.example", "/")
		b.next("pageview")
		require.Equal(t, "true", b.text("last.keepalive"), "requests end with the page")
		b.do(`document.getElementById("own").click()`)
		b.next("pageview")
		other := b.address("elsewhere.stats.example", "/?a=1")
		b.do(`document.getElementById("link").href = "` + other + `"; document.querySelector("#link b").click()`)
		require.Equal(t, map[string]any{"url": other, "text": "Other site"}, b.next("external_link").ExtraData)
		require.Equal(t, other, b.next("pageview").Href)
		b.do(`document.getElementById("own").click()`)
		require.Equal(t, b.address("elsewhere.stats.example", "/next"), b.next("pageview").Href, "a link of the host itself leads nowhere else")
		b.end()
	})

	t.Run("a link that is opened in another tab is told, its menu is not", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{body: `<a id="link" href="https://elsewhere.example/">Other site</a>`}}).visit("shop.example", "/")
		b.next("pageview")
		b.do(`for (const button of [2, 1]) document.getElementById("link").dispatchEvent(new MouseEvent("auxclick", {button, bubbles: true}))`)
		b.next("external_link")
		b.end()
	})

	t.Run("elements are goals by their attributes", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t, page: page{body: `<button id="buy" data-fast-goal="buy" data-fast-goal-product-id="7"><b>Buy</b></button>
			<form data-fast-goal="newsletter" onsubmit="return false"><input id="field"><button id="send">Send</button></form>`}}).visit("shop.example", "/")
		b.next("pageview")
		b.do(`document.querySelector("#buy b").click()`)
		require.Equal(t, map[string]any{"eventName": "buy", "product_id": "7"}, b.next("custom").ExtraData)
		b.do(`document.getElementById("field").click(); document.getElementById("send").click()`)
		require.Equal(t, map[string]any{"eventName": "newsletter"}, b.next("custom").ExtraData)
		b.end()
	})
}

func TestScript_failures(t *testing.T) {
	t.Parallel()

	// The page's clock is fast: what is to wait a second does not.
	const impatient = `wait = setTimeout; setTimeout = (f, ms, ...args) => wait(f, ms / 1000, ...args);`

	t.Run("what the server could not take is sent three times at most", func(t *testing.T) {
		t.Parallel()
		w := &website{t: t, page: page{before: impatient}}
		b := w.visit("shop.example", "/")
		first := b.next("pageview")
		for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
			w.status.Store(int64(status))
			b.do(`datafast("goal")`)
			for range 3 {
				require.Equal(t, first.VisitorID, b.next("custom").VisitorID)
			}
		}
		w.status.Store(http.StatusOK)
		b.do(`datafast("the_end")`)
		require.Equal(t, "the_end", b.next("custom").ExtraData["eventName"])
		require.Equal(t, "8", b.text("requests"))
	})

	t.Run("a refusal is final, and the console says why", func(t *testing.T) {
		t.Parallel()
		w := &website{t: t, page: page{before: impatient + `said = []; console.warn = text => said.push(text);`}}
		b := w.visit("shop.example", "/")
		b.next("pageview")
		w.status.Store(http.StatusBadRequest)
		b.do(`datafast("goal")`)
		b.next("custom")
		browsertest.WaitFor(b.ctx, t, `said.length === 1 && said[0].includes("message")`)
		w.status.Store(http.StatusOK)
		b.do(`datafast("the_end")`)
		require.Equal(t, "the_end", b.next("custom").ExtraData["eventName"])
		require.Equal(t, "3", b.text("requests"))
	})

	t.Run("never become those of the page", func(t *testing.T) {
		t.Parallel()
		b := (&website{t: t}).visit("shop.example", "/")
		for name, before := range map[string]string{
			"without fetch":   `fetch = undefined`,
			"without cookies": `Object.defineProperty(document, "cookie", {get() { throw new Error("no cookies") }, set() { throw new Error("no cookies") }})`,
			"without storage": `Object.defineProperty(window, "localStorage", {get() { throw new Error("no storage") }})`,
		} {
			b.show(page{before: before})
			b.open("shop.example", "/")
			b.do(`datafast("goal"); datafast("goal", {n: 1n}); datafast(); history.pushState({}, "", "/2"); document.body.click()`)
			b.do(`document.dispatchEvent(new Event("click")); document.dispatchEvent(new Event("submit"))`)
			require.Equal(t, b.address("shop.example", "/2"), b.text("location"), name)
			require.Empty(t, browsertest.Problems(b.ctx), name)
		}
	})
}
