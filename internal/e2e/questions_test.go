package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/graph/generated"
)

// questioner makes operations from the GraphQL schema, so that no field and no argument can be left out.
type questioner struct {
	t       testing.TB
	schema  *ast.Schema
	samples map[string][]string // values of arguments and input fields by their names, or of types by theirs
	paired  []string            // the names of parameters, and the types, that go with every other parameter
}

// newQuestioner is for a website whose ids begin with its own.
func newQuestioner(t testing.TB, site string) *questioner {
	id := func(name string) []string { return []string{fmt.Sprintf("%q", site+"-"+name)} }
	const from, to = `"2026-04-19T00:00:00Z"`, `"2026-05-18T00:00:00Z"`
	q := &questioner{t: t, schema: generated.NewExecutableSchema(generated.Config{}).Schema()}
	q.paired = []string{"source", "TimeRange"} // without a dimension the model of a filter means nothing
	q.samples = map[string][]string{
		"TimeRange": {`{from: ` + from + `}`, `{to: ` + to + `}`, `{from: ` + from + `, to: ` + to + `}`}, "from": {from}, "to": {to}, "occurredAt": {to},
		"Channel": {"EMAIL"}, "PaymentKind": {"REFUND"}, // of all of these the statements are the same
		"first": {"1"}, "websiteId": {fmt.Sprintf("%q", site)}, "website.id": {fmt.Sprintf("%q", site)}, "after": nil, // of the page before
		"id": id("v1"), "visitorId": id("v1"), "visitorIds": id("v1"), "sessionId": id("s1"), "customerId": id("c1"), "userId": id("c2"),
		"refundOf": id("p1"), "transactionId": id("p1"), "amount": {`"1.50"`}, "currency": {`"USD"`, `"THB"`}, "email": {`"` + site + `-1@example.com"`}, "name": {`"signup"`},
		"metadata": {`{plan: "pro"}`}, "properties": {`{plan: "pro"}`}, "minNet": {`"0"`}, "windowDays": {"30"},
		"source": {`"source-1"`}, "referrer": {`"https://source-1/"`}, "utmSource": {`"source-1"`}, "utmMedium": {`""`}, "utmCampaign": {`"campaign-1"`},
		"campaign": {`"campaign-1"`}, "utmTerm": {`""`}, "utmContent": {`""`}, "landingPage": {`"/1"`}, "country": {`"DE"`}, "device": {`"mobile"`},
		"browser": {`"Firefox"`}, "os": {`"Android"`}, "url": {`"https://shop.example/1?utm_source=source-1&utm_campaign=campaign-1"`},
		"link": {`"https://elsewhere.example/"`}, "image": {`"https://shop.example/me.png"`}, "userAgent": {`"` + chrome + `"`}, "adClickIds": {`{gclid: "1"}`},
	}
	return q
}

// param is an argument of a field, or a field of an input.
type param struct {
	of, name string
	kind     *ast.Type
}

// options are values of a parameter.
func (q *questioner) options(p param) []string {
	q.t.Helper()
	kind := q.schema.Types[p.kind.Name()]
	var values []string
	known := false
	for _, name := range []string{p.of + "." + p.name, p.name, kind.Name} {
		if !known {
			values, known = q.samples[name]
		}
	}
	switch {
	case known:
	case kind.Kind == ast.Enum:
		for _, value := range kind.EnumValues {
			values = append(values, value.Name)
		}
	case kind.Name == "Boolean":
		values = []string{"true", "false"}
	case kind.Kind == ast.InputObject:
		var fields []param
		for _, field := range kind.Fields {
			fields = append(fields, param{kind.Name, field.Name, field.Type})
		}
		for _, chosen := range q.choices(fields) {
			values = append(values, "{"+chosen+"}")
		}
	default:
		q.t.Fatalf("give samples of %s (%s), so that statements with it are seen", p.name, kind.Name)
	}
	if p.kind.Elem == nil {
		return values
	}
	var lists []string
	for _, value := range values {
		lists = append(lists, "["+value+"]")
	}
	return lists
}

