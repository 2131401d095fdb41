package db_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestStore_DeletePayments_attribution(t *testing.T) {
	t.Parallel()
	charge := func(id, customer, email, visitor string) model.RecordPaymentInput {
		in := model.RecordPaymentInput{TransactionID: id, Amount: "10", Currency: "USD"}
		for field, value := range map[**string]string{&in.CustomerID: customer, &in.Email: email, &in.VisitorID: visitor} {
			if value != "" {
				*field = ptr(value)
			}
		}
		return in
	}
	refund := func(id, of string) model.RecordPaymentInput {
		return model.RecordPaymentInput{TransactionID: id, Amount: "1", Currency: "USD", Refunded: ptr(true), RefundOf: ptr(of)}
	}
	refundOf := func(id, of, customer, email string) model.RecordPaymentInput {
		in := refund(id, of)
		in.CustomerID, in.Email = ptr(customer), ptr(email)
		return in
	}
	for name, test := range map[string]struct {
		sent    []model.RecordPaymentInput
		deleted string
		want    map[string]string // transaction id → basis and visitor
	}{
		"those that followed a deleted payment lose its visitor": {
			sent: []model.RecordPaymentInput{
				charge("earlier", "c", "e@x.example", ""), charge("by-email", "", "E@x.example", ""), refund("r", "by-email"), charge("wrong", "c", "", "v"),
			},
			deleted: "wrong",
			want:    map[string]string{"earlier": "NONE", "by-email": "NONE", "r": "NONE"},
		},
		"a customer that another payment makes known stays known": {
			sent:    []model.RecordPaymentInput{charge("a", "c", "", "v"), charge("b", "c", "", ""), charge("second", "c", "", "v")},
			deleted: "a",
			want:    map[string]string{"b": "CUSTOMER_ID v", "second": "VISITOR_ID v"},
		},
		"a payment whose e-mail is still known is found by it": {
			sent: []model.RecordPaymentInput{
				charge("by-customer", "c", "", "v"), charge("by-email", "", "e@x.example", "w"), charge("both", "c", "e@x.example", ""), refund("r", "both"),
			},
			deleted: "by-customer",
			want:    map[string]string{"by-email": "VISITOR_ID w", "both": "EMAIL w", "r": "REFUNDED_PAYMENT w"},
		},
		"two that followed it do not keep each other": {
			sent:    []model.RecordPaymentInput{charge("wrong", "", "e@x.example", "v"), charge("a", "c", "e@x.example", ""), charge("b", "c", "e@x.example", "")},
			deleted: "wrong",
			want:    map[string]string{"a": "NONE", "b": "NONE"},
		},
		"a customer that a refund made known is forgotten with its charge's visitor": {
			// r passes v on from its e-mail to its customer d; the charge of r follows d, and r its charge.
			sent: []model.RecordPaymentInput{
				charge("wrong", "c", "", "v"), charge("a", "d", "", ""), refundOf("r", "a", "d", "e@x.example"), charge("b", "c", "e@x.example", ""),
			},
			deleted: "wrong",
			want:    map[string]string{"a": "NONE", "r": "NONE", "b": "NONE"},
		},
		"a refund does not keep the visitor of its deleted charge": {
			sent:    []model.RecordPaymentInput{charge("t", "", "", "v"), refund("r", "t")},
			deleted: "t",
			want:    map[string]string{"r": "NONE"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for _, in := range test.sent {
				_, err := b.record(in)
				require.NoError(t, err)
			}
			_, err := b.DeletePayments(context.Background(), b.site, "token", model.Deletion{TransactionID: &test.deleted}, now)
			require.NoError(t, err)
			left, err := b.Payments(context.Background(), b.site, model.PaymentQuery{Page: model.Page{First: model.MaxPageSize}})
			require.NoError(t, err)
			got := map[string]string{}
			for _, edge := range left.Edges {
				got[edge.Node.TransactionID] = string(edge.Node.Basis)
				if edge.Node.VisitorID != nil {
					got[edge.Node.TransactionID] += " " + *edge.Node.VisitorID
				}
			}
			require.Equal(t, test.want, got)
		})
	}
}

// A payment that follows what a page has said makes its customer known, as a payment does: not as the page does, which
// no deletion takes back.
func TestStore_DeletePayments_afterClaim(t *testing.T) {
	t.Parallel()
	b := setup(t)
	both := model.RecordPaymentInput{TransactionID: "both", Amount: "10", Currency: "USD", CustomerID: ptr("c"), Email: ptr("e@x.example")}
	_, err := b.record(both)
	require.NoError(t, err)
	event, err := model.RecordEventInput{VisitorID: "v", Type: model.EventPayment, URL: "https://shop.example/", Email: both.Email}.Validate(b.site, now)
	require.NoError(t, err)
	_, err = b.RecordEvent(t.Context(), b.site, event, now)
	require.NoError(t, err)
	_, err = b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("both")}, now)
	require.NoError(t, err)

	for _, next := range []struct {
		in   model.RecordPaymentInput
		want string
	}{
		{model.RecordPaymentInput{TransactionID: "by customer", Amount: "10", Currency: "USD", CustomerID: ptr("c")}, "RECORDED"},
		{model.RecordPaymentInput{TransactionID: "by e-mail", Amount: "10", Currency: "USD", Email: ptr("e@x.example")}, "ATTRIBUTED"},
	} {
		payload, err := b.record(next.in)
		require.NoError(t, err)
		require.Equal(t, next.want, string(payload.Outcome), next.in.TransactionID)
	}
}

