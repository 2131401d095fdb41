package graph_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/model"
)

// tally is an observer that keeps what it is told.
type tally struct {
	mu     sync.Mutex
	fields map[string]int // by operation, field and code
	others map[string]int
}

func (o *tally) Resolved(operation, field string, code model.Code, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fields[operation+" "+field+" "+string(code)]++
}

func (o *tally) Refused()  { o.count("refused") }
func (o *tally) Panicked() { o.count("panicked") }

func (o *tally) count(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.others[what]++
}

func TestResolver_observer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.visit("v", nil)
	seen := &tally{fields: map[string]int{}, others: map[string]int{}}
	panics := func() (*model.Revenue, error) { panic(canary) }
	b.serveResolver(&graph.Resolver{Store: faultyStore{b.store, panics}, Now: b.now, Observer: seen})

	b.ask(`{ a: websites { id } b: websites { id } }`, nil)
	b.refused(`{ a: revenue { charges } b: websites { id } }`, nil)
	b.refused(`{ visitor(id: "v") { revenue { charges } } }`, nil)
	b.ask(`mutation { recordPayment(input: {transactionId: "t", amount: "1", currency: "USD"}) { outcome } }`, nil)
	b.refused(`{ payments(first: 99999999) { edges { cursor } } }`, nil)
	b.refused(`{ nothing }`, nil)
	b.refused("{ "+strings.Repeat("a: websites { id } ", 31)+"}", nil)

	require.Equal(t, map[string]int{
		"query websites ": 3, "query revenue INTERNAL": 1, "query visitor INTERNAL": 1, "query payments TOO_MANY_ITEMS": 1,
		"mutation recordPayment ": 1,
	}, seen.fields)
	require.Equal(t, map[string]int{"refused": 2, "panicked": 2}, seen.others)
}
