package graph

import (
	"math"
	"sync"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"tributary/model"
)

// The limits of the text of a query. What a client sends as variables does not count.
const (
	maxText   = 64 << 10 // bytes
	maxTokens = 1000
)

// query is an operation that may be run.
type query struct {
	document  *ast.QueryDocument
	operation *ast.OperationDefinition
	slow      bool // whether it may take as long as any request
}

// queries makes operations of what clients send, and remembers the documents that were valid.
type queries struct {
	schema *ast.Schema
	rules  *rules.Rules
	valid  *documents
}

func newQueries(schema *ast.Schema) *queries {
	// A suggestion costs more than all other rules, and says names that a client does not know.
	valid := rules.NewDefaultRules()
	valid.ReplaceRule(rules.FieldsOnCorrectTypeRule.Name, rules.FieldsOnCorrectTypeRuleWithoutSuggestions.RuleFunc)
	valid.ReplaceRule(rules.KnownArgumentNamesRule.Name, rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc)
	valid.ReplaceRule(rules.KnownTypeNamesRule.Name, rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc)
	valid.ReplaceRule(rules.ScalarLeafsRule.Name, rules.ScalarLeafsRuleWithoutSuggestions.RuleFunc)
	valid.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, rules.ValuesOfCorrectTypeRuleWithoutSuggestions.RuleFunc)
	return &queries{schema, valid, newDocuments()}
}

// prepare parses a request, measures what it asks for, and validates it, in this order: the time that the
// validator takes grows with the square of what it is given.
func (q *queries) prepare(asked request) (query, gqlerror.List) {
	if len(asked.query) > maxText {
		return query{}, gqlerror.List{tooMuch("the text of a query has at most %d KB: send values as variables", maxText>>10)}
	}
	document, known := q.valid.get(asked.query)
	if !known {
		parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: asked.query}, maxTokens)
		if err != nil {
			fault := gqlerror.WrapIfUnwrapped(err)
			errcode.Set(fault, errcode.ParseFailed)
			return query{}, gqlerror.List{fault}
		}
		document = parsed
	}
	operation := document.Operations.ForName(asked.operation)
	if operation == nil {
		return query{}, gqlerror.List{noOperation(document, asked.operation)}
	}
	m := newMeasurer(q.schema, document, withDefaults(operation, asked.variables))
	if !known {
		if fault := guardDocument(m, document); fault != nil {
			return query{}, gqlerror.List{fault}
		}
	}
	extent := m.operation(operation)
	if fault := guardOperation(extent); fault != nil {
		return query{}, gqlerror.List{fault}
	}
	if !known {
		if faults := validator.ValidateWithRules(q.schema, document, q.rules); len(faults) > 0 {
			for _, fault := range faults {
				errcode.Set(fault, errcode.ValidationFailed)
			}
			return query{}, faults
		}
		q.valid.add(asked.query, document)
	}
	return query{document, operation, extent.report || operation.Operation == ast.Mutation}, nil
}

func noOperation(document *ast.QueryDocument, name string) *gqlerror.Error {
	switch {
	case len(document.Operations) == 0:
		return invalid("the query has no operation")
	case name == "":
		return invalid("the query has several operations: name the one to run as operationName")
	}
	return invalid("the query has no operation of that name")
}

// invalid is an error of a query that does not fit the schema.
func invalid(format string, args ...any) *gqlerror.Error {
	err := gqlerror.Errorf(format, args...)
	errcode.Set(err, errcode.ValidationFailed)
	return err
}

// tooMuch is the error of a query above a limit.
func tooMuch(format string, args ...any) *gqlerror.Error {
	return gqlerror.Wrap(model.Errorf(model.CodeTooManyItems, "", format, args...))
}

// maxRemembered is about how many bytes the remembered documents have together.
const maxRemembered = 16 << 20

// documents remembers valid documents by their text: the last used ones that fit into maxRemembered. It is
// safe for concurrent use.
type documents struct {
	mu   sync.Mutex
	used *simplelru.LRU[string, *ast.QueryDocument]
	size int
}

func newDocuments() *documents {
	d := new(documents)
	d.used, _ = simplelru.NewLRU(math.MaxInt, func(text string, _ *ast.QueryDocument) { d.size -= sizeOf(text) })
	return d
}

func (d *documents) get(text string) (*ast.QueryDocument, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used.Get(text)
}

func (d *documents) add(text string, document *ast.QueryDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used.Contains(text) {
		return
	}
	d.used.Add(text, document)
	d.size += sizeOf(text)
	for d.size > maxRemembered {
		d.used.RemoveOldest()
	}
}

// sizeOf is the most that the text of a query and the document of it take: some 256 bytes for a token, of
// which none is shorter than a byte and the space after it.
func sizeOf(text string) int { return len(text) + 256*min(len(text)/2+1, maxTokens) }
