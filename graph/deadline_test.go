package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// watchedStore notes how much time those have that ask it.
type watchedStore struct {
	graph.Store
	left chan time.Duration // of a request; negative without an end
}

func (s watchedStore) Website(ctx context.Context, id string) (model.Website, error) {
	left := time.Duration(-1)
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	s.left <- left
	return s.Store.Website(ctx, id)
}

func TestQueryTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	store := watchedStore{b.store, make(chan time.Duration, 1)}
	b.serve(store)
	for query, long := range map[string]bool{
		`query asked { payments { edges { cursor } } }`: false, `query asked { website { id } }`: false, `query asked { ...q } fragment q on Query { website { id } }`: false,
		`query asked { visitor(id: "v") { revenue { charges } } }`:                                              false,
		`query asked { websites { id } website { id } }`:                                                        false,
		`query asked { payments(filter: {source: "letter"}) { edges { cursor } } }`:                             true,
		`query asked { revenue { charges } }`:                                                                   true,
		`query asked { ...q } fragment q on Query { a: revenue { charges } }`:                                   true,
		`query asked { revenueBy(dimension: SOURCE) { edges { cursor } } }`:                                     true,
		`query asked { revenueByVisitor { edges { cursor } } }`:                                                 true,
		`query asked { revenueOverTime(range: {}) { date } }`:                                                   true,
		`mutation asked { deletePayments(input: {visitorId: "v"}) { deletedCount } }`:                           true,
		`mutation asked { recordPayment(input: {transactionId: "t", amount: 1, currency: "EUR"}) { outcome } }`: true,
	} {
		for range 2 { // the second time the query is known
			body, err := json.Marshal(vars{"query": query + ` query other { revenue { charges } }`, "operationName": "asked"})
			require.NoError(t, err)
			_, raw := b.post(b.key, "application/json", bytes.NewReader(body))
			require.Contains(t, string(raw), `"data":{`)
			left := <-store.left
			if long {
				require.Negative(t, left, query)
			} else {
				require.Positive(t, left, query)
				require.LessOrEqual(t, left, 5*time.Second, query)
			}
		}
	}
}
