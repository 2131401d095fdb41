package server

import (
	"net/http"
	"time"

	"tributary/internal/span"
)

// Observer is told of what a server does, to count it. It is safe for concurrent use.
type Observer interface {
	// Answered tells of a request by its route, which is a pattern and not the path that was asked for.
	Answered(route, method string, status int, took time.Duration)
	// WatchRequests gives a function that tells how many requests are worked on.
	WatchRequests(inFlight func() int)
	// Panicked tells of a panic of a handler.
	Panicked()
	// Overloaded tells of a request that was refused because too many are under way.
	Overloaded()
	// TokenLimited tells of a request that was refused because its token asks too often.
	TokenLimited()
}

// nobody is told nothing.
type nobody struct{}

func (nobody) Answered(string, string, int, time.Duration) {}
func (nobody) WatchRequests(func() int)                    {}
func (nobody) Panicked()                                   {}
func (nobody) Overloaded()                                 {}
func (nobody) TokenLimited()                               {}

// observe tells the observer of each request to a route, and makes a span of it.
func (c Config) observe(route string, next http.Handler) http.Handler {
	if c.Observer == (nobody{}) && c.Tracer == (span.Tracer{}) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &seen{ResponseWriter: w, status: http.StatusOK}
		r, served := c.Tracer.Request(r, route, c.trusts)
		defer func() {
			served.End(seen.status)
			c.Observer.Answered(route, r.Method, seen.status, time.Since(began))
		}()
		next.ServeHTTP(seen, r)
	})
}

// seen is an answer of which the status is noted.
type seen struct {
	http.ResponseWriter
	status int
}

func (s *seen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }
