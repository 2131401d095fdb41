package browsertest

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

type recorderKey struct{}

// recorder collects, in the order of the browser's reports, what [Problems] returns.
type recorder struct {
	hosts []string // names of this machine, besides its own

	mu       sync.Mutex
	problems []string
}

// Problems returns what went wrong so far on the page of a context from [New], one line each: requests to other hosts
// than this machine ("request to https://…", whether they would have been answered or not), uncaught exceptions,
// console errors, and errors that the browser logs itself, such as failed requests, answers of 400 and above, and
// violations of the Content-Security-Policy.
func Problems(ctx context.Context) []string {
	r := ctx.Value(recorderKey{}).(*recorder)
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.problems...)
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *recorder) listen(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		r.request(e.Request.URL)
	case *network.EventWebSocketCreated:
		r.request(e.URL)
	case *runtime.EventExceptionThrown:
		r.add("exception: %s", exceptionText(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			r.add("console: %s", consoleText(e.Args))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			r.add("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
}

func (r *recorder) request(address string) {
	if !local(address, r.hosts) {
		r.add("request to %s", address)
	}
}

// local reports whether the URL is of this machine, or needs no host at all (data:, blob:, about:).
func local(address string, hosts []string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if host == "" || host == "localhost" || slices.ContainsFunc(hosts, func(h string) bool { return strings.HasSuffix("."+host, "."+h) }) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func exceptionText(details *runtime.ExceptionDetails) string {
	if details.Exception != nil && details.Exception.Description != "" {
		return details.Exception.Description
	}
	return details.Text
}

func consoleText(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		if arg.Description != "" {
			words = append(words, arg.Description)
		} else {
			words = append(words, string(arg.Value))
		}
	}
	return strings.Join(words, " ")
}
