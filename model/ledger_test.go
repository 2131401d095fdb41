package model_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// noon is the time at which the tests of the ledger happen.
var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

// checked makes a payment of an input to a website in USD and UTC.
func checked(t require.TestingT, in model.RecordPaymentInput) *model.NewPayment {
	if in.Amount == "" {
		in.Amount = "10"
	}
	p, err := in.Validate(model.Website{ID: "site", Timezone: "UTC", Currency: "USD"}, noon)
	require.NoError(t, err)
	return &p
}

func refundOf(id, charge string, amount model.Decimal) model.RecordPaymentInput {
	return model.RecordPaymentInput{TransactionID: id, Amount: amount, Refunded: pointer(true), RefundOf: &charge}
}

func pointer[T any](v T) *T { return &v }

// requireFault wants an error of an input field; "" for one of no field.
func requireFault(t testing.TB, code model.Code, field string, err error) {
	t.Helper()
	fault := model.AsError(err)
	require.NotNil(t, fault, "%v", err)
	require.Equal(t, []string{string(code), field}, []string{string(fault.Code), fault.Field})
}

func emptyLedger(seen ...string) *model.Ledger {
	known := map[string]bool{}
	for _, visitor := range seen {
		known[visitor] = true
	}
	return model.NewLedger(nil, map[model.CustomerKey]string{}, known)
}

func TestLedger_Record(t *testing.T) {
	t.Parallel()

	t.Run("tells what became of a payment", func(t *testing.T) {
		t.Parallel()
		l := emptyLedger("v")
		for _, test := range []struct {
			in   model.RecordPaymentInput
			want model.RecordOutcome
		}{
			{model.RecordPaymentInput{TransactionID: "a"}, model.OutcomeRecorded},
			{model.RecordPaymentInput{TransactionID: "b", VisitorID: pointer("unseen")}, model.OutcomeRecorded},
			{model.RecordPaymentInput{TransactionID: "c", VisitorID: pointer("v")}, model.OutcomeAttributed},
			{model.RecordPaymentInput{TransactionID: "c", Refunded: pointer(true)}, model.OutcomeRefunded},
			{model.RecordPaymentInput{TransactionID: "c"}, model.OutcomeDuplicate},
			{model.RecordPaymentInput{TransactionID: "c", Refunded: pointer(true)}, model.OutcomeDuplicate},
		} {
			got, err := l.Record(checked(t, test.in))
			require.NoError(t, err)
			require.Equal(t, test.want, got.Outcome)
		}
	})

	t.Run("keeps refunds within their charge", func(t *testing.T) {
		t.Parallel()
		charge := model.RecordPaymentInput{TransactionID: "t"}
		for name, test := range map[string]struct {
			before []model.RecordPaymentInput
			last   model.RecordPaymentInput
			want   model.Code // "" for success
		}{
			"all of it":                {[]model.RecordPaymentInput{charge, refundOf("r", "t", "9.99")}, refundOf("s", "t", "0.01"), ""},
			"a cent too much":          {[]model.RecordPaymentInput{charge, refundOf("r", "t", "9.99")}, refundOf("s", "t", "0.02"), model.CodeRefundExceedsCharge},
			"a charge that is too low": {[]model.RecordPaymentInput{refundOf("r", "t", "5"), refundOf("s", "t", "5.01")}, charge, model.CodeRefundExceedsCharge},
			"a charge that is enough":  {[]model.RecordPaymentInput{refundOf("r", "t", "5"), refundOf("s", "t", "5")}, charge, ""},
			"more than 64 bits can hold": {
				[]model.RecordPaymentInput{refundOf("r", "t", "90071992547409.91"), refundOf("s", "t", "90071992547409.91")}, charge, model.CodeRefundExceedsCharge,
			},
			"another currency": {
				[]model.RecordPaymentInput{charge}, model.RecordPaymentInput{TransactionID: "t", Refunded: pointer(true), Currency: "EUR"}, model.CodeRefundCurrency,
			},
			"a charge in another currency": {[]model.RecordPaymentInput{refundOf("r", "t", "1")}, model.RecordPaymentInput{TransactionID: "t", Currency: "EUR"}, model.CodeRefundCurrency},
			"a free trial":                 {[]model.RecordPaymentInput{{TransactionID: "t", FreeTrial: pointer(true)}}, refundOf("r", "t", "0.01"), model.CodeRefundExceedsCharge},
			"a charge that nobody knows":   {nil, refundOf("r", "t", "1000000"), ""},
			"another charge":               {[]model.RecordPaymentInput{charge, refundOf("r", "t", "10")}, refundOf("s", "u", "10"), ""},
			"under the charge's id": {
				[]model.RecordPaymentInput{charge, refundOf("r", "t", "4")},
				model.RecordPaymentInput{TransactionID: "t", Amount: "7", Refunded: pointer(true)}, model.CodeRefundExceedsCharge,
			},
		} {
			l := emptyLedger()
			for _, in := range test.before {
				_, err := l.Record(checked(t, in))
				require.NoError(t, err, name)
			}
			_, err := l.Record(checked(t, test.last))
			if test.want == "" {
				require.NoError(t, err, name)
				continue
			}
			require.Equal(t, test.want, model.AsError(err).Code, name)
			_, err = l.Record(checked(t, refundOf("elsewhere", "other", "1")))
			require.NoError(t, err, "a payment that is refused changes nothing")
		}
	})

	t.Run("refuses on demand", func(t *testing.T) {
		t.Parallel()
		l := emptyLedger("v")
		in := model.RecordPaymentInput{TransactionID: "t", RequireVisitor: pointer(true), RejectDuplicate: pointer(true)}
		_, err := l.Record(checked(t, in))
		requireFault(t, model.CodeVisitorNotFound, "visitorId", err)
		in.VisitorID = pointer("v")
		_, err = l.Record(checked(t, in))
		require.NoError(t, err)
		_, err = l.Record(checked(t, in))
		requireFault(t, model.CodeDuplicateTransaction, "transactionId", err)
	})

	t.Run("counts only what it adds", func(t *testing.T) {
		t.Parallel()
		l := emptyLedger()
		l.EventsLeft = 2
		for i, want := range []model.Code{"", "", "", model.CodeRefundExceedsCharge, model.CodeEventLimitReached, ""} {
			in := []model.RecordPaymentInput{{TransactionID: "a"}, {TransactionID: "a"}, {TransactionID: "b"}, refundOf("r", "a", "11"), {TransactionID: "c"}, {TransactionID: "b"}}[i]
			_, err := l.Record(checked(t, in))
			if want == "" {
				require.NoError(t, err, i)
			} else {
				require.Equal(t, want, model.AsError(err).Code)
			}
		}
		require.Zero(t, l.EventsLeft)
	})

	t.Run("starts from what is recorded", func(t *testing.T) {
		t.Parallel()
		recorded := []model.Payment{checked(t, model.RecordPaymentInput{TransactionID: "t"}).Payment, checked(t, refundOf("r", "t", "4")).Payment}
		l := model.NewLedger(recorded, map[model.CustomerKey]string{{Basis: model.BasisEmail, Value: "a@b.example"}: "v"}, map[string]bool{"v": true})
		_, err := l.Record(checked(t, refundOf("s", "t", "6.01")))
		requireFault(t, model.CodeRefundExceedsCharge, "amount", err)
		got, err := l.Record(checked(t, model.RecordPaymentInput{TransactionID: "u", Email: pointer("A@B.example"), CustomerID: pointer("c")}))
		require.NoError(t, err)
		require.Equal(t, []any{"v", model.BasisEmail, true}, []any{*got.Payment.VisitorID, got.Payment.Attribution(), got.Payment.VisitorSeen})
		require.Equal(t, map[model.CustomerKey]string{{Basis: model.BasisCustomerID, Value: "c"}: "v"}, l.Links)
		charge := checked(t, model.RecordPaymentInput{TransactionID: "r", VisitorID: pointer("v")})
		require.Empty(t, l.RefundedCharges([]*model.Payment{&charge.Payment}), "r is a refund's id, not its charge's")
	})

	t.Run("tells which charges have refunds that lack their visitor", func(t *testing.T) {
		t.Parallel()
		l := emptyLedger()
		var added []*model.Payment
		for _, in := range []model.RecordPaymentInput{
			refundOf("r1", "before", "1"), {TransactionID: "before", VisitorID: pointer("v")},
			{TransactionID: "after", VisitorID: pointer("v")}, refundOf("r2", "after", "1"),
			refundOf("r3", "none", "1"), {TransactionID: "none"},
		} {
			got, err := l.Record(checked(t, in))
			require.NoError(t, err)
			added = append(added, got.Payment)
		}
		require.Equal(t, []string{"before"}, l.RefundedCharges(added))
	})
}

