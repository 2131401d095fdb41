package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// maxAccessDepth is how deep an operation is nested at most, its selection with it.
const maxAccessDepth = 10

// accessPath is a way from the root to a field.
type accessPath struct {
	operation ast.Operation
	steps     []accessStep
	selection string // of the last field
	condition string // a guarded field of an input that is given to the root; "" for none
}

// accessStep is a field on the way.
type accessStep struct {
	of, field, arguments string
	isAbstract           bool // its value is of one of several types
}

// name is the path for people.
func (p accessPath) name() string {
	var names []string
	for _, step := range p.steps {
		names = append(names, step.field)
	}
	name := strings.Join(names, ".")
	if p.condition != "" {
		name += "(" + p.condition + ")"
	}
	return name
}

// scopes are all that the path needs.
func (p accessPath) scopes() (all scopes) {
	for _, step := range p.steps {
		all = append(all, guarded[step.of+"."+step.field]...)
	}
	all = append(all, guardedInputs[p.condition]...)
	slices.Sort(all)
	return slices.Compact(all)
}

// namesWebsite says whether the operation has an argument for the website.
func (p accessPath) namesWebsite() bool {
	return !slices.Contains(ofAccount, p.steps[0].of+"."+p.steps[0].field)
}

// accessForm is a way to write an operation.
type accessForm struct {
	name                         string
	aliased, inFragment, byQuery bool
}

var accessForms = []accessForm{{name: "plain"}, {name: "aliased", aliased: true}, {name: "in fragments", aliased: true, inFragment: true}, {name: "by GET", byQuery: true}}

// key is the name that a step has in the answer.
func (f accessForm) key(step accessStep, depth int) string {
	if f.aliased {
		return fmt.Sprintf("a%d", depth)
	}
	return step.field
}

// text is the operation, in which $site is the website.
func (p accessPath) text(form accessForm) string {
	var fragments strings.Builder
	text := p.selection
	for i := len(p.steps) - 1; i >= 0; i-- {
		step := p.steps[i]
		field := step.field
		if form.aliased {
			field = form.key(step, i) + ": " + field
		}
		text = field + step.arguments + text
		switch {
		case form.inFragment:
			fmt.Fprintf(&fragments, " fragment F%d on %s { %s }", i, step.of, text)
			text = fmt.Sprintf(" { ...F%d }", i)
		case i > 0 && p.steps[i-1].isAbstract:
			text = " { ... on " + step.of + " { " + text + " } }"
		default:
			text = " { " + text + " }"
		}
	}
	site := ""
	if p.namesWebsite() {
		site = " ($site: ID)"
	}
	return string(p.operation) + site + text + fragments.String()
}

// pathfinder walks the schema.
type pathfinder struct {
	*questioner
	paths []accessPath
}

// accessPaths are ways to all fields of the root, and to all below that are guarded or have arguments, each by every
// way that does not meet a type twice.
func accessPaths(t testing.TB, site string) []accessPath {
	t.Helper()
	f := pathfinder{questioner: newQuestioner(t, site)}
	f.paired, f.samples["first"], f.samples["PaymentFilter.referrer"] = nil, []string{"2"}, []string{`"source-1"`}
	roots := map[ast.Operation]*ast.Definition{ast.Query: f.schema.Query, ast.Mutation: f.schema.Mutation, ast.Subscription: f.schema.Subscription}
	for _, operation := range slices.Sorted(maps.Keys(roots)) {
		if roots[operation] == nil {
			continue
		}
		require.NotEqual(t, ast.Subscription, operation, "say how to subscribe")
		for _, field := range roots[operation].Fields {
			if !strings.HasPrefix(field.Name, "__") {
				f.root(operation, roots[operation], field)
			}
		}
	}
	return f.paths
}

// root walks from a field of the root.
func (f *pathfinder) root(operation ast.Operation, root *ast.Definition, field *ast.FieldDefinition) {
	f.t.Helper()
	path := accessPath{operation: operation}
	step := accessStep{of: root.Name, field: field.Name}
	for _, chosen := range f.given(field) {
		step.arguments = f.withWebsite(root.Name, field, chosen.text)
		path.condition = chosen.condition
		if chosen.condition != "" { // which is asked for at the root
			f.add(path, step, field.Type)
			continue
		}
		f.walk(path, step, field.Type)
	}
}

// givenArguments are arguments of a field, and the guarded field of an input among them.
type givenArguments struct{ text, condition string }

