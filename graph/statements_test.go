package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// TestStatements counts the SQL statements of nested queries: they must not grow with the rows.
func TestStatements(t *testing.T) {
	t.Parallel()
	visitor := `{ id firstVisit { source } lastVisit { source } visits(first: 2) { edges { node { id } } } events(first: 2) { edges { node { id } } } journey(first: 2) { edges { cursor } } identity { userId }
		payments(first: 2) { edges { node { id visitor { id seen } } } } revenue { net { amount } } recent: revenue(range: {from: "2026-05-01T00:00:00Z"}) { charges }
		later: visits(first: 2, after: "` + model.VisitOrder.Cursor("2026-05-01T00:00:00Z", uuid.NewString()).String() + `") { edges { node { id } } } }`
	for name, query := range map[string]string{
		"payments and their visitors":    `query ($first: Int) { payments(first: $first) { edges { node { id amount { amount } visitor ` + visitor + ` } } } }`,
		"visitors by revenue":            `query ($first: Int) { revenueByVisitor(first: $first) { edges { node { visitor ` + visitor + ` revenue { net { amount } } } } } }`,
		"visitors by revenue, unadorned": `query ($first: Int) { revenueByVisitor(first: $first) { edges { node { visitor { id } } } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.serveResolver(&graph.Resolver{Store: b.store, Now: b.now, BatchWait: 500 * time.Millisecond}) // so that a slow machine counts the same
			for i := range 20 {
				v := fmt.Sprint("v", i)
				b.visit(v, nil)
				b.pay("t"+v, vars{"visitorId": v})
				b.pay("u"+v, vars{"visitorId": v})
			}
			var statements []int64
			for _, first := range []int{1, 20} {
				before := b.statements.Load()
				got := b.ask(query, vars{"first": first})
				for _, root := range got.value.(map[string]any) {
					require.Len(t, node{root}.at("edges"), first)
				}
				statements = append(statements, b.statements.Load()-before)
			}
			require.Equal(t, statements[0], statements[1])
			require.LessOrEqual(t, statements[1], int64(20))
			t.Logf("%d statements", statements[1])
		})
	}
}
