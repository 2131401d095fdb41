// Package server puts the transports and pages on one HTTP server, and stops it without losing a
// request that it accepted.
package server

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"tributary/internal/auth"
	"tributary/internal/server/pages"
	"tributary/internal/span"
	"tributary/internal/tracker"
	"tributary/model"
	"tributary/rest"
)

// requestTimeout is how long a request may take. One that takes longer is answered with CodeUnavailable.
const requestTimeout = 30 * time.Second

// Config is what a server is made of.
type Config struct {
	GraphQL http.Handler // at /graphql
	REST    http.Handler // at /api/, /healthz and /readyz
	Pages   http.Handler // at pages.Paths; and tells a browser that nothing is at a path

	Tokens auth.Tokens
	Now    func() time.Time
	// GraphQLError and RESTError answer a request that a transport never gets to see.
	GraphQLError func(http.ResponseWriter, *http.Request, error)
	RESTError    func(http.ResponseWriter, *http.Request, error)
	Logger       *slog.Logger

	// Observer, if set, is told of what the server does.
	Observer Observer
	// CORSOrigins are those of the pages that may call GraphQL and the API from browsers, "*" all. Pages of every
	// origin may send events.
	CORSOrigins []string
	// Tracer makes the spans of requests; those below them come with their context.
	Tracer span.Tracer
	// Trusts says whether the X-Request-Id and the traceparent that a request brings may stay; nil: none may.
	Trusts func(*http.Request) bool
	// TokenRate is how many requests a second one token may make, in the mean of ten seconds; 0 means any number.
	TokenRate uint32
	// InFlight is how many requests are worked on at a time; 0 means 2,048.
	InFlight int
}

// overloadPause is how long the log says nothing more of an overload.
const overloadPause = 10 * time.Second

// New is the handler of all that a Tributary server offers.
func New(c Config) http.Handler {
	if c.Observer == nil {
		c.Observer = nobody{}
	}
	inFlight := newPlaces(cmp.Or(c.InFlight, maxInFlight), c.overloaded())
	c.Observer.WatchRequests(inFlight.inUse)
	rates := newTokenRates(c.TokenRate, c.Now, c.Observer.TokenLimited)
	// private is what needs a token, and is nothing for caches.
	private := func(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
		limited := inFlight.limit(fail, next)
		if c.TokenRate > 0 {
			limited = rates.limit(fail, limited)
		}
		authenticated := auth.Middleware(tokens{c.Tokens, inFlight.refused}, c.Now, fail)(limited)
		return origins(c.CORSOrigins).allow(unstored(c.guard(authenticated, fail)))
	}
	mux := http.NewServeMux()
	handle := func(route string, handler http.Handler) { mux.Handle(route, c.observe(route, handler)) }
	handle("/graphql", private(c.GraphQL, c.GraphQLError))
	health := c.guard(c.REST, c.RESTError)                              // which is for those who ask whether the server is overloaded
	events := c.guard(inFlight.limit(c.RESTError, c.REST), c.RESTError) // which name their website by a tracking id
	api := private(c.REST, c.RESTError)
	for _, path := range rest.Paths() {
		switch {
		case path == "/api/events":
			handle(path, events)
		case strings.HasPrefix(path, "/api/"):
			handle(path, api)
		default:
			handle(path, health)
		}
	}
	handle("/api/", api)
	contract := c.guard(newContract(), c.RESTError)
	handle("/openapi.yaml", contract)
	handle("/openapi.json", contract)
	handle(tracker.Path, c.guard(tracker.New(), c.RESTError))
	shown := c.guard(c.Pages, c.RESTError)
	for _, path := range pages.Paths {
		handle(path, shown)
	}
	unknown := c.guard(http.HandlerFunc(c.notFound), c.RESTError)
	handle("/api", unknown) // which would be sent on to /api/
	handle("/", unknown)
	return c.identify(mux)
}

// unstored keeps answers out of every cache.
func unstored(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// overloaded counts requests that are refused for want of places, and logs it now and then.
func (c Config) overloaded() func() {
	var mu sync.Mutex
	var last time.Time
	return func() {
		c.Observer.Overloaded()
		mu.Lock()
		defer mu.Unlock()
		if now := c.Now(); now.Sub(last) > overloadPause {
			last = now
			c.Logger.Warn("more requests arrive than are answered: some are refused with 503")
		}
	}
}

// notFound answers what no handler is for. A wrong base URL is the commonest of first mistakes, so a
// program gets an error that it can read.
func (c Config) notFound(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		c.Pages.ServeHTTP(w, r)
		return
	}
	c.RESTError(w, r, model.Errorf(model.CodeNotFound, "",
		"there is nothing at this path; /openapi.yaml lists the paths of the API, and GraphQL is at /graphql"))
}

// guard answers and logs a panic.
func (c Config) guard(next http.Handler, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			c.Observer.Panicked()
			ctx := r.Context()
			c.Logger.ErrorContext(ctx, "a request panicked", "panic", cause, "requestId", model.RequestID(ctx), "path", r.URL.Path, "stack", string(debug.Stack()))
			fail(w, r, model.ErrInternal)
		}()
		next.ServeHTTP(w, r)
	})
}
