package main

import (
	"context"
	"log/slog"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/metrics"
	"tributary/internal/server"
)

// openMetrics serves the server's figures at --metrics-listen, until they are closed; nil without the flag.
func (c *serveCmd) openMetrics(ctx context.Context, log *slog.Logger) (figures *metrics.Metrics, closeFigures func(), err error) {
	if c.MetricsListen == "" {
		return nil, func() {}, nil
	}
	listener, err := bind(ctx, "--metrics-listen", c.MetricsListen)
	if err != nil {
		return nil, nil, err
	}
	figures = metrics.New(version)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the end of a server is a thing to see
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, listener, figures.Handler(), server.Limits{}, log) }()
	log.Info("figures for Prometheus", "url", address(listener.Addr().String()).url()+metrics.Path)
	return figures, func() {
		stop()
		if err := <-stopped; err != nil {
			log.Warn("the figures for Prometheus were not served to the end", "error", err)
		}
	}, nil
}

// watchStores has the figures, if there are any, show what the store does and the replica that it may read from.
func watchStores(figures *metrics.Metrics, primary *db.Store, store graph.Store) {
	if figures == nil {
		return
	}
	figures.WatchCommits(primary)
	figures.WatchPool("primary", primary.Pool)
	if replicated, ok := store.(*db.Replicated); ok {
		figures.WatchReplica(replicated)
	}
}
