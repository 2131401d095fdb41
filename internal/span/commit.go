package span

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Shared are the requests that a transaction is for. The zero value is of none.
type Shared struct{ spans []trace.Span }

// Add adds the request of a context, unless it is not recorded.
func (s *Shared) Add(ctx context.Context) {
	if recorded := trace.SpanFromContext(ctx); recorded.IsRecording() {
		s.spans = append(s.spans, recorded)
	}
}

// Commit begins the span of the transaction, in a trace of its own: it is no part of one request more than of another.
// It and the requests are linked with each other. If none of them is recorded there is none, and what is done in the
// context belongs to none of them either. It is of so many items of a kind.
func (s *Shared) Commit(ctx context.Context, of string, items int) (context.Context, Span) {
	if len(s.spans) == 0 {
		return ctx, Span{}
	}
	links := make([]trace.Link, len(s.spans))
	for i, request := range s.spans {
		links[i].SpanContext = request.SpanContext()
	}
	ctx, begun := s.spans[0].TracerProvider().Tracer(scope).Start(ctx, "commit "+of, trace.WithNewRoot(), trace.WithLinks(links...),
		trace.WithAttributes(semconv.DBSystemNamePostgreSQL, attribute.String("tributary.commit.of", of), attribute.Int("tributary.commit.items", items)))
	for _, request := range s.spans {
		request.AddLink(trace.Link{SpanContext: begun.SpanContext()})
	}
	return ctx, Span{begun}
}
