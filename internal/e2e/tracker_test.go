package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

// journey is what GraphQL says of a visitor.
type journey struct {
	VisitCount int
	FirstVisit struct {
		Source, Channel, UtmCampaign, LandingPage string
		Pageviews                                 int
	}
	Identity *struct{ UserID, Name string }
	Events   struct {
		Edges []struct {
			Node struct {
				Type       string
				Name, Link *string
				Properties map[string]any
			}
		}
	}
	Revenue struct{ Net struct{ Amount string } }
}

// journey asks for a visitor whom the website has seen.
func (s *stack) journey(t testing.TB, visitor string) journey {
	t.Helper()
	var data struct{ Visitor *journey }
	s.graphql(t, `query($id: ID!) { visitor(id: $id) {
		visitCount firstVisit { source channel utmCampaign landingPage pageviews }
		identity { userId name } events { edges { node { type name link properties } } }
		revenue { net { amount } }
	} }`, map[string]any{"id": visitor}, &data)
	require.NotNil(t, data.Visitor, "the website has not seen the visitor")
	return *data.Visitor
}

// events are the types of a visitor's events.
func (j journey) events() (types []string) {
	for _, edge := range j.Events.Edges {
		types = append(types, edge.Node.Type)
	}
	return types
}

// text is the value of an expression on the page.
func text(ctx context.Context, t testing.TB, expression string) string {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	require.NoError(t, err)
	return v
}

// shop serves pages at shop.example, and is the address of the first. Beside the server that takes its visits it is
// another origin, as everywhere.
func shop(t *testing.T, pages http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "shop.example", 1)
}