// given are the arguments that are required, and besides them each guarded field of an input.
func (f *pathfinder) given(field *ast.FieldDefinition) []givenArguments {
	f.t.Helper()
	required := f.choices(paramsOf(field))[0]
	visitor := "visitorId: " + f.samples["id"][0]
	switch field.Name { // these need more than the schema says
	case "deletePayments", "erasePerson":
		required = "input: {" + visitor + "}"
	case "recordEvent":
		required = "input: {" + visitor + `, type: CUSTOM, name: "signup", url: "https://shop.example/"}`
	}
	all := []givenArguments{{text: required}}
	for _, arg := range field.Arguments {
		kind := f.schema.Types[arg.Type.Name()]
		for _, input := range kind.Fields {
			if condition := kind.Name + "." + input.Name; kind.Kind == ast.InputObject && guardedInputs[condition] != nil {
				value := f.options(param{kind.Name, input.Name, input.Type})[0]
				all = append(all, givenArguments{strings.TrimPrefix(required+", "+arg.Name+": {"+input.Name+": "+value+"}", ", "), condition})
			}
		}
	}
	return all
}

// withWebsite adds the website to arguments, in the place that the schema has for it.
func (f *pathfinder) withWebsite(root string, field *ast.FieldDefinition, arguments string) string {
	f.t.Helper()
	path := root + "." + field.Name
	for _, arg := range field.Arguments {
		kind := f.schema.Types[arg.Type.Name()]
		switch {
		case arg.Name == "websiteId", path == "Query.website":
			return "(" + strings.TrimSuffix(arg.Name+": $site, "+arguments, ", ") + ")"
		case kind.Kind == ast.InputObject && kind.Fields.ForName("websiteId") != nil:
			return "(" + strings.Replace(arguments, "{", "{websiteId: $site, ", 1) + ")"
		}
	}
	require.Contains(f.t, ofAccount, path, "has no argument for the website")
	return ""
}

// walk adds the way to a field, if that is one to look at, and goes on from there.
func (f *pathfinder) walk(path accessPath, step accessStep, kind *ast.Type) {
	f.t.Helper()
	if len(path.steps) == 0 || guarded[step.of+"."+step.field] != nil || step.arguments != "" {
		f.add(path, step, kind)
	}
	def := f.schema.Types[kind.Name()]
	members := []*ast.Definition{def}
	if step.isAbstract = def.IsAbstractType(); step.isAbstract {
		members = f.schema.PossibleTypes[def.Name]
	}
	for _, member := range members {
		if slices.ContainsFunc(path.steps, func(before accessStep) bool { return before.of == member.Name }) {
			continue
		}
		for _, field := range member.Fields {
			next := accessStep{of: member.Name, field: field.Name}
			if len(field.Arguments) > 0 {
				next.arguments = strings.ReplaceAll("("+f.choices(paramsOf(field))[0]+")", "()", "")
			}
			on := accessPath{operation: path.operation, steps: append(slices.Clone(path.steps), step)}
			// An object or a guarded value fits below, with something of it.
			if !f.schema.Types[field.Type.Name()].IsLeafType() && len(on.steps) < maxAccessDepth-1 {
				f.walk(on, next, field.Type)
			}
		}
	}
}

// add adds the way that ends with a field.
func (f *pathfinder) add(path accessPath, step accessStep, kind *ast.Type) {
	path.steps = append(slices.Clone(path.steps), step)
	path.selection = f.unguarded(kind, maxAccessDepth-len(path.steps))
	f.paths = append(f.paths, path)
}

// unguarded asks for what an object shows without a further scope, so many levels deep.
func (f *pathfinder) unguarded(kind *ast.Type, depth int, above ...string) string {
	def := f.schema.Types[kind.Name()]
	if def.IsLeafType() {
		return ""
	}
	fields := []string{"__typename"}
	if def.IsAbstractType() {
		for _, member := range f.schema.PossibleTypes[def.Name] {
			fields = append(fields, "... on "+member.Name+f.unguarded(&ast.Type{NamedType: member.Name}, depth, above...))
		}
	}
	for _, field := range def.Fields {
		isLeaf := f.schema.Types[field.Type.Name()].IsLeafType()
		below := append(slices.Clone(above), def.Name)
		if strings.HasPrefix(field.Name, "__") || guarded[def.Name+"."+field.Name] != nil || len(field.Arguments) > 0 || depth < 1 ||
			!isLeaf && (depth < 2 || slices.Contains(below, field.Type.Name())) {
			continue
		}
		fields = append(fields, field.Name+f.unguarded(field.Type, depth-1, below...))
	}
	return " { " + strings.Join(fields, " ") + " }"
}