// What a page says of a customer who is known already counts once the payments are gone that made the customer known.
func TestStore_DeletePayments_beforeClaim(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.record(model.RecordPaymentInput{TransactionID: "known", Amount: "10", Currency: "USD", CustomerID: ptr("c"), VisitorID: ptr("v")})
	require.NoError(t, err)
	event, err := model.RecordEventInput{VisitorID: "v", Type: model.EventPayment, URL: "https://shop.example/", CustomerID: ptr("c")}.Validate(b.site, now)
	require.NoError(t, err)
	_, err = b.RecordEvent(t.Context(), b.site, event, now)
	require.NoError(t, err)
	_, err = b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: ptr("known")}, now)
	require.NoError(t, err)
	payload, err := b.record(model.RecordPaymentInput{TransactionID: "next", Amount: "10", Currency: "USD", CustomerID: ptr("c")})
	require.NoError(t, err)
	require.Equal(t, model.OutcomeAttributed, payload.Outcome)
}

// What a page has said counts for less than a payment that came with a visitor who was seen, also after a deletion, and
// for more than what is known of a visitor who was never seen.
func TestStore_DeletePayments_besideClaim(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	conn := connect(t, shared.dsn)
	for name, one := range map[string]struct {
		seen    []string
		sent    []model.RecordPaymentInput
		claim   model.RecordEventInput
		then    model.RecordPaymentInput
		deleted string
		want    []string
	}{
		"the customer of another who paid with their visitor": {
			seen:    []string{"ada", "bob"},
			sent:    []model.RecordPaymentInput{paid("t1", "ada", "c", ""), paid("t2", "bob", "c", "")},
			claim:   model.RecordEventInput{CustomerID: ptr("c")},
			then:    paid("t3", "", "c", ""),
			deleted: "t1",
			want:    []string{"t2 c  bob VISITOR_ID false", "t3 c  bob CUSTOMER_ID false", "t4 c  bob CUSTOMER_ID false"},
		},
		"the customer of one who was never seen": {
			sent:    []model.RecordPaymentInput{paid("t1", "ada", "c", ""), paid("t2", "ada", "", "e@x.example")},
			claim:   model.RecordEventInput{Email: ptr("e@x.example")},
			then:    paid("t3", "", "c", "e@x.example"),
			deleted: "t2",
			want:    []string{"t1 c  ada VISITOR_ID false", "t3 c e@x.example eve EMAIL false", "t4 c  eve CUSTOMER_ID false"},
		},
	} {
		b := &bundle{Store: shared.Store, t: t}
		b.site = b.website("USD")
		for _, visitor := range one.seen {
			b.view(visitor)
		}
		b.pay(one.sent...)
		one.claim.VisitorID, one.claim.Type = "eve", model.EventPayment
		b.happen(one.claim)
		b.pay(one.then)
		_, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: &one.deleted}, now)
		require.NoError(t, err)
		b.pay(paid("t4", "", "c", ""))
		require.Equal(t, one.want, b.entries(conn), name)
	}
}

// A payment that is sent again, and leaves nothing, keeps no other of its batch from making its customer known.
func TestStore_RecordPayments_besideDuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.view("v")
	both, byEmail := charge("both"), charge("by e-mail")
	both.CustomerID, both.Email, byEmail.Email, byEmail.VisitorID = ptr("c"), ptr("e@x.example"), ptr("e@x.example"), ptr("v")
	for _, in := range []model.RecordPaymentInput{both, byEmail} {
		_, err := b.record(in)
		require.NoError(t, err)
	}
	_, err := b.DeletePayments(t.Context(), b.site, "token", model.Deletion{TransactionID: &byEmail.TransactionID}, now)
	require.NoError(t, err)

	byCustomer := charge("by customer")
	byCustomer.CustomerID, byCustomer.VisitorID = ptr("c"), ptr("v")
	_, err = b.RecordPayments(t.Context(), b.site, b.batch(both, byCustomer))
	require.NoError(t, err)
	byEmail.VisitorID = nil
	payload, err := b.record(byEmail)
	require.NoError(t, err)
	require.Equal(t, model.OutcomeAttributed, payload.Outcome)
}
