package tracker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
	"tributary/internal/tracker"
)

// event is what the tracker sends.
type event struct {
	WebsiteID, Domain, VisitorID, SessionID, Type, Href string

	Referrer   *string
	Cookieless bool
	ExtraData  map[string]any
}

// website is one at the hosts of its visitor's browser, whose pages are all the same. The tracker comes from
// stats.example, and what it sends goes there.
type website struct {
	t      *testing.T
	server *httptest.Server
	port   string
	events chan event
	status atomic.Int64 // of the answers to events
	html   atomic.Pointer[string]

	page page
	tls  bool
}

// page is what all pages of a website are.
type page struct {
	attributes string // of the tracker's element
	before     string // a script that runs before the tracker
	body       string // HTML
}

// hosts are the names under which a website is reached.
var hosts = []string{"shop.example", "app.example", "stats.example"}

func (w *website) start() {
	w.events = make(chan event, 100)
	w.status.Store(http.StatusOK)
	mux := http.NewServeMux()
	mux.Handle(tracker.Path, tracker.New())
	mux.HandleFunc("/api/events", w.receive)
	mux.HandleFunc("/collect", w.receive)
	mux.HandleFunc("/", func(res http.ResponseWriter, r *http.Request) {
		res.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(res, *w.html.Load())
	})
	if w.tls {
		w.server = httptest.NewTLSServer(mux)
	} else {
		w.server = httptest.NewServer(mux)
	}
	w.t.Cleanup(w.server.Close)
	address, err := url.Parse(w.server.URL)
	require.NoError(w.t, err)
	w.port = address.Port()
	w.show(w.page)
}

// show makes the pages of the website others.
func (w *website) show(p page) {
	html := fmt.Sprintf(`<!doctype html><title>test</title><link rel="icon" href="data:,">
		<script>requests = 0; send = fetch; fetch = (...request) => { requests++; [target, last] = request; return send(...request) };</script>
		<script>%s</script>
		<script defer data-website-id="dfid_0123456789ab" data-domain="shop.example" %s src="%s"></script>
		<body>%s`, p.before, p.attributes, w.address("stats.example", tracker.Path), p.body)
	w.html.Store(&html)
}

// address is that of a page.
func (w *website) address(host, path string) string {
	scheme := "http://"
	if w.tls {
		scheme = "https://"
	}
	return scheme + host + ":" + w.port + path
}

// receive takes events from every origin.
func (w *website) receive(res http.ResponseWriter, r *http.Request) {
	res.Header().Set("Access-Control-Allow-Origin", "*")
	var e event
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil || r.Header.Get("Content-Type") != "text/plain;charset=UTF-8" {
		w.t.Errorf("the tracker sent what is no event: %s, %v", r.Method, err)
	}
	w.events <- e
	res.WriteHeader(int(w.status.Load()))
	_, _ = io.WriteString(res, `{"message": "Event recorded", "visitorId": "visitor"}`)
}

// tab is a browser with one page of the website.
type tab struct {
	*website
	ctx context.Context
}

// visit opens the website's page at a host and path in a browser of its own, and waits until it is loaded.
func (w *website) visit(host, path string) tab {
	w.t.Helper()
	w.start()
	b := tab{w, browsertest.NewVisitor(w.t, hosts...)}
	b.open(host, path)
	return b
}

func (b tab) open(host, path string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Navigate(b.address(host, path))))
}

// do runs a script on the page, and waits for a promise that it makes.
func (b tab) do(script string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise)), script)
}

// text is the value of an expression on the page.
func (b tab) text(expression string) string {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+expression+")"))
	require.NoError(b.t, err)
	return v
}

// next waits for an event, which must be of a type.
func (b tab) next(kind string) event {
	b.t.Helper()
	return b.nextOf(kind)
}

// nextOf waits for one of several events, which may come in any order.
func (b tab) nextOf(kinds ...string) event {
	b.t.Helper()
	select {
	case e := <-b.events:
		require.Contains(b.t, kinds, e.Type, "%+v\n%s", e, b.state())
		return e
	case <-time.After(30 * time.Second):
		require.Fail(b.t, fmt.Sprintf("no event of %s came", kinds), b.state())
		return event{}
	}
}

// end proves that nothing was sent that the test has not seen.
func (b tab) end() {
	b.t.Helper()
	b.do(`datafast("the_end")`)
	require.Equal(b.t, "the_end", b.next("custom").ExtraData["eventName"], b.state())
	require.Empty(b.t, browsertest.Problems(b.ctx))
}

// state tells what the page did.
func (b tab) state() string {
	state, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("`${location.href} sent ${requests} requests, and has the cookies ${document.cookie || 'none'}`"))
	return fmt.Sprintf("%s %v\nproblems: %s", state, err, strings.Join(browsertest.Problems(b.ctx), "\n"))
}

// cookies are those of the page, by name.
func (b tab) cookies() map[string]*network.Cookie {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
	require.NoError(b.t, err)
	all := map[string]*network.Cookie{}
	for _, c := range result.Cookies {
		require.NotContains(b.t, all, c.Name)
		all[c.Name] = c
	}
	return all
}
