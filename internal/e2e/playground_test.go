package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
	"tributary/internal/server/pages"
)

// A founder opens the playground and asks which visitor brought the money.
func TestPlayground(t *testing.T) {
	t.Parallel()
	s := start(t, options{Pages: func(key string) pages.Config {
		return pages.Config{Playground: pages.Playground{Key: key, Tabs: []pages.Tab{{
			Query:     `query Who($first: Int) { revenueByVisitor(first: $first) { edges { node { visitor { id firstVisit { source } } revenue { net { amount } } } } } }`,
			Variables: `{"first": 1}`,
		}}}}
	}})
	s.visit(t, "visitor-id-from-cookie")
	s.posted(t, dataFastPayment)
	if page := s.get(t, http.MethodGet, "/playground"); !strings.Contains(page.body, `src="/assets/npm/`) {
		without(t, "the playground's libraries are not built: run npm ci and npm run build in internal/server/pages")
	}
	ctx := browsertest.New(t)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/playground")))
	browsertest.WaitFor(ctx, t, `document.querySelectorAll('.graphiql-editors .CodeMirror').length === 3 && !document.querySelector('.graphiql-spinner')`)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".graphiql-execute-button"))))
	browsertest.WaitFor(ctx, t, `(text => ['"visitor-id-from-cookie"', '"source": "letter"', '"amount": "29.99"'].every(part => text.includes(part)))(
		document.querySelector('.result-window').innerText)`)
	// The schema has arrived too: its documentation is there.
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`[aria-label="Show Documentation Explorer"]`))))
	browsertest.WaitFor(ctx, t, `document.querySelector('.graphiql-plugin').innerText.includes("Mutation")`)
	require.Empty(t, browsertest.Problems(ctx))
}

// A developer comes from the start page to the API's documentation, and sends a request from it.
func TestDocs(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	ctx := browsertest.New(t)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/")))
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`nav a[href="/docs/"]`))))
	browsertest.WaitFor(ctx, t, `document.querySelectorAll(".swagger-ui .opblock").length === 6`)
	require.NoError(t, chromedp.Do(ctx,
		chromedp.Click(chromedp.CSS(".opblock-get .opblock-summary-control")),
		chromedp.Click(chromedp.CSS(".opblock-get .try-out__btn")),
		chromedp.Click(chromedp.CSS(".opblock-get .execute")),
	))
	browsertest.WaitFor(ctx, t, `document.querySelector(".opblock-get .live-responses-table").innerText.includes('"state": "alive"')`)
	require.Empty(t, browsertest.Problems(ctx))
}
