package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The limits of what a query may ask for. Fragments count where they are spread, unless it says in the text.
const (
	maxDepth      = 10   // fields inside one another; twice as many in introspection
	maxSelections = 1000 // fields, spreads and inline fragments
	maxRepeats    = 50   // of fields that are asked for again
	maxAliases    = 30   // in the text: each lets a field be answered once more
	maxDirectives = 20   // in the text
	maxRootFields = 20
	maxCost       = 1000 // of the operation that is run
)

// guardDocument refuses a document that asks for too much, before anything else walks it: others take time
// that grows faster than the text.
func guardDocument(m *measurer, document *ast.QueryDocument) *gqlerror.Error {
	var all extent
	for _, operation := range document.Operations {
		all = all.beside(m.operation(operation))
	}
	if m.cyclic {
		return invalid("a fragment is spread within itself")
	}
	for _, definition := range document.Fragments {
		if f := m.fragments[definition.Name]; f.FragmentDefinition != definition || !f.completed {
			return invalid("a fragment is never used, or is not the only one of its name")
		}
	}
	switch {
	case all.depth > maxDepth:
		return tooMuch("the query is nested more than %d levels deep: ask for less below each other, or in several queries", maxDepth)
	case all.selections > maxSelections:
		return tooMuch("the query has more than %d fields with its fragments written out: ask in several queries", maxSelections)
	case all.fields > maxRootFields:
		return tooMuch("the query has more than %d fields at its root: ask in several requests", maxRootFields)
	case m.aliases > maxAliases:
		return tooMuch("the query has more than %d aliases: ask in several queries", maxAliases)
	case m.directives > maxDirectives:
		return tooMuch("the query has more than %d directives: ask in several queries", maxDirectives)
	}
	for _, operation := range document.Operations {
		if m.repeats(operation.SelectionSet) > maxRepeats {
			return tooMuch("the query asks more than %d times for fields that it asks for already: ask for each once", maxRepeats)
		}
	}
	return nil
}

// guardOperation refuses an operation, of the extent that it has with its variables.
func guardOperation(asked extent) *gqlerror.Error {
	switch {
	case asked.deletions > 1:
		return tooMuch("a request deletes payments once: send each deletePayments and erasePerson in a request of its own")
	case asked.cost > maxCost:
		return tooMuch("the query costs about %d, more than %d: ask for fewer with first, nest less, or send fewer payments at once", asked.cost, maxCost)
	}
	return nil
}
