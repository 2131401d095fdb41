package graph

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"tributary/model"
)

// introspectionRows is how many entries a list of the schema counts as.
const introspectionRows = 5

// ceiling is where counting ends, so that no product passes int64.
const ceiling = 1 << 40

// extent is how much a part of a query asks for. Numbers are at most the ceiling.
type extent struct {
	depth      int   // of the fields inside one another
	fields     int64 // in this set itself
	selections int64
	deletions  int64 // of payments
	cost       int64
	rowCost    int64 // for each entry of the page that it is in
	report     bool  // of many payments
}

// beside is the extent of two parts in one selection set.
func (e extent) beside(other extent) extent {
	return extent{
		depth:      max(e.depth, other.depth),
		fields:     min(e.fields+other.fields, ceiling),
		selections: min(e.selections+other.selections, ceiling),
		deletions:  min(e.deletions+other.deletions, ceiling),
		cost:       min(e.cost+other.cost, ceiling),
		rowCost:    min(e.rowCost+other.rowCost, ceiling),
		report:     e.report || other.report,
	}
}

// measurer measures a document that may not be valid, in time linear in its text. The extent of a fragment
// does not depend on where it is spread, so that each is measured once.
type measurer struct {
	schema     *ast.Schema
	variables  map[string]any // of the operation to run, with their defaults
	fragments  map[string]*fragment
	cyclic     bool // a fragment is inside itself
	aliases    int
	directives int
}

// fragment is the first one of its name.
type fragment struct {
	*ast.FragmentDefinition
	extent           extent
	begun, completed bool
}

func newMeasurer(schema *ast.Schema, document *ast.QueryDocument, variables map[string]any) *measurer {
	m := &measurer{schema: schema, variables: variables}
	if len(document.Fragments) > 0 {
		m.fragments = make(map[string]*fragment, len(document.Fragments))
	}
	for _, definition := range document.Fragments {
		if m.fragments[definition.Name] == nil {
			m.fragments[definition.Name] = &fragment{FragmentDefinition: definition}
		}
	}
	return m
}

// withDefaults are the variables of an operation, and what it says of those that were not sent.
func withDefaults(operation *ast.OperationDefinition, sent map[string]any) map[string]any {
	all := sent
	for _, v := range operation.VariableDefinitions {
		if _, ok := sent[v.Variable]; ok || v.DefaultValue == nil {
			continue
		}
		if value, err := v.DefaultValue.Value(nil); err == nil {
			if len(all) == len(sent) {
				all = maps.Clone(sent)
			}
			if all == nil {
				all = map[string]any{}
			}
			all[v.Variable] = value
		}
	}
	return all
}

// operation is the extent of an operation.
func (m *measurer) operation(o *ast.OperationDefinition) extent {
	m.directives += len(o.Directives)
	for _, v := range o.VariableDefinitions {
		m.directives += len(v.Directives)
	}
	root := m.schema.Query
	if o.Operation == ast.Mutation {
		root = m.schema.Mutation
	}
	measured := m.selections(root, o.SelectionSet)
	measured.cost = min(measured.cost+measured.rowCost, ceiling) // of lists at the root
	return measured
}

func (m *measurer) selections(parent *ast.Definition, set ast.SelectionSet) extent {
	sum := extent{selections: int64(len(set))}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			m.directives += len(s.Directives)
			sum = sum.beside(m.field(parent, s))
		case *ast.InlineFragment:
			m.directives += len(s.Directives)
			within := parent
			if s.TypeCondition != "" {
				within = m.schema.Types[s.TypeCondition]
			}
			sum = sum.beside(m.selections(within, s.SelectionSet))
		case *ast.FragmentSpread:
			m.directives += len(s.Directives)
			sum = sum.beside(m.spread(m.fragments[s.Name]))
		}
	}
	return sum
}

// spread is the extent of a fragment, or none of one that is not there.
func (m *measurer) spread(f *fragment) extent {
	switch {
	case f == nil:
		return extent{}
	case !f.begun:
		f.begun = true
		m.directives += len(f.Directives)
		f.extent = m.selections(m.schema.Types[f.TypeCondition], f.SelectionSet)
		f.completed = true
	case !f.completed:
		m.cyclic = true
	}
	return f.extent
}

