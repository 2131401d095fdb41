package traces

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// warnPause is how long nothing more is said of a collector that does not take spans.
const warnPause = time.Minute

// warning is an exporter whose failures are logged, now and then, and are none to who uses it. So is what never gets to
// it.
type warning struct {
	sdk.SpanExporter
	log *slog.Logger
	// room is for how many spans there is before they get here.
	room int64
	made atomic.Int64

	mu       sync.Mutex
	got      int64 // spans, of those made
	overflow int64 // those that certainly never get here
	last     time.Time
	lost     int64 // spans since then
}

// ExportSpans implements sdk.SpanExporter.
func (w *warning) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := w.SpanExporter.ExportSpans(ctx, spans)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got += int64(len(spans))
	if more := w.made.Load() - w.got - w.overflow - w.room; more > 0 {
		w.overflow += more
		w.lose(more, "more are made than the collector takes")
	}
	if err != nil {
		w.lose(int64(len(spans)), shortened(err.Error()))
	}
	return nil
}

// lose logs that spans are lost, unless it was logged just now.
func (w *warning) lose(spans int64, why string) {
	w.lost += spans
	if now := time.Now(); w.last.IsZero() || now.Sub(w.last) >= warnPause {
		w.log.Warn("traces are lost", "spans", w.lost, "error", why)
		w.last, w.lost = now, 0
	}
}

// maxText is how much is logged of an error, in which a collector may have written what it likes.
const maxText = 300

func shortened(text string) string {
	if len(text) > maxText {
		return text[:maxText] + "…"
	}
	return text
}

// counted tells a warning of the spans that are made.
type counted struct {
	sdk.SpanProcessor
	by *warning
}

// OnEnd implements sdk.SpanProcessor.
func (c counted) OnEnd(span sdk.ReadOnlySpan) {
	c.by.made.Add(1)
	c.SpanProcessor.OnEnd(span)
}
