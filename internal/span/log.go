package span

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// logHandler names the trace of what is logged.
type logHandler struct{ slog.Handler }

// Logged is a handler that adds trace_id to what is logged of a request whose trace is recorded.
func Logged(next slog.Handler) slog.Handler { return logHandler{next} }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if in := trace.SpanContextFromContext(ctx); in.IsSampled() {
		record.AddAttrs(slog.String("trace_id", in.TraceID().String()))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