func TestLedger_order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var inputs []model.RecordPaymentInput
		for i := range rapid.IntRange(1, 4).Draw(rt, "charges") {
			id := fmt.Sprint("t", i)
			inputs = append(inputs, model.RecordPaymentInput{TransactionID: id, Renewal: pointer(rapid.Bool().Draw(rt, "renewal"))})
			for j := range rapid.IntRange(0, 3).Draw(rt, "refunds") { // that fit into the charge
				inputs = append(inputs, refundOf(fmt.Sprint("r", i, j), id, model.Decimal(fmt.Sprint(rapid.IntRange(1, 3).Draw(rt, "amount")))))
			}
		}
		for range rapid.IntRange(0, 3).Draw(rt, "repeats") {
			inputs = append(inputs, rapid.SampledFrom(inputs).Draw(rt, "repeated"))
		}
		require.Equal(rt, totals(rt, inputs), totals(rt, rapid.Permutation(inputs).Draw(rt, "other order")))
	})
}

// totals are the revenue of payments that are recorded one after the other, none of them refused.
func totals(t require.TestingT, inputs []model.RecordPaymentInput) *model.Revenue {
	l := emptyLedger()
	var parts []model.RevenuePart
	for _, in := range inputs {
		got, err := l.Record(checked(t, in))
		require.NoError(t, err)
		if got.Outcome != model.OutcomeDuplicate {
			parts = append(parts, model.RevenuePart{
				Kind: got.Payment.Kind, Count: 1, Original: model.SumOf(got.Payment.Amount), Converted: true, Reporting: model.SumOf(got.Payment.Amount),
			})
		}
	}
	return model.NewRevenue("USD", parts)
}
