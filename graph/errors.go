package graph

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/model"
)

// present turns an error into what a client sees: a message that is safe, extensions.code,
// extensions.field and extensions.requestId. What is not model's or the query's own fault is logged
// once and masked.
func present(ctx context.Context, err error) *gqlerror.Error {
	shown := graphql.DefaultErrorPresenter(ctx, err)
	fault := model.AsError(err)
	switch {
	case fault != nil:
	case isRequestFault(shown):
		shown.Message = withoutSuggestion(shown.Message)
		return shown
	default:
		slog.ErrorContext(ctx, "a GraphQL request failed", "error", err, "requestId", model.RequestID(ctx))
		fault = model.Errorf(model.CodeInternal, "", "internal error; quote the request id when asking for help")
	}
	shown.Message = fault.Message
	shown.Extensions = extensions(ctx, fault, fieldAt(shown.Path))
	return shown
}

// extensions are those of an error. The path's last field stands in where a scalar, which does not
// know its field, refused a value.
func extensions(ctx context.Context, fault *model.Error, field string) map[string]any {
	if fault.Field != "" {
		field = fault.Field
	}
	ext := map[string]any{"code": string(fault.Code)}
	if field != "" && isInputFault(fault.Code) {
		ext["field"] = field
	}
	if len(fault.Others) > 0 {
		fields := []string{field}
		for _, other := range fault.Others {
			fields = append(fields, other.Field)
		}
		ext["fields"] = fields
	}
	if id := model.RequestID(ctx); id != "" {
		ext["requestId"] = id
	}
	return ext
}

// isInputFault says whether a code speaks of one field of the input.
func isInputFault(code model.Code) bool {
	switch code {
	case model.CodeUnauthorized, model.CodeWebsiteSuspended, model.CodeEventLimitReached,
		model.CodeUnavailable, model.CodeInternal:
		return false
	}
	return true
}

func fieldAt(path ast.Path) string {
	if len(path) < 2 {
		return ""
	}
	if name, ok := path[len(path)-1].(ast.PathName); ok {
		return string(name)
	}
	return ""
}

// isRequestFault says whether the query itself is at fault: it does not parse or fit the schema.
func isRequestFault(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return code == errcode.ParseFailed || code == errcode.ValidationFailed
}

// withoutSuggestion cuts the names that the validator guesses were meant.
func withoutSuggestion(message string) string {
	before, _, _ := strings.Cut(message, " Did you mean")
	return before
}

// recovered turns a panic in a resolver into an error that is masked.
func recovered(ctx context.Context, cause any) error {
	slog.ErrorContext(ctx, "a resolver panicked", "panic", cause, "requestId", model.RequestID(ctx))
	return errors.New("panic in a resolver")
}
