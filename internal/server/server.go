// Package server puts the transports and pages on one HTTP server, and stops it without losing a
// request that it accepted.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"tributary/internal/auth"
	"tributary/internal/server/pages"
	"tributary/internal/tracker"
	"tributary/model"
)

// The time limits of a request. A slow client is cut off, and a query that takes too long is
// answered with CodeUnavailable.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	requestTimeout = 30 * time.Second
	writeTimeout   = requestTimeout + 10*time.Second
	idleTimeout    = 2 * time.Minute
	maxHeader      = 16 << 10 // bytes
)

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
}

// New is the handler of all that a Tributary server offers.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	graphQL := auth.Middleware(c.Tokens, c.Now, c.GraphQLError)(c.GraphQL)
	mux.Handle("/graphql", c.guard(graphQL, c.GraphQLError))
	rest := auth.Middleware(c.Tokens, c.Now, c.RESTError)(c.REST)
	mux.Handle("/api/", c.guard(rest, c.RESTError))
	public := c.guard(c.REST, c.RESTError)
	mux.Handle("/api/events", public) // which names its website by a tracking id
	mux.Handle("/healthz", public)
	mux.Handle("/readyz", public)
	contract := c.guard(newContract(), c.RESTError)
	mux.Handle("/openapi.yaml", contract)
	mux.Handle("/openapi.json", contract)
	mux.Handle(tracker.Path, c.guard(tracker.New(), c.RESTError))
	shown := c.guard(c.Pages, c.RESTError)
	for _, path := range pages.Paths {
		mux.Handle(path, shown)
	}
	unknown := c.guard(http.HandlerFunc(c.notFound), c.RESTError)
	mux.Handle("/api", unknown) // which would be sent on to /api/
	mux.Handle("/", unknown)
	return identify(mux)
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
			ctx := r.Context()
			c.Logger.ErrorContext(ctx, "a request panicked", "panic", cause, "requestId", model.RequestID(ctx), "path", r.URL.Path, "stack", string(debug.Stack()))
			fail(w, r, model.ErrInternal)
		}()
		next.ServeHTTP(w, r)
	})
}

// Serve answers requests on the listener until the context ends. It then accepts no more, gives
// those under way the grace time to finish, and returns nil. Errors: of the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, grace time.Duration, logger *slog.Logger) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Serve(listener) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		logger.Warn("requests were still under way when the grace time ended")
		_ = srv.Close()
	}
	<-stopped
	return nil
}
