package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/internal/span"
	"tributary/model"
)

// Observer is told of GraphQL operations, to count them. It is safe for concurrent use.
type Observer interface {
	// Resolved tells of a root field, by its operation's kind and its name in the schema. The code is that of its first
	// error, "" if it has none.
	Resolved(operation, field string, code model.Code, took time.Duration)
	// Refused tells of a query that is not run: it is not well formed, does not fit the schema or asks for too much.
	Refused()
	// Panicked tells of a panic in a resolver.
	Panicked()
}

// nobody is told nothing.
type nobody struct{}

func (nobody) Resolved(string, string, model.Code, time.Duration) {}
func (nobody) Refused()                                           {}
func (nobody) Panicked()                                          {}

func (r *Resolver) observer() Observer {
	if r.Observer == nil {
		return nobody{}
	}
	return r.Observer
}

// observe resolves a root field, tells the observer of it, and makes a span of it.
func (r *Resolver) observe(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	operation, field := string(graphql.GetOperationContext(ctx).Operation.Operation), graphql.GetRootFieldContext(ctx).Field
	ctx, resolved := span.Field(ctx, operation, field.Name)
	if r.Observer == nil && !resolved.IsRecorded() {
		return next(ctx)
	}
	began := time.Now()
	answer := next(ctx)
	code := firstCode(graphql.GetErrors(ctx), field.Alias)
	resolved.End(code)
	r.observer().Resolved(operation, field.Name, code, time.Since(began))
	return answer
}

// firstCode is the code of the first error at or below a root field, which the answer has under a key; "" if there is
// none.
func firstCode(errs gqlerror.List, key string) model.Code {
	for _, err := range errs {
		if len(err.Path) > 0 && err.Path[0] == ast.PathName(key) {
			code, _ := err.Extensions["code"].(string)
			return model.Code(code)
		}
	}
	return ""
}
