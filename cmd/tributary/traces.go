package main

import (
	"context"
	"fmt"
	"log/slog"

	"tributary/internal/traces"
)

// openTraces has traces sent to where --traces says. There are none without the flag.
func (c *serveCmd) openTraces(ctx context.Context, log *slog.Logger) (*traces.Traces, error) {
	if c.Traces == "" {
		return &traces.Traces{}, nil
	}
	config := traces.Config{Version: version, Logger: log}
	if c.Traces != fromEnvironment {
		config.Endpoint = string(c.Traces)
	}
	sent, err := traces.Open(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("--traces: %w", err)
	}
	return sent, nil
}
