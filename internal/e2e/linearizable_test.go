package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// What clients of two servers on one database see of a transaction id is what they would see if they had come one
// after the other, in some order in which nobody comes before one who had been answered. With a read replica that
// would not hold: another server's reports may be some seconds old.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	history := race(t, s, s.twin(t, nil))
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(oneTransaction, history, time.Minute))
}

// Not so if one of the servers answers reads with what it had read before.
func TestLinearizable_findsStaleReads(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	history := race(t, s, s.twin(t, remembering))
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(oneTransaction, history, time.Minute))
}

// act is what a client does to a transaction id; the amount is that of a charge or refund.
type act struct {
	do, id string
	amount int
}

// held is what the ledger has under a transaction id: amounts, or 0.
type held struct{ charge, refund int }

// oneTransaction says how acts on a transaction id are answered that come one after the other.
var oneTransaction = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		byID := map[string][]porcupine.Operation{}
		for _, op := range history {
			id := op.Input.(act).id
			byID[id] = append(byID[id], op)
		}
		for _, part := range byID {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return held{} },
	Step: func(state, input, output any) (bool, any) {
		want, after := state.(held).take(input.(act))
		return output == want, after
	},
}

// take is the answer to an act, and what the ledger has afterwards.
func (h held) take(a act) (answer string, after held) {
	switch after = h; a.do {
	case "charge":
		switch {
		case h.charge == a.amount:
			return "DUPLICATE", h
		case h.charge > 0:
			return "DUPLICATE amount", h
		case h.refund > a.amount:
			return "REFUND_EXCEEDS_CHARGE amount", h
		}
		after.charge = a.amount
		return "RECORDED", after
	case "refund":
		switch {
		case h.refund == a.amount:
			return "DUPLICATE", h
		case h.refund > 0:
			return "DUPLICATE amount", h
		case h.charge > 0 && a.amount > h.charge:
			return "REFUND_EXCEEDS_CHARGE amount", h
		}
		after.refund = a.amount
		return "REFUNDED", after
	case "delete":
		switch h {
		case held{}:
			return "PAYMENT_NOT_FOUND transactionId", h
		case held{charge: h.charge}, held{refund: h.refund}:
			return "1 deleted", held{}
		}
		return "2 deleted", held{}
	}
	return fmt.Sprint(h), h
}

// race lets clients of some servers act on few transaction ids at the same time, and notes what each has seen when.
func race(t *testing.T, servers ...*stack) []porcupine.Operation {
	t.Helper()
	const clients, acts = 8, 60
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	began := time.Now()
	histories := atOnce(clients, func(client int) (history []porcupine.Operation) {
		random := rand.New(rand.NewPCG(seed, uint64(client)))
		s := servers[client%len(servers)]
		for range acts {
			a := act{
				do: []string{"charge", "charge", "refund", "delete", "read", "read"}[random.IntN(6)],
				id: fmt.Sprint("t", random.IntN(4)), amount: 1 + random.IntN(4),
			}
			over := []wire{restWire{}, graphqlWire{}}[random.IntN(2)]
			op := porcupine.Operation{ClientId: client, Input: a, Call: int64(time.Since(began))}
			op.Output = a.send(t, s, over)
			op.Return = int64(time.Since(began))
			history = append(history, op)
		}
		return history
	})
	return slices.Concat(histories...)
}

// send takes the act to a server.
func (a act) send(t testing.TB, s *stack, over wire) string {
	input := map[string]any{"transactionId": a.id}
	switch a.do {
	case "delete":
		return over.delete(t, s, input)
	case "read":
		return s.holds(t, a.id)
	}
	input["amount"], input["currency"], input["refunded"] = a.amount, "USD", a.do == "refund"
	return over.record(t, s, input)
}

// holds is what the server says that it has under a transaction id, as held is written.
func (s *stack) holds(t testing.TB, id string) string {
	var data struct {
		Payments struct {
			Edges []struct {
				Node struct {
					Kind   string
					Amount struct{ Amount string }
				}
			}
		}
	}
	s.graphql(t, `query($id: String) { payments(filter: {transactionId: $id}) { edges { node { kind amount { amount } } } } }`, map[string]any{"id": id}, &data)
	var h held
	for _, edge := range data.Payments.Edges {
		amount := &h.charge
		if edge.Node.Kind == "REFUND" {
			amount = &h.refund
		}
		_, err := fmt.Sscan(edge.Node.Amount.Amount, amount)
		require.NoError(t, err)
	}
	return fmt.Sprint(h)
}

// remembering is a server that answers each read as it did the first time.
func remembering(next http.Handler) http.Handler {
	var mu sync.Mutex
	remembered := map[string][]byte{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(asked))
		if err != nil || !strings.Contains(string(asked), "query($id: String) { payments") {
			next.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if remembered[string(asked)] == nil {
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			remembered[string(asked)] = recorder.Body.Bytes()
		}
		w.Header().Set("X-Request-Id", "remembered")
		_, _ = w.Write(remembered[string(asked)])
	})
}
