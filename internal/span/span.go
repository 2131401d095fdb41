// Package span says what traces tell of a request, in the terms of OpenTelemetry. What a span can carry is what the
// functions here take: names that stand in the program, codes, counts, and the id of the request. Nothing that a client
// has sent, no statement and no message of an error gets into one.
//
// Only requests need a tracer: spans below one are made where the context has a span that is recorded, and cost
// next to nothing where it has none.
package span

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tributary/model"
)

// scope is what made the spans.
const scope = "tributary"

// Span is a part of a trace. The zero value belongs to no trace. It is used by one goroutine.
type Span struct{ recorded trace.Span }

// IsRecorded says whether there is anything to tell.
func (s Span) IsRecorded() bool { return s.recorded != nil }

// Field begins the span of a root field of a GraphQL operation, by its operation's kind and its name in the schema.
func Field(ctx context.Context, operation, field string) (context.Context, Span) {
	if !isRecorded(ctx) {
		return ctx, Span{}
	}
	return below(ctx, operation+" "+field, attribute.String("graphql.operation.type", operation), attribute.String("tributary.graphql.field", field))
}

// Read begins the span of what is read from the database, and ends it.
func Read(ctx context.Context, what string) (end func()) {
	if !isRecorded(ctx) {
		return func() {}
	}
	_, read := below(ctx, "read "+what, semconv.DBSystemNamePostgreSQL)
	return func() { read.recorded.End() }
}

// isRecorded says whether the context has a span that is recorded, below which there can be others.
func isRecorded(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// below begins a span below that of the context, which is recorded.
func below(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, Span) {
	ctx, begun := trace.SpanFromContext(ctx).TracerProvider().Tracer(scope).Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, Span{begun}
}

// End ends the span. The code is that of the error that it ended with, "" if it was a success.
func (s Span) End(code model.Code) {
	if s.recorded == nil {
		return
	}
	if code != "" {
		s.recorded.SetAttributes(semconv.ErrorTypeKey.String(string(code)))
	}
	if code == model.CodeInternal || code == model.CodeUnavailable {
		s.recorded.SetStatus(codes.Error, "")
	}
	s.recorded.End()
}

// Refused notes in the span of the context the code of the error that a request is answered with.
func Refused(ctx context.Context, code model.Code) {
	if isRecorded(ctx) {
		trace.SpanFromContext(ctx).SetAttributes(semconv.ErrorTypeKey.String(string(code)))
	}
}

// Code is the code of an error, which is CodeInternal if it is none of model's, and "" if there is none.
func Code(err error) model.Code {
	if err == nil {
		return ""
	}
	if fault := model.AsError(err); fault != nil {
		return fault.Code
	}
	return model.CodeInternal
}
