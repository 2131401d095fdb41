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

// TestStore_attribution_claims has payments follow what pages claim. One that came with its visitor, who is seen at some
// time, knows better; one that follows, by its charge or customer, does not, in whichever order all arrive.
func TestStore_attribution_claims(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	conn := connect(t, shared.dsn)
	type step = func(b *bundle)
	see := func(visitor string) step { return func(b *bundle) { b.view(visitor) } }
	claim := func(visitor, customer, email string) step {
		return func(b *bundle) {
			b.happen(model.RecordEventInput{VisitorID: visitor, Type: model.EventPayment, CustomerID: &customer, Email: &email})
		}
	}
	pay := func(id, visitor, customer, email string) step {
		return func(b *bundle) { b.pay(paid(id, visitor, customer, email)) }
	}
	refunded := func(id, charge, customer string) step {
		return func(b *bundle) {
			in := refund(id, charge)
			in.CustomerID = &customer
			b.pay(in)
		}
	}
	for _, one := range []struct {
		name   string
		orders [][]step
		want   []string
	}{
		{"a refund of another's charge", [][]step{
			{see("ada"), pay("t1", "ada", "a", ""), claim("eve", "e", ""), pay("t2", "", "a", ""), refunded("r1", "t2", "e"), pay("t3", "", "e", "")},
			{see("ada"), pay("t1", "ada", "a", ""), claim("eve", "e", ""), refunded("r1", "t2", "e"), pay("t2", "", "a", ""), pay("t3", "", "e", "")},
		}, []string{"r1 e  ada REFUNDED_PAYMENT false", "t1 a  ada VISITOR_ID false", "t2 a  ada CUSTOMER_ID false", "t3 e  eve CUSTOMER_ID false"}},
		{"a refund of the charge of a visitor who is seen later", [][]step{
			{pay("t1", "ada", "a", ""), claim("eve", "e", ""), refunded("r1", "t1", "e"), see("ada"), pay("t2", "", "e", "")},
			{claim("eve", "e", ""), refunded("r1", "t1", "e"), pay("t1", "ada", "a", ""), see("ada"), pay("t2", "", "e", "")},
			{see("ada"), pay("t1", "ada", "a", ""), claim("eve", "e", ""), refunded("r1", "t1", "e"), pay("t2", "", "e", "")},
		}, []string{"r1 e  ada REFUNDED_PAYMENT false", "t1 a  ada VISITOR_ID false", "t2 e  eve CUSTOMER_ID false"}},
		{"a payment of another visitor after one that follows", [][]step{
			{see("ada"), claim("eve", "e", ""), pay("t1", "", "e", ""), pay("t2", "ada", "e", ""), pay("t3", "", "e", "")},
			{see("ada"), pay("t1", "", "e", ""), claim("eve", "e", ""), pay("t2", "ada", "e", ""), pay("t3", "", "e", "")},
			{claim("eve", "e", ""), pay("t1", "", "e", ""), pay("t2", "ada", "e", ""), see("ada"), pay("t3", "", "e", "")},
		}, []string{"t1 e  eve CUSTOMER_ID false", "t2 e  ada VISITOR_ID false", "t3 e  ada CUSTOMER_ID false"}},
		{"a payment of another visitor after a refund and its charge", [][]step{
			{see("ada"), claim("eve", "e", ""), refunded("r1", "t1", "e"), pay("t1", "", "e", ""), pay("t2", "ada", "e", ""), pay("t3", "", "e", "")},
		}, []string{"r1 e  eve REFUNDED_PAYMENT false", "t1 e  eve CUSTOMER_ID false", "t2 e  ada VISITOR_ID false", "t3 e  ada CUSTOMER_ID false"}},
		{"a visitor who was claimed to be the customer, and pays", [][]step{
			{see("ada"), claim("eve", "e", ""), pay("t1", "eve", "e", ""), pay("t2", "ada", "e", ""), pay("t3", "", "e", "")},
			{see("ada"), pay("t1", "eve", "e", ""), claim("eve", "e", ""), pay("t2", "ada", "e", ""), pay("t3", "", "e", "")},
		}, []string{"t1 e  eve VISITOR_ID false", "t2 e  ada VISITOR_ID false", "t3 e  eve CUSTOMER_ID false"}},
		{"a customer of a visitor who is never seen", [][]step{
			{pay("t1", "ada", "e", ""), claim("eve", "e", ""), pay("t2", "", "e", "")},
		}, []string{"t1 e  ada VISITOR_ID false", "t2 e  ada CUSTOMER_ID false"}},
		{"a customer of a visitor who is never seen, and of a refund", [][]step{
			{pay("t1", "bob", "b", ""), pay("t2", "ada", "a", ""), refunded("r2", "t2", "b"), see("ada"), pay("t3", "", "b", "")},
			{see("ada"), pay("t1", "bob", "b", ""), pay("t2", "ada", "a", ""), refunded("r2", "t2", "b"), pay("t3", "", "b", "")},
		}, []string{"r2 b  ada REFUNDED_PAYMENT false", "t1 b  bob VISITOR_ID false", "t2 a  ada VISITOR_ID false", "t3 b  ada CUSTOMER_ID false"}},
		{"a refund whose customer is known by a visitor who is never seen", [][]step{
			{pay("t1", "ada", "a", ""), pay("t2", "", "e", ""), refunded("r1", "t2", "a"), claim("eve", "e", ""), pay("t3", "", "a", "")},
			{claim("eve", "e", ""), pay("t1", "ada", "a", ""), pay("t2", "", "e", ""), refunded("r1", "t2", "a"), pay("t3", "", "a", "")},
		}, []string{"r1 a  eve REFUNDED_PAYMENT false", "t1 a  ada VISITOR_ID false", "t2 e  eve CUSTOMER_ID false", "t3 a  eve CUSTOMER_ID false"}},
		{"a customer of a visitor who is never seen, whom a page claims with the e-mail of another charge", [][]step{
			{pay("t1", "ada", "a", ""), pay("t2", "", "", "e@x.example"), refunded("r1", "t2", "a"), claim("eve", "a", "e@x.example"), pay("t3", "", "a", "")},
			{pay("t1", "ada", "a", ""), refunded("r1", "t2", "a"), claim("eve", "a", "e@x.example"), pay("t2", "", "", "e@x.example"), pay("t3", "", "a", "")},
		}, []string{"r1 a  eve REFUNDED_PAYMENT false", "t1 a  ada VISITOR_ID false", "t2  e@x.example eve EMAIL false", "t3 a  eve CUSTOMER_ID false"}},
	} {
		for i, steps := range one.orders {
			b := &bundle{Store: shared.Store, t: t}
			b.site = b.website("USD")
			for _, take := range steps {
				take(b)
			}
			require.Equal(t, one.want, b.entries(conn), "%s, order %d", one.name, i)
		}
	}
}

// TestStore_attribution_together has a customer follow two payments of one request to their visitors, of whom one is seen.
func TestStore_attribution_together(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	conn := connect(t, shared.dsn)
	for _, customers := range [][]string{{"a", "b"}, {"b", "a"}} {
		b := &bundle{Store: shared.Store, t: t}
		b.site = b.website("USD")
		b.view("ada")
		b.pay(paid("t1", "", "a", "e@x.example"), paid("t2", "", "b", "e@x.example"))
		_, err := b.RecordPayments(t.Context(), b.site, b.batch(paid("t3", "ada", customers[0], ""), paid("t4", "unseen", customers[1], "")))
		require.NoError(t, err)
		b.pay(paid("t5", "", "", "e@x.example"))
		require.Contains(t, b.entries(conn), "t5  e@x.example ada EMAIL false", "%v", customers)
	}
}
