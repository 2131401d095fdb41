package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/clientip"
	"tributary/internal/metrics"
	"tributary/internal/server"
	"tributary/internal/server/pages"
	"tributary/internal/span"
)

// How long a stop may take, to stay below two seconds.
const (
	drainTime = 1200 * time.Millisecond // at most, for the requests under way
	stopTime  = 1800 * time.Millisecond // for these and for Postgres' last checkpoint
)

// A server's memory is mostly garbage of requests. To collect it less often saves about a fifth of the processor
// time for 16 MB more; near the limit it is collected as often as it takes.
const (
	gcPercent   = 400
	memoryLimit = 256 << 20 // bytes
)

// tuneMemory sets how memory is collected, unless the environment says how.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// errStopTime ends the closing of the database.
var errStopTime = errors.New("the time to stop is over")

const defaultListen = "127.0.0.1:8080"

type serveCmd struct {
	Listen              address   `default:"${listen}" placeholder:"HOST:PORT" help:"Address to listen on; port 0 picks a free one (default: ${default})."`
	Demo                bool      `help:"Create a website with some months of visits and payments, unless it is there, and open the playground and the docs with its key."`
	Rates               string    `enum:"off,ecb" default:"off" placeholder:"SOURCE" help:"Keep exchange rates fresh: off, or ecb for those of the European Central Bank (default: ${default})."`
	RatesURL            folder    `default:"${ratesURL}" placeholder:"URL" help:"Address of the folder with the European Central Bank's files, for a mirror (default: ${default})."`
	TrustedProxy        []network `placeholder:"ADDRESS" help:"Address or network of a proxy in front of the server, such as 10.0.0.0/8: what its headers say of a client's address and country is believed; repeatable."`
	CORSOrigin          []origin  `name:"cors-origin" placeholder:"ORIGIN" help:"Origin of pages that may call GraphQL and the API from a browser, such as https://app.example.com, or * for all; repeatable. Pages of every origin may send events."`
	GeoIP               string    `name:"geoip" placeholder:"FILE" help:"MaxMind database (.mmdb) of countries or cities, by which visits get their country."`
	EventRate           uint32    `default:"20" placeholder:"N" help:"How many events a second one address may send to /api/events, in the mean of ten seconds; 0 for any number (default: ${default})."`
	KeepVisits          days      `placeholder:"DAYS" help:"How long visits and events are kept, such as 400d; then they are deleted, with visitors who did not pay (default: for ever)."`
	TokenRate           uint32    `placeholder:"N" help:"How many requests a second one key or token may make, in the mean of ten seconds; 0 for any number (default: any)."`
	MetricsListen       address   `placeholder:"HOST:PORT" help:"Address at which Prometheus finds /metrics, such as 127.0.0.1:9090, for everybody who can reach it; none without."`
	Traces              collector `placeholder:"URL" help:"Collector to send OpenTelemetry traces to by OTLP over HTTP, such as http://127.0.0.1:4318, or otlp for that of the OTEL_EXPORTER_OTLP_… variables; none without."`
	ReadDatabaseURL     string    `placeholder:"URL" help:"Streaming replica of the database to read reports from; what cannot be read there comes from --database-url."`
	AllowUnsafeDatabase bool      `help:"Start although the database of --database-url says that it can lose what it has acknowledged."`
}

// Run implements the command.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	tuneMemory()
	listener, err := bind(ctx, "--listen", c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // is an error after serving, which has closed it
	figures, closeFigures, err := c.openMetrics(ctx, a.log)
	if err != nil {
		return err
	}
	defer closeFigures()
	sent, err := c.openTraces(ctx, a.log)
	if err != nil {
		return err
	}
	countries, err := clientip.OpenCountries(c.GeoIP, c.proxies())
	if err != nil {
		return fmt.Errorf("--geoip: %w", err)
	}
	defer func() { _ = countries.Close() }() // it was only read
	user := forServer
	if c.AllowUnsafeDatabase {
		user = forUnsafeServer
	}
	d, err := a.open(ctx, user)
	if err != nil {
		return err
	}
	closing, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	context.AfterFunc(ctx, func() { time.AfterFunc(stopTime, func() { cancel(errStopTime) }) })
	err = c.serve(ctx, a, d, listener, countries, figures, sent.Tracer)

	var sending sync.WaitGroup
	sending.Go(func() { sent.Close(closing) })
	switch err := d.close(closing); {
	case errors.Is(err, errStopTime):
		a.log.Info("Postgres had no time for its last checkpoint; nothing is lost, the next start recovers")
	case err != nil:
		a.log.Warn("the database was not closed in order", "error", err)
	}
	sending.Wait()
	a.log.Info("stopped")
	return err
}