// choices are what can be given of the parameters: what is required, with each option of each parameter, and
// with each two options of two parameters that go together.
func (q *questioner) choices(params []param) []string {
	given := map[string]string{}
	options := map[string][]string{}
	for _, p := range params {
		options[p.name] = q.options(p)
		if p.kind.NonNull {
			given[p.name] = options[p.name][0]
		}
	}
	var choices []string
	choose := func() {
		var chosen []string
		for _, p := range params {
			if value, ok := given[p.name]; ok {
				chosen = append(chosen, p.name+": "+value)
			}
		}
		if text := strings.Join(chosen, ", "); !slices.Contains(choices, text) {
			choices = append(choices, text)
		}
	}
	with := func(p param, do func()) {
		before, was := given[p.name]
		for _, value := range options[p.name] {
			given[p.name] = value
			do()
		}
		if delete(given, p.name); was {
			given[p.name] = before
		}
	}
	choose()
	for _, p := range params {
		with(p, func() {
			choose()
			for _, other := range params {
				if other != p && q.goTogether(p, other) {
					with(other, choose)
				}
			}
		})
	}
	return choices
}

// goTogether says whether each option of two parameters is tried with each of the other: both choose among
// statements, or one of them does to whatever else is given.
func (q *questioner) goTogether(p, other param) bool {
	isPaired := func(p param) bool {
		return slices.Contains(q.paired, p.name) || slices.Contains(q.paired, p.kind.Name())
	}
	chooses := func(p param) bool { return isPaired(p) || q.schema.Types[p.kind.Name()].Kind == ast.Enum }
	return len(q.paired) > 0 && (isPaired(other) || chooses(p) && chooses(other))
}

// selection asks for all of an object: its fields and, without arguments, what they lead to.
func (q *questioner) selection(kind *ast.Type, above ...string) string {
	def := q.schema.Types[kind.Name()]
	if def.IsLeafType() {
		return ""
	}
	fields := []string{"__typename"}
	for _, member := range q.schema.PossibleTypes[def.Name] {
		if def.IsAbstractType() {
			fields = append(fields, "... on "+member.Name+q.selection(&ast.Type{NamedType: member.Name}, above...))
		}
	}
	for _, field := range def.Fields {
		switch below := append(above, def.Name); {
		case strings.HasPrefix(field.Name, "__"), len(field.Arguments) > 0, slices.Contains(below, field.Type.Name()):
		case len(above) > 0 && slices.Contains(above, "Visitor"): // whose fields are leaves, or other questions
		default:
			fields = append(fields, field.Name+q.selection(field.Type, below...))
		}
	}
	return " { " + strings.Join(fields, " ") + " }"
}

// question is a field with arguments.
type question struct {
	parent, field, choice, selection string
}

// name is the question for people.
func (q question) name() string { return q.parent + q.field + "(" + q.choice + ")" }

// text is the query, with a cursor if it asks for a further page.
func (q question) text(after string) string {
	arguments := q.choice
	if after != "" {
		arguments += fmt.Sprintf(", after: %q", after)
	}
	return strings.NewReplacer("()", "").Replace(q.field+"("+arguments+")") + q.selection
}

// operation is the query with what it is asked of.
func (q question) operation(after string) string {
	if q.parent != "" {
		return "{ " + q.parent + " { " + q.text(after) + " } }"
	}
	return "{ " + q.text(after) + " }"
}

// within are the objects whose fields have arguments, by where they are found.
func (q *questioner) within() map[string]string {
	return map[string]string{"Query": "", "Visitor": `visitor(id: ` + q.samples["id"][0] + `)`}
}

// questions are all fields with arguments, and those of the root, with every choice of them.
func (q *questioner) questions() (questions []question) {
	q.t.Helper()
	within := q.within()
	for name, def := range q.schema.Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") || def == q.schema.Mutation || def == q.schema.Subscription {
			continue
		}
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") || len(field.Arguments) == 0 && def != q.schema.Query {
				continue
			}
			require.Contains(q.t, within, name, "say how to ask for %s.%s", name, field.Name)
			for _, chosen := range q.choices(paramsOf(field)) {
				questions = append(questions, question{within[name], field.Name, chosen, q.selection(field.Type)})
			}
		}
	}
	return questions
}

// paramsOf are the arguments of a field that choose what it answers.
func paramsOf(field *ast.FieldDefinition) (params []param) {
	for _, arg := range field.Arguments {
		if !slices.Contains([]string{"websiteId", "after"}, arg.Name) {
			kind := arg.Type
			if arg.Name == "first" {
				kind = ast.NonNullNamedType("Int", nil)
			}
			params = append(params, param{field.Name, arg.Name, kind})
		}
	}
	return params
}

// orders are all mutations, with each option of each field of their inputs.
func (q *questioner) orders() (orders []string) {
	q.paired = nil
	for _, field := range q.schema.Mutation.Fields {
		for _, chosen := range q.choices(paramsOf(field)) {
			orders = append(orders, "mutation { "+field.Name+"("+chosen+") { __typename } }")
		}
	}
	return orders
}
