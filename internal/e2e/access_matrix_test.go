package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/model"
)

// accessMatrix asks for every path of the schema in every form by every identity.
type accessMatrix struct {
	*tenants
	paths []accessPath
	cells atomic.Int64
}

// TestAccess_graphql sees that everybody gets what is theirs by the tables of access_classes_test.go, and nothing else.
func TestAccess_graphql(t *testing.T) {
	t.Parallel()
	all := newTenants(t)
	all.addOthers(t)
	m := &accessMatrix{tenants: all, paths: accessPaths(t, all.site.ID)}
	reached := map[string]bool{}
	for _, path := range m.paths {
		last := path.steps[len(path.steps)-1]
		reached[last.of+"."+last.field], reached[path.condition] = true, true
	}
	for path := range guarded {
		require.True(t, reached[path], "no operation leads to %s", path)
	}
	for condition := range guardedInputs {
		require.True(t, reached[condition], "no operation gives %s", condition)
	}

	before := m.snapshot(t, "")
	t.Run("refused", func(t *testing.T) {
		m.run(t, func(_ accessPath, want refusal) bool { return want.code != "" && want.step == 0 })
	})
	require.Equal(t, before, m.snapshot(t, ""), "what was refused wrote something")
	deletes := func(path accessPath) bool {
		return slices.Contains([]string{"deletePayments", "erasePerson"}, path.steps[0].field)
	}
	t.Run("allowed", func(t *testing.T) {
		m.run(t, func(path accessPath, want refusal) bool { return (want.code == "" || want.step > 0) && !deletes(path) })
	})
	t.Run("allowed to delete", func(t *testing.T) {
		m.run(t, func(path accessPath, want refusal) bool { return want.code == "" && deletes(path) })
	})
	require.Zero(t, m.count(t, "payments WHERE website_id = $1 AND visitor_id = $2", m.site.ID, m.id("v1")))
	t.Logf("%d cells of %d paths", m.cells.Load(), len(m.paths))
}

// run asks in all cells that are chosen by what is expected.
func (m *accessMatrix) run(t *testing.T, choose func(path accessPath, want refusal) bool) {
	for _, path := range m.paths {
		t.Run(path.name(), func(t *testing.T) {
			t.Parallel()
			for _, who := range m.identities(t, path.scopes()) {
				want := m.expect(who, path)
				if !choose(path, want) {
					continue
				}
				for _, form := range accessForms {
					if !form.byQuery || path.operation == ast.Query {
						m.cell(t, path, form, who, want)
					}
				}
			}
		})
	}
}

// cell asks once, and checks the answer.
func (m *accessMatrix) cell(t *testing.T, path accessPath, form accessForm, who identity, want refusal) {
	t.Helper()
	m.cells.Add(1)
	about := path.name() + " by " + who.name + ", " + form.name
	got := m.send(t, path, form, who)
	var visible []string
	if want.code == "" || want.step > 0 {
		visible = m.sees(who, path.namesWebsite())
	}
	m.requireNone(t, got.text(), about, visible...)
	m.requireNoSecret(t, got, who, about)
	var answer struct {
		graphqlAnswer
		Errors []struct {
			Message    string
			Path       []any
			Extensions struct{ Code model.Code }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &answer), "%s: %s", about, got.body)
	require.Equal(t, want.code == model.CodeUnauthorized, got.status == http.StatusUnauthorized, about)
	require.Equal(t, want.code == model.CodeUnauthorized, got.header.Get("WWW-Authenticate") == "Bearer", about)
	if want.code == "" {
		require.Empty(t, answer.Errors, about)
		if who.name == "its key" {
			var data any
			require.NoError(t, json.Unmarshal(answer.Data, &data))
			require.True(t, holds(data, path, form, 0), "%s gets nothing, so that this cell shows nothing: %s", about, got.body)
		}
		return
	}
	require.NotEmpty(t, answer.Errors, "%s: %s", about, got.body)
	for _, fault := range answer.Errors {
		require.Equal(t, want.code, fault.Extensions.Code, about)
		require.Contains(t, fault.Message, string(want.scope), about)
		if want.code != model.CodeUnauthorized {
			require.Equal(t, form.key(path.steps[want.step], want.step), fault.Path[len(fault.Path)-1], about)
		}
	}
	if want.step == 0 {
		require.Contains(t, []string{"", "null", `{"` + form.key(path.steps[0], 0) + `":null}`}, string(answer.Data), about)
		m.requireSame(t, path.name()+form.name, want, got, about)
	}
}

// send asks.
func (m *accessMatrix) send(t *testing.T, path accessPath, form accessForm, who identity) answer {
	t.Helper()
	text, variables := path.text(form), map[string]any{"site": who.site}
	if !path.namesWebsite() {
		variables = nil
	}
	var r *http.Request
	if form.byQuery {
		encoded, err := json.Marshal(variables)
		require.NoError(t, err)
		r = m.request(t, http.MethodGet, "/graphql?"+url.Values{"query": {text}, "variables": {string(encoded)}}.Encode(), "")
	} else {
		body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
		require.NoError(t, err)
		r = m.request(t, http.MethodPost, "/graphql", string(body))
	}
	r.Header["Authorization"] = who.authorization
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	return received(t, res)
}

// holds says whether there is something at the end of a path, from one of its steps on.
func holds(value any, path accessPath, form accessForm, step int) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(one any) bool { return holds(one, path, form, step) })
	case map[string]any:
		if step < len(path.steps) {
			return holds(value[form.key(path.steps[step], step)], path, form, step+1)
		}
		edges, isConnection := value["edges"].([]any)
		return !isConnection || len(edges) > 0
	}
	return false
}