// serve answers requests until the context ends.
func (c *serveCmd) serve(ctx context.Context, a *app, d *database, listener net.Listener, countries *clientip.Countries, figures *metrics.Metrics, tracer span.Tracer) error {
	place, err := a.place(ctx, d, listener.Addr())
	if err != nil {
		return err
	}
	store, closeReplica, err := c.withReplica(a, d.Store)
	if err != nil {
		return err
	}
	defer closeReplica()
	watchStores(figures, d.Store, store)
	resolver := newResolver(store)
	if c.Demo {
		if place.Demo, err = a.openDemo(ctx, d.Store, resolver); err != nil {
			return err
		}
		if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
			a.log.Warn("the playground and the docs show the demo's key to everyone who can reach this address", "listen", listener.Addr().String())
		}
	}
	if err := a.print(place, place.write); err != nil {
		return err
	}
	defer a.keepRates(ctx, c, d.Store)()
	defer a.buildRollups(ctx, d.Store)()
	defer a.finishErasures(ctx, d.Store)()
	defer a.pruneVisits(ctx, c.KeepVisits, d.Store)()
	defer a.takeSamples(ctx, d.Store)()
	a.log.Info("ready for requests", "url", place.URL, "version", version)
	context.AfterFunc(ctx, func() { a.log.Info("stopping: no more requests are accepted, those under way are finished") })
	senders := newSenders(c.proxies(), countries, c.EventRate, a.log)
	limits := server.Limits{Grace: drainTime}
	config := server.Config{
		Pages:       pages.New(pages.Config{Version: version, Playground: place.Demo.playground()}),
		Tracer:      tracer,
		CORSOrigins: c.origins(),
		Trusts:      c.proxies().FromProxy,
		TokenRate:   c.TokenRate,
		Logger:      a.log,
	}
	if figures != nil {
		config.Observer, resolver.Observer, limits.Cut = figures, figures, figures.ConnectionCut
		senders = figures.CountSenders(senders)
	}
	return server.Serve(ctx, listener, newHandler(config, d.Store, resolver, senders), limits, a.log)
}

// withReplica is the store with its reports read from the replica, if there is one, until that is closed.
func (c *serveCmd) withReplica(a *app, primary *db.Store) (store graph.Store, closeReplica func(), err error) {
	if c.ReadDatabaseURL == "" {
		return primary, func() {}, nil
	}
	replicated, err := db.OpenReplicated(primary, c.ReadDatabaseURL, db.Options{}, a.log)
	if err != nil {
		return nil, nil, fmt.Errorf("--read-database-url: %w", err)
	}
	return replicated, func() { _ = replicated.Close() }, nil
}

// proxies are the networks whose headers are believed.
func (c *serveCmd) proxies() clientip.Proxies {
	var proxies clientip.Proxies
	for _, n := range c.TrustedProxy {
		proxies = append(proxies, netip.Prefix(n))
	}
	return proxies
}

// origins are those of the pages that may call from browsers.
func (c *serveCmd) origins() []string {
	var origins []string
	for _, o := range c.CORSOrigin {
		origins = append(origins, string(o))
	}
	return origins
}

// bind takes the address of a flag first, so that a port that is in use is found out at once.
func bind(ctx context.Context, flag string, at address) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", string(at))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use: stop the program that listens there, or choose another address with %s", at, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be listened on by this user: choose a port from 1024 with %s", at, flag)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: choose an address of this machine with %s: %w", at, flag, err)
	}
	return listener, nil
}
