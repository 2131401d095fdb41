package graph_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const revenueBy = `query ($dimension: Dimension!, $model: AttributionModel, $windowDays: Int, $range: TimeRange, $first: Int, $after: String) {
	revenueBy(dimension: $dimension, model: $model, windowDays: $windowDays, range: $range, first: $first, after: $after) {
		edges { cursor node { key revenue ` + revenueFields + ` visitors payers share revenuePerVisitor { amount } conversionRate } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
		unattributed ` + revenueFields + `
	}
	revenue(range: $range) ` + revenueFields + `
}`

// groups lists groups in short: key, net revenue, visitors, payers, and what is credited to none.
func (b *bundle) groups(v vars) []string {
	b.t.Helper()
	got := b.ask(revenueBy, v)
	texts := []string{}
	for _, edge := range got.at("revenueBy.edges").([]any) {
		g := node{node{edge}.at("node")}
		texts = append(texts, fmt.Sprint(g.at("key"), " ", g.at("revenue.net.amount"), " ", g.at("visitors"), " ", g.at("payers")))
	}
	return append(texts, fmt.Sprint("unattributed ", got.at("revenueBy.unattributed.net.amount")))
}

func TestRevenueBy(t *testing.T) {
	t.Parallel()
	shared := setup(t)

	t.Run("credits the first visit", func(t *testing.T) {
		t.Parallel()
		b := shop(t)
		require.Equal(t, []string{"news 55.00 2 2", "search.example 25.00 1 1", "direct 0.00 1 0", "later 0.00 1 0", "unattributed 996.00"},
			b.groups(vars{"dimension": "SOURCE"}))
	})

	t.Run("refuses what cannot be asked", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		for _, test := range []struct {
			want, field string
			v           vars
		}{
			{"INVALID_FIELD", "dimension", vars{"dimension": "source"}},
			{"INVALID_FIELD", "model", vars{"dimension": "SOURCE", "model": "first_touch"}},
			{"INVALID_FIELD", "windowDays", vars{"dimension": "SOURCE", "windowDays": 0}},
			{"INVALID_FIELD", "windowDays", vars{"dimension": "SOURCE", "windowDays": 3651}},
			{"INVALID_RANGE", "range", vars{"dimension": "SOURCE", "range": vars{"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}}},
			{"TOO_MANY_ITEMS", "first", vars{"dimension": "SOURCE", "first": 101}},
			{"INVALID_CURSOR", "after", vars{"dimension": "SOURCE", "after": "x"}},
		} {
			_, faults := b.query(b.key, revenueBy, test.v)
			require.NotEmpty(t, faults, test.v)
			require.Equal(t, []any{test.want, test.field}, []any{faults[0].Extensions.Code, faults[0].Extensions.Field}, test.v)
		}
	})
}
