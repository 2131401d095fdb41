// Package browsertest opens pages in a real, headless browser from tests.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds a whole test in the browser, from its start to its end.
const patience = 2 * time.Minute

// New starts a headless browser with an empty profile and returns the context of one blank page in it, to be given to
// chromedp.Do and chromedp.Run. The browser cannot reach any host but this machine; [Problems] tells what it tried. It ends with the
// test, or after two minutes.
//
// Where no browser is installed, the test is skipped; it fails instead where the environment has CI=true.
func New(t testing.TB) context.Context {
	t.Helper()
	return start(t, nil)
}

// NewVisitor is like [New], but a page cannot tell the browser from one that a person uses, and the hosts, and all names
// below them, are names of this machine. It believes every certificate.
func NewVisitor(t testing.TB, hosts ...string) context.Context {
	t.Helper()
	return start(t, hosts,
		chromedp.UserAgent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"),
		chromedp.Flag("enable-automation", false),
		chromedp.Flag("disable-blink-features", "AutomationControlled"), // navigator.webdriver
		chromedp.IgnoreCertErrors,
	)
}

func start(t testing.TB, hosts []string, differences ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path := find()
	if path == "" {
		missing(t)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options(path, hosts), differences...)...)
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(allocator, patience)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // lets the browser remove its temporary files

	r := &recorder{hosts: hosts}
	ctx = context.WithValue(ctx, recorderKey{}, r)
	if err := chromedp.Listen(ctx, r.listen); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return ctx
}

// WaitFor waits until the JavaScript expression is true on the page, or on the one that the page is leaving for; an
// expression that throws is not true yet. It fails the test, with what the page shows and its [Problems], when that takes
// more than half a minute. Unlike chromedp.Poll it works where the Content-Security-Policy forbids eval.
func WaitFor(ctx context.Context, t testing.TB, expression string) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, patience/4)
	defer cancel()
	loop := chromedp.Evaluate[bool](`new Promise(done => {
		const met = () => { try { return Boolean(`+expression+`) } catch { return false } };
		const look = () => met() ? done(true) : setTimeout(look, 20);
		look();
	})`, chromedp.EvalAwaitPromise)
	_, err := chromedp.Run(limited, loop)
	for err != nil && limited.Err() == nil && !isException(err) { // the page was left meanwhile
		_, err = chromedp.Run(limited, loop)
	}
	if err != nil {
		shown, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
		t.Fatalf("waiting for %s: %v\nproblems: %q\nthe page shows:\n%s", expression, err, Problems(ctx), shown)
	}
}

// isException tells an expression that does not parse from one whose page is gone.
func isException(err error) bool {
	var exception *chromedp.ExceptionError
	return errors.As(err, &exception)
}

// find returns the path of a Chromium or Chrome; empty if there is none.
func find() string {
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func missing(t testing.TB) {
	t.Helper()
	const reason = "this test needs a browser: install Chromium or Google Chrome"
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// options start the browser headless in a new profile (which chromedp makes, and removes with the browser), without a
// sandbox for root as Chromium demands, and without services of its own that ask hosts on the internet.
func options(path string, hosts []string) []chromedp.ExecAllocatorOption {
	var names strings.Builder
	for _, host := range hosts {
		fmt.Fprintf(&names, "MAP %s 127.0.0.1, MAP *.%[1]s 127.0.0.1, ", host)
	}
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("no-sandbox", os.Geteuid() == 0),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("no-pings", true),
		// Every name and address but those of this machine is unknown, also to workers and frames.
		chromedp.Flag("host-resolver-rules", names.String()+"MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
	)
}
