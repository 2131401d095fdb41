package main

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"tributary/internal/traces"
)

// openTraces has traces sent to where --traces says, until they are closed, which goes on beside the caller until the
// channel ends. The tracer is nil without the flag, and if the environment disables OpenTelemetry.
func (c *serveCmd) openTraces(ctx context.Context, log *slog.Logger) (tracer trace.Tracer, closeTraces func(context.Context) <-chan struct{}, err error) {
	closed := make(chan struct{})
	none := func(context.Context) <-chan struct{} {
		close(closed)
		return closed
	}
	if c.Traces == "" {
		return nil, none, nil
	}
	config := traces.Config{Version: version, Logger: log}
	if c.Traces != fromEnvironment {
		config.Endpoint = string(c.Traces)
	}
	sent, err := traces.Open(ctx, config)
	if err != nil {
		return nil, nil, fmt.Errorf("--traces: %w", err)
	}
	if sent == nil {
		return nil, none, nil
	}
	return sent.Tracer, func(ctx context.Context) <-chan struct{} {
		go func() {
			defer close(closed)
			sent.Close(ctx)
		}()
		return closed
	}, nil
}
