package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// step is a payment, or the first visit of a visitor.
type step struct {
	visit string
	id    string
	vars
}

func (b *bundle) run(steps []step) {
	b.t.Helper()
	for _, s := range steps {
		if s.visit != "" {
			b.visit(s.visit, nil)
		} else {
			b.pay(s.id, s.vars)
		}
	}
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	refund := func(charge string) vars { return vars{"refunded": true, "amount": "1", "refundOf": charge} }
	for name, test := range map[string]struct {
		steps []step
		want  map[string]string // transaction id → basis and visitor
	}{
		"an unknown visitor's payment is attributed when the visitor is first seen": {
			[]step{{id: "t", vars: vars{"visitorId": "v"}}, {visit: "v"}},
			map[string]string{"t": "VISITOR_ID v"},
		},
		"the visitor sent goes before charge, customer and e-mail": {
			[]step{
				{visit: "v"}, {visit: "w"}, {id: "t", vars: vars{"visitorId": "v", "customerId": "c", "email": "a@b.example"}},
				{id: "u", vars: vars{"visitorId": "w", "customerId": "c", "email": "a@b.example"}},
				{id: "r", vars: vars{"visitorId": "w", "refunded": true, "amount": "1", "refundOf": "t"}},
			},
			map[string]string{"t": "VISITOR_ID v", "u": "VISITOR_ID w", "r": "VISITOR_ID w"},
		},
		"the charge that it refunds goes before customer and e-mail": {
			[]step{
				{visit: "v"}, {visit: "w"}, {id: "t", vars: vars{"visitorId": "v"}}, {id: "u", vars: vars{"visitorId": "w", "customerId": "c"}},
				{id: "r", vars: vars{"customerId": "c", "refunded": true, "amount": "1", "refundOf": "t"}},
			},
			map[string]string{"t": "VISITOR_ID v", "u": "VISITOR_ID w", "r": "REFUNDED_PAYMENT v"},
		},
		"the customer goes before the e-mail": {
			[]step{
				{visit: "v"}, {visit: "w"}, {id: "t", vars: vars{"visitorId": "v", "email": "a@b.example"}},
				{id: "u", vars: vars{"visitorId": "w", "customerId": "c"}}, {id: "x", vars: vars{"customerId": "c", "email": "a@b.example"}},
			},
			map[string]string{"t": "VISITOR_ID v", "u": "VISITOR_ID w", "x": "CUSTOMER_ID w"},
		},
		"an e-mail is the same in any letter case": {
			[]step{
				{visit: "v"}, {id: "t", vars: vars{"email": "Jörg@B.example"}}, {id: "u", vars: vars{"visitorId": "v", "email": "jÖRG@b.EXAMPLE"}},
				{id: "x", vars: vars{"email": "jörg@b.example"}},
			},
			map[string]string{"t": "EMAIL v", "u": "VISITOR_ID v", "x": "EMAIL v"},
		},
		"customer ids are compared byte by byte": {
			[]step{{visit: "v"}, {id: "t", vars: vars{"visitorId": "v", "customerId": "c"}}, {id: "u", vars: vars{"customerId": "C"}}},
			map[string]string{"t": "VISITOR_ID v", "u": "NONE"},
		},
		"a customer that becomes known takes along earlier payments, their other keys and their refunds": {
			[]step{
				{visit: "v"}, {id: "r", vars: refund("b")}, {id: "a", vars: vars{"email": "a@b.example"}}, {id: "b", vars: vars{"email": "A@b.example", "customerId": "c"}},
				{id: "c", vars: vars{"customerId": "c"}}, {id: "known", vars: vars{"visitorId": "v", "customerId": "c"}},
			},
			map[string]string{"a": "EMAIL v", "b": "CUSTOMER_ID v", "c": "CUSTOMER_ID v", "known": "VISITOR_ID v", "r": "REFUNDED_PAYMENT v"},
		},
		"a visitor who was seen takes the customer from one who was not": {
			[]step{
				{visit: "v"}, {id: "a", vars: vars{"visitorId": "unseen", "customerId": "c"}}, {id: "b", vars: vars{"customerId": "c"}},
				{id: "r", vars: refund("b")}, {id: "d", vars: vars{"visitorId": "v", "customerId": "c"}}, {id: "e", vars: vars{"customerId": "c"}},
			},
			map[string]string{"a": "NONE unseen", "b": "CUSTOMER_ID v", "r": "REFUNDED_PAYMENT v", "d": "VISITOR_ID v", "e": "CUSTOMER_ID v"},
		},
		"and does so also when it is seen only afterwards": {
			[]step{
				{id: "a", vars: vars{"visitorId": "unseen", "customerId": "c"}}, {id: "b", vars: vars{"customerId": "c"}},
				{id: "d", vars: vars{"visitorId": "v", "customerId": "c"}}, {visit: "v"}, {id: "e", vars: vars{"customerId": "c"}},
			},
			map[string]string{"a": "NONE unseen", "b": "CUSTOMER_ID v", "d": "VISITOR_ID v", "e": "CUSTOMER_ID v"},
		},
		"but not from another who was seen": {
			[]step{
				{visit: "v"}, {visit: "w"}, {id: "a", vars: vars{"visitorId": "v", "customerId": "c"}},
				{id: "b", vars: vars{"visitorId": "w", "customerId": "c"}}, {id: "d", vars: vars{"customerId": "c"}},
			},
			map[string]string{"a": "VISITOR_ID v", "b": "VISITOR_ID w", "d": "CUSTOMER_ID v"},
		},
		"an e-mail of a visitor who was seen goes before a customer of one who was not": {
			[]step{
				{visit: "v"}, {id: "a", vars: vars{"visitorId": "unseen", "customerId": "c"}}, {id: "b", vars: vars{"visitorId": "v", "email": "a@b.example"}},
				{id: "d", vars: vars{"customerId": "c", "email": "a@b.example"}},
			},
			map[string]string{"a": "NONE unseen", "b": "VISITOR_ID v", "d": "EMAIL v"},
		},
		"a refund of a payment that nobody knows stays with nobody": {
			[]step{{id: "r", vars: refund("nothing")}},
			map[string]string{"r": "NONE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := shared.another(t)
			b.run(test.steps)
			require.Equal(t, test.want, b.bases())
		})
	}

	t.Run("does not cross websites", func(t *testing.T) {
		t.Parallel()
		here, there := shared.another(t), shared.another(t)
		there.visit("v", nil)
		there.pay("t", vars{"visitorId": "v", "customerId": "c", "email": "a@b.example"})
		here.pay("t", vars{"visitorId": "v"})
		here.pay("u", vars{"customerId": "c"})
		here.pay("x", vars{"email": "a@b.example"})
		here.pay("t", vars{"refunded": true})
		require.Equal(t, map[string]string{"u": "NONE", "x": "NONE", "t": "NONE v"}, here.bases())
	})

	t.Run("is settled when everything comes at once", func(t *testing.T) {
		t.Parallel()
		b := shared.another(t)
		steps := []step{
			{visit: "v"}, {id: "a", vars: vars{"visitorId": "v", "customerId": "c"}}, {id: "b", vars: vars{"customerId": "c", "email": "a@b.example"}},
			{id: "r", vars: refund("b")}, {id: "r2", vars: refund("b")}, {id: "d", vars: vars{"email": "a@b.example"}}, {visit: "v"}, {visit: "v"},
		}
		concurrently(len(steps), func(i int) string { b.run(steps[i : i+1]); return "" })
		require.Equal(t, map[string]string{"a": "VISITOR_ID v", "b": "CUSTOMER_ID v", "d": "EMAIL v", "r": "REFUNDED_PAYMENT v", "r2": "REFUNDED_PAYMENT v"}, b.bases())
	})
}
