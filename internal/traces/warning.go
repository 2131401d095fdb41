package traces

import (
	"context"
	"log/slog"
	"sync"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// warnPause is how long nothing more is said of a collector that does not take spans.
const warnPause = time.Minute

// warning is an exporter whose failures are logged, now and then, and are none to who uses it.
type warning struct {
	sdk.SpanExporter
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
	lost int // spans since then
}

// ExportSpans implements sdk.SpanExporter.
func (w *warning) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := w.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += len(spans)
	if now := time.Now(); w.last.IsZero() || now.Sub(w.last) >= warnPause {
		w.log.Warn("traces are lost: the collector does not take them", "spans", w.lost, "error", shortened(err.Error()))
		w.last, w.lost = now, 0
	}
	return nil
}

// maxText is how much is logged of an error, in which a collector may have written what it likes.
const maxText = 300

func shortened(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}
