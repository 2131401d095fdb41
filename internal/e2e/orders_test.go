package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// What is sent in one of these sets may come in every order.
var orderSets = map[string][]string{
	"a charge, two refunds, a renewal and a visit":             {"charge", "part", "rest", "renewal", "visit"},
	"a charge, a refund, a renewal, and each of them twice":    {"charge", "part", "renewal", "charge", "part", "renewal"},
	"a charge, a refund, a renewal, a visit and a deletion":    {"charge", "part", "renewal", "visit", "delete"},
	"a charge and both refunds, twice or deleted, and a visit": {"charge", "charge", "part", "rest", "delete"},
}

// sendings are what the sets are made of. The charge has a visitor and a customer; all others find the visitor
// through these.
var sendings = map[string]map[string]any{
	"charge":  {"transactionId": "t1", "amount": 10, "visitorId": "v", "customerId": "c"},
	"part":    {"transactionId": "r1", "amount": 3, "refunded": true, "refundOf": "t1"},
	"rest":    {"transactionId": "t1", "amount": 7, "refunded": true},
	"renewal": {"transactionId": "t2", "amount": 5, "renewal": true, "customerId": "c"},
}

// TestOrders sends each set in all of its orders, each to a website of its own. All that it has in the end depends
// on what was sent, and of the deleted transaction on what was sent after the deletion.
func TestOrders(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	for name, set := range orderSets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orders := permutations(set)
			const clients = 8
			ends := slices.Concat(atOnce(clients, func(client int) (ends []string) {
				for i := client; i < len(orders); i += clients {
					ends = append(ends, s.sendInOrder(t, i, orders[i]))
				}
				return ends
			})...)
			require.Len(t, ends, len(orders))
			differing := map[string]bool{}
			for _, end := range ends {
				differing[end] = true
			}
			if !slices.Contains(set, "delete") {
				require.Len(t, differing, 1, "%s", strings.Join(slices.Sorted(maps.Keys(differing)), "\n"))
				return
			}
			ofWhat := map[string]bool{}
			for _, end := range ends {
				left, _, _ := strings.Cut(end, ":")
				ofWhat[left] = true
			}
			require.Len(t, differing, len(ofWhat), "%s", strings.Join(slices.Sorted(maps.Keys(differing)), "\n"))
		})
	}
}

// sendInOrder sends what an order names to a new website, by turns over REST and GraphQL, and answers what was left
// of it, and after a colon what the website then has.
func (s *stack) sendInOrder(t *testing.T, i int, order []string) string {
	on := s.on(t, model.Website{AccountID: s.site.AccountID})
	left := map[string]bool{}
	for j, name := range order {
		over := []wire{restWire{}, graphqlWire{}}[(i+j)%2]
		switch input := sendings[name]; name {
		case "visit":
			on.visit(t, "v")
		case "delete":
			over.delete(t, on, map[string]any{"transactionId": "t1"})
			delete(left, "charge")
			delete(left, "rest")
		default:
			input = maps.Clone(input)
			input["currency"] = "USD"
			over.record(t, on, input)
			left[name] = true
		}
	}
	var data struct {
		Revenue  revenueNode
		Payments struct {
			Edges []struct {
				Node struct{ TransactionID, Kind, VisitorID, Attribution string }
			}
		}
	}
	on.graphql(t, `{ revenue `+revenueFields+` payments { edges { node { transactionId kind visitorId attribution } } } }`, nil, &data)
	var entries []string
	for _, edge := range data.Payments.Edges {
		entries = append(entries, fmt.Sprint(edge.Node))
	}
	slices.Sort(entries)
	return fmt.Sprint(slices.Sorted(maps.Keys(left)), ": ", data.Revenue, entries)
}

// permutations are all orders of a list, each once.
func permutations(list []string) (orders [][]string) {
	if len(list) == 0 {
		return [][]string{nil}
	}
	for i, first := range list {
		if slices.Contains(list[:i], first) {
			continue
		}
		for _, rest := range permutations(slices.Concat(list[:i], list[i+1:])) {
			orders = append(orders, append([]string{first}, rest...))
		}
	}
	return orders
}