// field is the extent of a field of a type, which is nil if the schema has none. It costs what docs/API.md says:
// the records that have to be found for it, as if every page were full.
func (m *measurer) field(parent *ast.Definition, f *ast.Field) extent {
	definition, object := m.lookUp(parent, f.Name)
	below := m.selections(object, f.SelectionSet)
	e := extent{depth: below.depth + 1, fields: 1, selections: below.selections, deletions: below.deletions}
	switch f.Name {
	case "__typename":
		e.depth = 0
	case "__schema", "__type":
		e.depth = (e.depth + 1) / 2
	case "deletePayments", "erasePerson":
		e.deletions++
	}
	if f.Alias != f.Name {
		m.aliases++
		e.cost++
	}
	if definition == nil { // which is not valid
		return e
	}
	if isRead(parent, definition, object) {
		e.cost++
	}
	rows, cost := m.rows(definition, f)
	e.cost = min(e.cost+cost+below.cost+rows*below.rowCost, ceiling)
	e.report = parent == m.schema.Query && (definition.Arguments.ForName("range") != nil || f.Arguments.ForName("filter") != nil)
	switch {
	case definition.Type.Elem == nil || object == nil:
	case strings.HasPrefix(object.Name, "__"):
		e.cost = min(introspectionRows*(1+e.cost), ceiling)
	default:
		e.cost, e.rowCost = 0, e.cost
	}
	return e
}

// lookUp finds a field of a type in the schema, and the type of the field if that has fields of its own.
func (m *measurer) lookUp(parent *ast.Definition, name string) (field *ast.FieldDefinition, object *ast.Definition) {
	if parent != nil {
		field = parent.Fields.ForName(name)
	}
	if field != nil {
		object = m.schema.Types[field.Type.Name()]
	}
	if object != nil && !object.IsCompositeType() {
		object = nil
	}
	return field, object
}

// isRead says whether the store is asked for a field: it has arguments, or is a record of its own that did not
// come with its edge, or with what a mutation has written. The root's fields are free, since they are few.
func isRead(parent *ast.Definition, field *ast.FieldDefinition, object *ast.Definition) bool {
	switch {
	case object == nil, strings.HasPrefix(object.Name, "__"):
		return false
	case parent.Name == "Query", parent.Name == "Mutation", strings.HasSuffix(parent.Name, "Edge"), strings.HasSuffix(parent.Name, "Payload"):
		return false
	}
	return len(field.Arguments) > 0 || object.IsAbstractType() || object.Fields.ForName("id") != nil
}

// rows are the most entries of the lists in a field, and what they cost by themselves: a page has as many as its
// argument "first", recordPayments one for each payment. Other lists are short, whatever the client asks for, and
// count as one.
func (m *measurer) rows(field *ast.FieldDefinition, f *ast.Field) (rows, cost int64) {
	if field.Arguments.ForName("first") != nil {
		rows = pageSize(m.argument(f, "first"))
		return rows, rows
	}
	if input, ok := m.argument(f, "input").(map[string]any); ok {
		if payments, ok := input["payments"].([]any); ok {
			rows = int64(min(len(payments), model.MaxBatch)) // the field itself refuses more
			return rows, rows
		}
	}
	return 1, 0
}

// pageSize is the most entries of a page. The field itself refuses what is out of range.
func pageSize(first any) int64 {
	size := int64(model.MaxPageSize)
	switch first := first.(type) {
	case nil:
		size = model.DefaultPageSize
	case int64:
		size = first
	case json.Number:
		if n, err := first.Int64(); err == nil {
			size = n
		}
	}
	return min(max(size, 1), model.MaxPageSize)
}

// argument is the value of a field's argument; nil when it has none, or one that is not valid.
func (m *measurer) argument(f *ast.Field, name string) any {
	argument := f.Arguments.ForName(name)
	if argument == nil {
		return nil
	}
	value, err := argument.Value.Value(m.variables)
	if err != nil {
		return nil
	}
	return value
}

// repeats is how often a field is asked for again under the name of one that is at the same place of the answer.
// The selections must be few, and no fragment inside itself.
func (m *measurer) repeats(sets ...ast.SelectionSet) int {
	n := 0
	below := map[string][]ast.SelectionSet{} // by name in the answer
	var collect func(ast.SelectionSet)
	collect = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if _, again := below[s.Alias]; again {
					n++
				}
				below[s.Alias] = append(below[s.Alias], s.SelectionSet)
			case *ast.InlineFragment:
				collect(s.SelectionSet)
			case *ast.FragmentSpread:
				if f := m.fragments[s.Name]; f != nil {
					collect(f.SelectionSet)
				}
			}
		}
	}
	for _, set := range sets {
		collect(set)
	}
	for _, sets := range below {
		if slices.ContainsFunc(sets, func(set ast.SelectionSet) bool { return len(set) > 0 }) {
			n += m.repeats(sets...)
		}
	}
	return n
}
