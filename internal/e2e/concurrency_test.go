package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// atOnce does something so many times at the same time and collects the results in order.
func atOnce[T any](times int, do func(i int) T) []T {
	begin := make(chan struct{})
	pending := make([]func() T, times)
	for i := range times {
		pending[i] = meanwhile(func() T {
			<-begin
			return do(i)
		})
	}
	close(begin)
	results := make([]T, times)
	for i, result := range pending {
		results[i] = result()
	}
	return results
}

// 64 clients of two servers send the same payments at once, and say so of each only once.
func TestAtOnce_samePayment(t *testing.T) {
	t.Parallel()
	ids := 10
	if isLong {
		ids = 2000
	}
	s := start(t, options{})
	servers := []*stack{s, s.twin(t, nil)}
	s.visit(t, "v")
	outcomes := map[string]int{}
	for _, got := range atOnce(64, func(client int) (got []string) {
		for i := range ids {
			got = append(got, fmt.Sprint(i, " ", servers[client%2].posted(t, fmt.Sprintf(
				`{"amount":29.99,"currency":"USD","transaction_id":"t%d","datafast_visitor_id":"v","customer_id":"c%d","email":"a@b"}`, i, i%7))))
		}
		return got
	}) {
		for _, outcome := range got {
			outcomes[outcome]++
		}
	}
	for i := range ids {
		require.Equal(t, 1, outcomes[fmt.Sprint(i, " Payment recorded and attributed successfully")])
		require.Equal(t, 63, outcomes[fmt.Sprint(i, " Payment already recorded")])
	}
	require.Equal(t, ids, s.count(t, "payments"))
	require.Equal(t, revenueOfCharges(ids), s.totals(t))
}

func TestAtOnce_fauryaDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	s.visit(t, "v")
	statuses := map[int]int{}
	for _, got := range atOnce(16, func(int) answer {
		return s.post(t, `{"amount":1,"transaction_id":"t1","faurya_visitor_id":"v"}`)
	}) {
		statuses[got.status]++
	}
	require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusBadRequest: 15}, statuses)
	require.Equal(t, 1, s.count(t, "payments"))
}

// Fifty requests over all ways at once, to two servers, take back parts of a charge; and of others, since two that do
// not wait for each other may happen not to meet.
func TestAtOnce_partialRefunds(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	servers := []*stack{s, s.twin(t, nil)}
	const charges = 5
	for charge := range charges {
		s.posted(t, fmt.Sprintf(`{"amount":29.99,"currency":"USD","transaction_id":"t%d"}`, charge))
		refund := func(id string) map[string]any {
			return map[string]any{"amount": 1, "currency": "USD", "transactionId": id, "refunded": true, "refundOf": fmt.Sprint("t", charge)}
		}
		outcomes := map[string]int{}
		for _, got := range atOnce(50, func(i int) []string {
			on, id := servers[i%2], fmt.Sprint("r", charge, " ", i)
			switch i % 3 {
			case 0:
				return []string{restWire{}.record(t, on, refund(id))}
			case 1:
				return []string{graphqlWire{}.record(t, on, refund(id))}
			}
			return on.recordTogether(t, []map[string]any{refund(id), refund(id + " and another")})
		}) {
			for _, outcome := range got {
				outcomes[outcome]++
			}
		}
		require.Equal(t, map[string]int{"REFUNDED": 29, "REFUND_EXCEEDS_CHARGE amount": 50 + 16 - 29}, outcomes)
	}
	require.Equal(t, revenue{"149.95", "145.00", "4.95", charges, 0, charges * 29, 0}, s.totals(t))
}

// Refunds that share an id but not a charge meet only where they are written.
func TestAtOnce_sameRefundOfOtherCharges(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	messages := map[string]int{}
	for _, message := range atOnce(16, func(i int) string {
		return s.posted(t, fmt.Sprintf(`{"amount":1,"currency":"USD","transaction_id":"r1","refunded":true,"refund_of":"t%d"}`, i))
	}) {
		messages[message]++
	}
	require.Equal(t, map[string]int{
		"Refund recorded successfully": 1,
		"Payment already recorded, and nothing was changed; this request differs in refund_of": 15,
	}, messages)
	require.Equal(t, 1, s.count(t, "payments"))
}

// A delete takes the charge and the refund of an id, or neither; a post of the same id comes before or
// after it.
func TestAtOnce_deleteAndPost(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	const ids = 12
	for i := range ids {
		s.posted(t, payment("transaction_id", fmt.Sprintf(`"t%d"`, i)))
		s.posted(t, fmt.Sprintf(`{"amount":29.99,"currency":"USD","transaction_id":"t%d","refunded":true}`, i))
	}
	atOnce(3*ids, func(i int) answer {
		id := fmt.Sprintf("t%d", i/3)
		if i%3 == 0 {
			got := s.delete(t, "?transaction_id="+id, "")
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Contains(t, got.body, `"deleted":2`, id)
			return got
		}
		got := s.post(t, payment("transaction_id", `"`+id+`"`))
		require.Equal(t, http.StatusOK, got.status, got.body)
		return got
	})
	require.Zero(t, s.count(t, "payments WHERE is_refund"))
	require.Zero(t, s.count(t, "(SELECT FROM payments GROUP BY transaction_id HAVING count(*) > 1) AS twice"))
	left := s.count(t, "payments")
	require.Equal(t, revenueOfCharges(left), s.totals(t))
	require.Equal(t, ids, s.count(t, "payment_deletions WHERE deleted_count = 2"))
}

// revenueOfCharges are the totals of so many payments of 29.99.
func revenueOfCharges(n int) revenue {
	amount := fmt.Sprintf("%d.%02d", n*2999/100, n*2999%100)
	return revenue{amount, "0.00", amount, n, 0, 0, 0}
}
