package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"tributary/model"
)

// The limits of what an operation may ask for.
const (
	maxDepth   = 10     // fields inside one another
	maxObjects = 10_000 // in the answer
	maxAliases = 30     // in the text of the query: each lets a field be answered once more
)

// objectsCeiling is where counting ends, so that no product passes int64.
const objectsCeiling = 1 << 40

// guard refuses, before it is run, an operation that is nested too deep or asks for too many objects.
// What it says depends on the query and its variables alone, not on what is in the store.
type guard struct{}

// ExtensionName implements graphql.HandlerExtension.
func (guard) ExtensionName() string { return "Guard" }

// Validate implements graphql.HandlerExtension.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (guard) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	m := measurer{op.Variables, map[*ast.FragmentDefinition]extent{}}
	switch asked := m.selections(op.Operation.SelectionSet); {
	case asked.depth > maxDepth:
		return tooMuch("the query is nested more than %d levels deep: ask for less below each other, or in several queries", maxDepth)
	case asked.objects > maxObjects:
		return tooMuch("the query asks for about %d objects, more than %d: ask for fewer with first, nest less, or send fewer payments at once", asked.objects, maxObjects)
	case aliasesIn(op.Doc) > maxAliases:
		return tooMuch("the query has more than %d aliases: ask in several queries", maxAliases)
	}
	return nil
}

// tooMuch is an error of the request: the code outside has it answered as a query that is not valid,
// and the error inside is the one that is presented.
func tooMuch(message string, args ...any) *gqlerror.Error {
	err := gqlerror.Wrap(model.Errorf(model.CodeTooManyItems, "", message, args...))
	errcode.Set(err, errcode.ValidationFailed)
	return err
}

// extent is how much a part of a query asks for.
type extent struct {
	depth   int   // of the fields inside one another
	objects int64 // at most objectsCeiling
}

// beside is the extent of two parts in one selection set.
func (e extent) beside(other extent) extent {
	return extent{max(e.depth, other.depth), min(e.objects+other.objects, objectsCeiling)}
}

// measurer measures parts of a valid query in time linear in its text. The extent of a fragment does not
// depend on where it is spread, so that each is measured once.
type measurer struct {
	variables map[string]any
	fragments map[*ast.FragmentDefinition]extent
}

func (m measurer) selections(set ast.SelectionSet) extent {
	var sum extent
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			sum = sum.beside(m.field(s))
		case *ast.InlineFragment:
			sum = sum.beside(m.selections(s.SelectionSet))
		case *ast.FragmentSpread:
			sum = sum.beside(m.fragment(s.Definition))
		}
	}
	return sum
}

func (m measurer) fragment(f *ast.FragmentDefinition) extent {
	measured, ok := m.fragments[f]
	if !ok {
		m.fragments[f] = extent{} // a fragment inside itself, which is not valid, ends here
		measured = m.selections(f.SelectionSet)
		m.fragments[f] = measured
	}
	return measured
}

// field is the extent of a field. A scalar is part of the object that it is a field of; introspection,
// which the validator limits, reads no rows.
func (m measurer) field(f *ast.Field) extent {
	switch {
	case f.Name == "__schema", f.Name == "__type", f.Name == "__typename":
		return extent{}
	case len(f.SelectionSet) == 0:
		return extent{depth: 1}
	}
	below, rows := m.selections(f.SelectionSet), m.rows(f)
	return extent{below.depth + 1, min(rows+rows*below.objects, objectsCeiling)}
}

// rows are the most that a field answers with: a page has as many as its argument "first", recordPayments
// one for each payment. Other lists are short, whatever the client asks for, and count as one.
func (m measurer) rows(f *ast.Field) int64 {
	if f.Definition.Arguments.ForName("first") != nil {
		switch first := m.argument(f, "first").(type) {
		case nil:
			return model.DefaultPageSize
		case int64:
			return min(max(first, 1), model.MaxPageSize) // the field refuses what is out of range
		default: // a number in quotes
			return model.MaxPageSize
		}
	}
	if input, ok := m.argument(f, "input").(map[string]any); ok {
		if payments, ok := input["payments"].([]any); ok {
			return int64(len(payments))
		}
	}
	return 1
}

// argument is the value of a field's argument; nil when it has none, or one that the field refuses.
func (m measurer) argument(f *ast.Field, name string) any {
	arg := f.Arguments.ForName(name)
	if arg == nil {
		return nil
	}
	value, err := arg.Value.Value(m.variables)
	if err != nil {
		return nil
	}
	return value
}

// aliasesIn counts the aliases in the text of a query.
func aliasesIn(doc *ast.QueryDocument) int {
	n := 0
	for _, operation := range doc.Operations {
		n += aliases(operation.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		n += aliases(fragment.SelectionSet)
	}
	return n
}

func aliases(set ast.SelectionSet) int {
	n := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				n++
			}
			n += aliases(s.SelectionSet)
		case *ast.InlineFragment:
			n += aliases(s.SelectionSet)
		}
	}
	return n
}
