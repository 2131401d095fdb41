package browsertest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"tributary/internal/browsertest"
)

func open(t *testing.T, body string) context.Context {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>test</title><link rel="icon" href="data:,">` + body))
	}))
	t.Cleanup(server.Close)
	ctx := browsertest.New(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL)))
	return ctx
}

func has(problems []string, part string) bool {
	return slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, part) })
}

func TestProblems(t *testing.T) {
	t.Parallel()

	t.Run("a good page has none", func(t *testing.T) {
		t.Parallel()
		ctx := open(t, `<p id="p"></p><script>setTimeout(() => { p.textContent = "late" }, 50)</script>`)
		browsertest.WaitFor(ctx, t, `p.textContent === "late"`)
		require.Empty(t, browsertest.Problems(ctx))
	})

	t.Run("other hosts are blocked and named, errors are recorded", func(t *testing.T) {
		t.Parallel()
		ctx := open(t, `<script>
			console.error("said", 42);
			window.failures = 0;
			const failed = () => { window.failures++ };
			fetch("https://example.com/a").then(() => { throw new Error("answered") }, failed);
			fetch("http://192.0.2.1/b").then(() => { throw new Error("answered") }, failed);
			setTimeout(() => { failed(); throw new Error("thrown") });
		</script>`)
		browsertest.WaitFor(ctx, t, `failures === 3`)
		problems := browsertest.Problems(ctx)
		require.Contains(t, problems, "request to https://example.com/a")
		require.Contains(t, problems, "request to http://192.0.2.1/b")
		require.Contains(t, problems, `console: "said" 42`)
		require.Condition(t, func() bool { return has(problems, "exception: Error: thrown") }, "%q", problems)
		require.Condition(t, func() bool { return has(problems, "net::ERR_NAME_NOT_RESOLVED https://example.com/a") }, "%q", problems)
		require.False(t, has(problems, "answered"), "%q", problems)
	})
}

func TestNewVisitor(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.UserAgent()))
	}))
	t.Cleanup(server.Close)
	ctx := browsertest.NewVisitor(t, "shop.example")
	for _, host := range []string{"shop.example", "www.shop.example"} {
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(strings.Replace(server.URL, "127.0.0.1", host, 1))))
		browsertest.WaitFor(ctx, t, `document.body.innerText === navigator.userAgent && !/headless/i.test(navigator.userAgent)`)
		browsertest.WaitFor(ctx, t, `navigator.webdriver === false`)
	}
	require.Error(t, chromedp.Do(ctx, chromedp.Navigate("https://example.com/")))
	require.True(t, has(browsertest.Problems(ctx), "request to https://example.com/"))
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	ctx := open(t, `<script>if (location.pathname === "/") setTimeout(() => { location.pathname = "/next" }, 200)</script>`)
	browsertest.WaitFor(ctx, t, `location.pathname === "/next" && document.readyState === "complete"`)
	require.Empty(t, browsertest.Problems(ctx))
}
