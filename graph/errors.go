package graph

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"tributary/model"
)

// present turns an error into what a client sees: a message that is safe, extensions.code,
// extensions.field and extensions.requestId. What is not model's or the query's own fault is logged
// once and masked.
func present(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	fault := model.AsError(err)
	switch {
	case fault != nil && fault != model.ErrOverloaded && fault.Code == model.CodeUnavailable && !errors.Is(err, context.Canceled):
		if !mayLog(ctx) {
			break
		}
		slog.WarnContext(ctx, "the database cannot answer", "error", err, "requestId", model.RequestID(ctx))
	case fault != nil:
	case isRequestFault(shown):
		shown.Message = requestMessage(shown)
		if id := model.RequestID(ctx); id != "" {
			shown.Extensions["requestId"] = id
		}
		return shown
	default:
		if mayLog(ctx) {
			slog.ErrorContext(ctx, "a GraphQL request failed", "error", err, "requestId", model.RequestID(ctx))
		}
		fault = model.ErrInternal
	}
	shown.Message = fault.Message
	shown.Extensions = extensions(ctx, fault, shown.Path)
	return shown
}

// extensions are those of an error. The path's last field stands in where a scalar, which does not
// know its field, refused a value.
func extensions(ctx context.Context, fault *model.Error, path ast.Path) map[string]any {
	field := fault.Field
	if field == "" && refusedByScalar[fault.Code] && len(path) > 1 {
		field = fmt.Sprint(path[len(path)-1])
	}
	ext := map[string]any{"code": string(fault.Code)}
	if field != "" {
		ext["field"] = field
	}
	if len(fault.Others) > 0 {
		ext["fields"] = fault.Fields()
	}
	if id := model.RequestID(ctx); id != "" {
		ext["requestId"] = id
	}
	return ext
}

// refusedByScalar are the codes that scalars refuse values with.
var refusedByScalar = map[model.Code]bool{
	model.CodeInvalidAmount: true, model.CodeInvalidCurrency: true,
	model.CodeInvalidTimestamp: true, model.CodeInvalidMetadata: true,
}

// isRequestFault says whether the query itself is at fault: it does not parse or fit the schema.
func isRequestFault(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return code == errcode.ParseFailed || code == errcode.ValidationFailed
}

// requestMessage says what is wrong with a query that does not parse or fit the schema. The parser's
// and validator's own messages quote what the client sent, and guess names that it might have meant.
func requestMessage(err *gqlerror.Error) string {
	message := err.Message
	switch {
	case err.Extensions["code"] == errcode.ParseFailed:
		if len(err.Locations) == 0 { // the limit of tokens
			return message
		}
		return fmt.Sprintf("the query is not well-formed GraphQL at line %d, column %d", err.Locations[0].Line, err.Locations[0].Column)
	case len(err.Path) > 1: // a variable, by the path to the value at fault
		return err.Path.String() + ": " + withoutValue(message)
	case err.Rule == rules.ValuesOfCorrectTypeRule.Name:
		return withoutValue(message)
	}
	return message
}

// withoutValue cuts the value out of a message on its type.
func withoutValue(message string) string {
	if at := strings.LastIndex(message, " is not a valid "); at >= 0 { // of a variable; the value is before
		return "must be a valid " + message[at+len(" is not a valid "):]
	}
	if strings.HasPrefix(message, `Value "`) { // of an enum; a name, without spaces
		return "The value" + message[strings.Index(message, `" does not exist`)+1:]
	}
	message, _, _ = strings.Cut(message, ": ")
	message, _, _ = strings.Cut(message, ", found ")
	if strings.HasPrefix(message, "cannot use value ") {
		return "cannot be used as " + message[strings.LastIndex(message, " ")+1:]
	}
	return message
}

// recovered turns a panic into an error that is masked. Every panic of GraphQL is noticed here.
func (r *Resolver) recovered(ctx context.Context, cause any) error {
	r.observer().Panicked()
	if mayLog(ctx) {
		slog.ErrorContext(ctx, "a resolver panicked", "panic", cause, "requestId", model.RequestID(ctx), "stack", string(debug.Stack()))
	}
	return model.ErrInternal
}

// loggedKey is where a context counts the faults that its request has logged.
type loggedKey struct{}

// withFewLogged lets a request log as many faults as it answers with: a thousand fields may fail for one reason.
func withFewLogged(ctx context.Context) context.Context {
	return context.WithValue(ctx, loggedKey{}, new(atomic.Int32))
}

func mayLog(ctx context.Context) bool {
	logged, ok := ctx.Value(loggedKey{}).(*atomic.Int32)
	return !ok || logged.Add(1) <= maxErrors
}
