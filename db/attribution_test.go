package db_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// TestStore_attribution_order records payments of one visitor, who is seen at some time or never,
// and of others whom nobody sees, in two orders: in the end the same ones are credited.
func TestStore_attribution_order(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		other := rapid.Permutation(steps).Draw(rt, "other order")
		require.Equal(rt, credited(rt, shared, steps), credited(rt, shared, other))
	})
}

// TestStore_DeletePayments_asIfNeverSent deletes some of the payments again: the others are credited
// as if those had never been sent.
func TestStore_DeletePayments_asIfNeverSent(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		var kept []model.RecordPaymentInput
		var deleted []string
		for _, step := range steps {
			if step.TransactionID != seeVisitor && rapid.IntRange(0, 2).Draw(rt, "delete") == 0 {
				deleted = append(deleted, step.TransactionID)
			} else {
				kept = append(kept, step)
			}
		}
		require.Equal(rt, credited(rt, shared, kept), credited(rt, shared, steps, deleted...))
	})
}

// seeVisitor is the transaction id of a step that is no payment but the first visit of v.
const seeVisitor = "see"

func drawSteps(rt *rapid.T) []model.RecordPaymentInput {
	optionally := func(name string, of ...string) *string {
		if !rapid.Bool().Draw(rt, "with "+name) {
			return nil
		}
		return ptr(rapid.SampledFrom(of).Draw(rt, name))
	}
	steps := []model.RecordPaymentInput{{TransactionID: seeVisitor}}
	for i := range rapid.IntRange(1, 6).Draw(rt, "payments") {
		in := charge(fmt.Sprint("t", i))
		in.CustomerID, in.Email = optionally("customer", "c", "d"), optionally("email", "e@x.example", "f@x.example")
		if rapid.IntRange(0, 2).Draw(rt, "known") == 0 {
			in.VisitorID = ptr(rapid.SampledFrom([]string{"v", "unseen"}).Draw(rt, "visitor"))
		}
		if i > 0 && rapid.IntRange(0, 3).Draw(rt, "refund") == 0 {
			in = refund(in.TransactionID, fmt.Sprint("t", rapid.IntRange(0, i-1).Draw(rt, "of"))) // of its charge's customer
		}
		steps = append(steps, in)
	}
	return rapid.Permutation(steps).Draw(rt, "steps")
}

// credited takes the steps on a website of its own, deletes some payments, and answers who each of
// the others is credited to.
func credited(rt *rapid.T, shared *bundle, steps []model.RecordPaymentInput, deleted ...string) map[string]string {
	b := &bundle{Store: shared.Store, t: shared.t}
	b.site = b.website("USD")
	for _, step := range steps {
		if step.TransactionID == seeVisitor {
			b.view("v")
			continue
		}
		_, err := b.record(step)
		require.NoError(rt, err)
	}
	for _, id := range deleted {
		_, err := b.DeletePayments(b.t.Context(), b.site, "token", model.Deletion{TransactionID: &id}, now)
		require.NoError(rt, err)
	}
	left, err := b.Payments(b.t.Context(), b.site, model.PaymentQuery{Page: model.Page{First: model.MaxPageSize}})
	require.NoError(rt, err)
	credits := map[string]string{}
	for _, edge := range left.Edges {
		credits[edge.Node.TransactionID] = ""
		if edge.Node.VisitorSeen {
			credits[edge.Node.TransactionID] = *edge.Node.VisitorID
		}
	}
	return credits
}