// trackedShop is the address of a shop whose pages have the tracker of a server. They keep the answers that it gets.
func (s *stack) trackedShop(t *testing.T, attributes string) (address string) {
	t.Helper()
	return shop(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><title>Shop</title><link rel="icon" href="data:,">
			<script>answers = []; send = fetch; fetch = async (...request) => { const answer = await send(...request); answers.push(answer.status); return answer }</script>
			<script defer data-website-id="%s" data-domain="shop.example" %s src="%s/js/script.js"></script>
			<a href="/pricing">Pricing</a>`, s.site.TrackingID, attributes, s.url)
	}))
}

// A visitor who keeps no cookie can still be told to the checkout.
func TestTracker_cookieless(t *testing.T) {
	t.Parallel()
	s := start(t, options{Wrap: watched(t)})
	ctx := browsertest.NewVisitor(t, "shop.example")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.trackedShop(t, `data-cookieless="session"`)+"/?utm_campaign=spring")))
	browsertest.WaitFor(ctx, t, `datafast.visitorId`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a"))))
	browsertest.WaitFor(ctx, t, `location.pathname === "/pricing" && datafast.visitorId`)
	visitor := text(ctx, t, "datafast.visitorId")
	require.Empty(t, text(ctx, t, "document.cookie"))

	s.posted(t, fmt.Sprintf(`{"amount": 29.99, "currency": "USD", "transaction_id": "payment_1", "datafast_visitor_id": %q}`, visitor))
	got := s.journey(t, visitor)
	require.Equal(t, "29.99", got.Revenue.Net.Amount)
	require.Equal(t, "spring", got.FirstVisit.UtmCampaign)
	require.Equal(t, []int{1, 2}, []int{got.VisitCount, got.FirstVisit.Pageviews})
	require.Empty(t, browsertest.Problems(ctx))
}

// A website owner pastes one element, a visitor comes by a campaign and pays, and the campaign gets the credit.
func TestTracker(t *testing.T) {
	t.Parallel()
	s := start(t, options{Wrap: watched(t)})
	address := s.trackedShop(t, "")
	ctx := browsertest.NewVisitor(t, "shop.example")
	answered := func(n int) {
		t.Helper()
		browsertest.WaitFor(ctx, t, fmt.Sprintf("answers.length === %d && answers.every(status => status === 200)", n))
	}

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address+"/?utm_source=letter&utm_medium=email&utm_campaign=spring")))
	answered(1)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a"))))
	browsertest.WaitFor(ctx, t, `location.pathname === "/pricing"`)
	answered(1)
	visitor := text(ctx, t, `document.cookie.match(/datafast_visitor_id=([^;]+)/)[1]`)

	t.Log("the checkout sends the payment with the visitor id of the cookie")
	message := s.posted(t, fmt.Sprintf(`{"amount": 29.99, "currency": "USD", "transaction_id": "payment_1", "datafast_visitor_id": %q}`, visitor))
	require.Equal(t, "Payment recorded and attributed successfully", message)
	got := s.journey(t, visitor)
	require.Equal(t, 1, got.VisitCount)
	require.Equal(t, 2, got.FirstVisit.Pageviews)
	require.Equal(t, []string{"letter", "EMAIL", "spring", address + "/?utm_source=letter&utm_medium=email&utm_campaign=spring"},
		[]string{got.FirstVisit.Source, got.FirstVisit.Channel, got.FirstVisit.UtmCampaign, got.FirstVisit.LandingPage})
	var data struct {
		RevenueByVisitor struct {
			Edges []struct {
				Node struct {
					Visitor struct{ ID string }
					Revenue struct{ Net struct{ Amount string } }
				}
			}
		}
	}
	s.graphql(t, `{ revenueByVisitor(filter: {campaign: "spring"}) { edges { node { visitor { id } revenue { net { amount } } } } } }`, nil, &data)
	require.Len(t, data.RevenueByVisitor.Edges, 1)
	require.Equal(t, visitor, data.RevenueByVisitor.Edges[0].Node.Visitor.ID)
	require.Equal(t, "29.99", data.RevenueByVisitor.Edges[0].Node.Revenue.Net.Amount)

	t.Log("the page says who pays; the webhook that follows knows the e-mail only")
	require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`datafast("signup", {plan: "starter"}); datafast("identify", {user_id: "user_42", name: "Ada"}); datafast("payment", {email: "Ada@example.com"})`)))
	answered(4)
	s.posted(t, `{"amount": 10, "currency": "USD", "transaction_id": "payment_2", "email": "ada@example.com"}`)
	got = s.journey(t, visitor)
	require.ElementsMatch(t, []string{"CUSTOM", "IDENTIFY", "PAYMENT"}, got.events())
	require.Equal(t, "Ada", got.Identity.Name)
	require.Equal(t, "39.99", got.Revenue.Net.Amount)
	require.Equal(t, 1, got.VisitCount)
	require.Empty(t, browsertest.Problems(ctx))
}

// The public package that DataFast offers instead of its script runs as it is.
func TestDataFastPackage_node(t *testing.T) {
	t.Parallel()
	node := program(t, "node")
	s := start(t, options{Wrap: watched(t)})
	dir := withModules(t, "testdata/datafast")
	visitor := strings.TrimSpace(run(t, dir, []string{"BASE_URL=" + s.url, "TRACKING_ID=" + s.site.TrackingID}, node, "visit.mjs"))

	got := s.journey(t, visitor)
	require.Equal(t, 1, got.VisitCount)
	require.Equal(t, 2, got.FirstVisit.Pageviews)
	require.Equal(t, []string{"letter", "spring"}, []string{got.FirstVisit.Source, got.FirstVisit.UtmCampaign})
	require.Equal(t, []string{"CUSTOM", "EXTERNAL_LINK", "IDENTIFY", "PAYMENT"}, got.events())
	signup, link := got.Events.Edges[0].Node, got.Events.Edges[1].Node
	require.Equal(t, "signup", *signup.Name)
	require.Equal(t, map[string]any{"plan": "starter", "seats": "3"}, signup.Properties)
	require.Equal(t, "https://partner.example/", *link.Link)
	require.Equal(t, "user_42", got.Identity.UserID)
	require.Equal(t, "0.00", got.Revenue.Net.Amount, "a page cannot make revenue")
	s.posted(t, `{"amount": 29.99, "currency": "USD", "transaction_id": "payment_1", "email": "ada@example.com"}`)
	require.Equal(t, "29.99", s.journey(t, visitor).Revenue.Net.Amount)
}

func TestDataFastPackage_browser(t *testing.T) {
	t.Parallel()
	s := start(t, options{Wrap: watched(t)})
	dir := withModules(t, "testdata/datafast")
	html, err := os.ReadFile(filepath.Join(dir, "shop.html"))
	require.NoError(t, err)
	page := strings.NewReplacer("BASE_URL", s.url, "TRACKING_ID", s.site.TrackingID).Replace(string(html))
	mux := http.NewServeMux()
	mux.Handle("GET /datafast/", http.FileServer(http.Dir(filepath.Join(dir, "node_modules"))))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	})
	address := shop(t, mux)
	open := func(t *testing.T, fragment string) context.Context {
		t.Helper()
		ctx := browsertest.NewVisitor(t, "shop.example")
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address+"/?utm_campaign=spring"+fragment)))
		browsertest.WaitFor(ctx, t, `document.title === "Ready"`)
		return ctx
	}
	do := func(ctx context.Context, t *testing.T, script string) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise)), "%s: %s", script, browsertest.Problems(ctx))
	}

	t.Run("with cookies", func(t *testing.T) {
		t.Parallel()
		ctx := open(t, "")
		do(ctx, t, `datafast.track("signup").then(() => datafast.trackPageview("/pricing")).then(() => datafast.flush())`)
		visitor := text(ctx, t, `document.cookie.match(/datafast_visitor_id=([^;]+)/)[1]`)
		got := s.journey(t, visitor)
		require.Equal(t, "spring", got.FirstVisit.UtmCampaign)
		require.Equal(t, 2, got.FirstVisit.Pageviews)
		require.Equal(t, []string{"CUSTOM"}, got.events())
		require.Empty(t, browsertest.Problems(ctx))
	})

	t.Run("without cookies it learns the visitor from the server", func(t *testing.T) {
		t.Parallel()
		ctx := open(t, "#cookieless")
		do(ctx, t, `datafast.track("signup").then(() => datafast.flush())`)
		require.Empty(t, text(ctx, t, `document.cookie`))
		got := s.journey(t, text(ctx, t, `datafast.getVisitorId()`))
		require.Equal(t, "spring", got.FirstVisit.UtmCampaign)
		require.Equal(t, []string{"CUSTOM"}, got.events())
		require.Empty(t, browsertest.Problems(ctx))
	})
}
