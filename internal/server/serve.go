package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits bound what clients can make a server wait for. What is zero is as it is for a server by default.
type Limits struct {
	// Header is how long the head of a request may take to arrive: 5 seconds.
	Header time.Duration
	// Read is how long a request may take to arrive, with its body: 10 seconds.
	Read time.Duration
	// Write is how long a client has from the head of its request until it has fetched the answer: 40 seconds.
	Write time.Duration
	// Idle is how long a connection may be without a request: 2 minutes.
	Idle time.Duration
	// Connections is how many clients may have: 4,096, or fewer if the process may not open so many files.
	Connections int
	// Cut, if set, is told of each connection that is closed for another one.
	Cut func()
	// Grace is how long requests under way have when the server stops: no time.
	Grace time.Duration
}

// maxHeader is the greatest size of a request's head in bytes.
const maxHeader = 16 << 10

func (l Limits) withDefaults() Limits {
	for field, usual := range map[*time.Duration]time.Duration{
		&l.Header: 5 * time.Second, &l.Read: 10 * time.Second, &l.Write: requestTimeout + 10*time.Second, &l.Idle: 2 * time.Minute,
	} {
		if *field == 0 {
			*field = usual
		}
	}
	if l.Connections == 0 {
		l.Connections = connectionLimit()
	}
	if l.Cut == nil {
		l.Cut = func() {}
	}
	return l
}

// Serve answers requests on the listener until the context ends. It then accepts no more, gives
// those under way the grace time to finish, and returns nil. Errors: of the listener.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, limits Limits, logger *slog.Logger) error {
	limits = limits.withDefaults()
	open := &connections{Listener: listener, most: limits.Connections, cut: limits.Cut}
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.Header,
		ReadTimeout:       limits.Read,
		WriteTimeout:      limits.Write,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       open.keep,
		ConnState:         open.track,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() { stopped <- srv.Serve(open) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), limits.Grace)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		logger.Warn("requests were still under way when the grace time ended")
		_ = srv.Close()
	}
	<-stopped
	return nil
}
