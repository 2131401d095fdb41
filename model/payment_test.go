package model_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// berlin is a website in another zone and currency than most.
var berlin = model.Website{ID: "site", Timezone: "Europe/Berlin", Currency: "EUR"}

func timestamp(t testing.TB, text string) *model.Timestamp {
	t.Helper()
	at, err := model.ParseTimestamp(text)
	require.NoError(t, err)
	return &at
}

// faultFields are the fields of all faults of an input, in order.
func faultFields(err error) []string {
	fault := model.AsError(err)
	if fault == nil {
		return nil
	}
	fields := []string{fault.Field}
	for _, other := range fault.Others {
		fields = append(fields, other.Field)
	}
	return fields
}

func TestRecordPaymentInput_Validate(t *testing.T) {
	t.Parallel()

	t.Run("completes what was sent", func(t *testing.T) {
		t.Parallel()
		got, err := model.RecordPaymentInput{
			TransactionID: "t", Amount: "29.9", VisitorID: pointer("v"), SessionID: pointer("s"), CustomerID: pointer("c"), Email: pointer("A@b.example"), Name: pointer("Ann"),
			Renewal: pointer(true), OccurredAt: timestamp(t, "2026-05-01"), Metadata: model.Metadata{"n": json.Number("1")}, RequireVisitor: pointer(true), RejectDuplicate: pointer(true),
		}.Validate(berlin, noon)
		require.NoError(t, err)
		eur := model.Money{Minor: 2990, Currency: "EUR"}
		require.Equal(t, model.NewPayment{
			Payment: model.Payment{
				WebsiteID: "site", TransactionID: "t", Kind: model.KindRenewal, Renewal: true, Amount: eur,
				OccurredAt: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC), RecordedAt: noon, VisitorID: pointer("v"), Basis: model.BasisVisitorID,
				SessionID: pointer("s"), CustomerID: pointer("c"), Email: pointer("A@b.example"), Name: pointer("Ann"), Metadata: model.Metadata{"n": json.Number("1")},
			},
			TimeGiven: true, RequireVisitor: true, RejectDuplicate: true,
		}, got)
	})

	t.Run("stands in for what was not", func(t *testing.T) {
		t.Parallel()
		got, err := model.RecordPaymentInput{TransactionID: "t", Amount: "1", Currency: "usd"}.Validate(berlin, noon)
		require.NoError(t, err)
		require.Equal(t, []any{model.KindCharge, noon, false, model.BasisNone, model.Currency("USD")}, []any{got.Kind, got.OccurredAt, got.TimeGiven, got.Basis, got.Amount.Currency})
	})

	t.Run("decides what it is", func(t *testing.T) {
		t.Parallel()
		yes := pointer(true)
		for want, inputs := range map[model.PaymentKind][]model.RecordPaymentInput{
			model.KindCharge:    {{Amount: "1"}, {Amount: "0.01", Renewal: pointer(false), Refunded: pointer(false), FreeTrial: pointer(false)}},
			model.KindRenewal:   {{Amount: "1", Renewal: yes}},
			model.KindFreeTrial: {{Amount: "0"}, {Amount: "-0.00"}, {Amount: "0e10"}, {Amount: "5", FreeTrial: yes}, {Amount: "0", Renewal: yes}},
			model.KindRefund:    {{Amount: "1", Refunded: yes}, {Amount: "1", Refunded: yes, Renewal: yes}, {Amount: "1", Refunded: yes, RefundOf: pointer("x")}},
		} {
			for _, in := range inputs {
				in.TransactionID = "t"
				got, err := in.Validate(berlin, noon)
				require.NoError(t, err)
				require.Equal(t, want, got.Kind, in)
				require.Equal(t, want == model.KindRefund, got.IsRefund())
				require.Equal(t, model.EntryKey{TransactionID: "t", Refund: want == model.KindRefund}, got.Key())
			}
		}
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("x", 256)
		for _, test := range []struct {
			in   model.RecordPaymentInput
			code model.Code
			want []string
		}{
			{model.RecordPaymentInput{}, model.CodeInvalidField, []string{"transactionId", "amount"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "x", Currency: "XXX"}, model.CodeInvalidCurrency, []string{"currency", "amount"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "-1"}, model.CodeInvalidAmount, []string{"amount"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "1.005"}, model.CodeAmountPrecision, []string{"amount"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "0", Refunded: pointer(true)}, model.CodeInvalidAmount, []string{"amount"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "1", Refunded: pointer(true), FreeTrial: pointer(true)}, model.CodeConflictingFields, []string{"freeTrial"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "1", RefundOf: pointer("x")}, model.CodeConflictingFields, []string{"refundOf"}},
			{model.RecordPaymentInput{TransactionID: "t", Amount: "1", Metadata: model.Metadata{"": nil}}, model.CodeInvalidMetadata, []string{"metadata"}},
			{
				model.RecordPaymentInput{
					TransactionID: long, Amount: "1", VisitorID: &long, SessionID: &long, CustomerID: &long, RefundOf: &long, Refunded: pointer(true),
					Email: &long, Name: pointer(long), OccurredAt: timestamp(t, "2026-05-21T14:00:01+02:00"),
				},
				model.CodeInvalidField, []string{"transactionId", "visitorId", "sessionId", "customerId", "refundOf", "email", "name", "occurredAt"},
			},
		} {
			_, err := test.in.Validate(berlin, noon)
			require.Equal(t, test.want, faultFields(err))
			require.Equal(t, test.code, model.AsError(err).Code)
		}
	})
}

func TestPayment(t *testing.T) {
	t.Parallel()
	p := model.Payment{
		TransactionID: "t", Kind: model.KindCharge, VisitorID: pointer("v"), Basis: model.BasisEmail,
		CustomerID: pointer("c"), Email: pointer("Ä@B.example"), RefundOf: pointer("ignored"),
	}
	require.Equal(t, model.BasisNone, p.Attribution(), "until the visitor is seen")
	p.VisitorSeen = true
	require.Equal(t, model.BasisEmail, p.Attribution())
	require.Equal(t, "t", p.ChargeID())
	p.Kind = model.KindRefund
	require.Equal(t, "ignored", p.ChargeID())
	p.RefundOf = nil
	require.Equal(t, "t", p.ChargeID())
	require.Equal(t, []model.CustomerKey{{Basis: model.BasisCustomerID, Value: "c"}, {Basis: model.BasisEmail, Value: "ä@b.example"}}, p.CustomerKeys())
}

func TestRecordPaymentsInput_Validate(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, model.MaxBatch + 1} {
		_, err := model.RecordPaymentsInput{Payments: make([]model.RecordPaymentInput, n)}.Validate(berlin, noon)
		requireFault(t, model.CodeTooManyItems, "payments", err)
	}
	batch, err := model.RecordPaymentsInput{Payments: []model.RecordPaymentInput{
		{TransactionID: "bad", Amount: "x"}, {TransactionID: "a", Amount: "1"},
		{TransactionID: "other", Amount: "1", WebsiteID: pointer("other")}, {TransactionID: "b", Amount: "1", WebsiteID: pointer("site")},
	}}.Validate(berlin, noon)
	require.NoError(t, err)
	require.Len(t, batch.Payments, 2)
	results := batch.Merge([]model.RecordPaymentResult{
		{Payload: &model.RecordPaymentPayload{Payment: &batch.Payments[0].Payment}}, {Payload: &model.RecordPaymentPayload{Payment: &batch.Payments[1].Payment}},
	})
	require.Len(t, results, 4)
	require.Equal(t, model.CodeInvalidAmount, results[0].Error.Code)
	require.Equal(t, "a", results[1].Payload.Payment.TransactionID)
	requireFault(t, model.CodeConflictingFields, "websiteId", results[2].Error)
	require.Equal(t, "b", results[3].Payload.Payment.TransactionID)
}

func TestDeletePaymentsInput_Validate(t *testing.T) {
	t.Parallel()
	_, err := model.DeletePaymentsInput{DryRun: pointer(true), WebsiteID: pointer("site")}.Validate(berlin)
	requireFault(t, model.CodeMissingFilter, "", err)
	_, err = model.DeletePaymentsInput{TransactionID: pointer(""), VisitorID: pointer(" "), From: timestamp(t, "2026-05-02"), To: timestamp(t, "2026-05-01")}.Validate(berlin)
	require.Equal(t, []string{"transactionId", "visitorId", "from"}, faultFields(err))
	got, err := model.DeletePaymentsInput{From: timestamp(t, "2026-05-01"), DryRun: pointer(true)}.Validate(berlin)
	require.NoError(t, err)
	require.Equal(t, model.Deletion{Range: model.Range{From: time.Date(2026, 4, 30, 22, 0, 0, 0, time.UTC)}, DryRun: true}, got)
}

func TestPaymentFilter_Validate(t *testing.T) {
	t.Parallel()
	got, err := (*model.PaymentFilter)(nil).Validate(berlin)
	require.NoError(t, err)
	require.Equal(t, model.PaymentQuery{}, got)
	filter := model.PaymentFilter{
		Range:     &model.TimeRange{From: timestamp(t, "2026-05-02"), To: timestamp(t, "2026-05-01")},
		VisitorID: pointer("\x00"), CustomerID: pointer(""), TransactionID: pointer("\xff"), Kinds: []model.PaymentKind{model.KindCharge, "charge"},
	}
	_, err = filter.Validate(berlin)
	require.Equal(t, []string{"range", "visitorId", "customerId", "transactionId", "kinds"}, faultFields(err))
}

func BenchmarkRecordPaymentInput_Validate(b *testing.B) {
	least := model.RecordPaymentInput{TransactionID: "payment_456", Amount: "29.99", Currency: "USD", VisitorID: pointer("3f1c2e80-6a5f-4d58-9a5e-5b1f0f0c8a11")}
	most := least
	most.SessionID, most.CustomerID, most.Email, most.Name = pointer("session-1"), pointer("cus_123"), pointer("ada@example.com"), pointer("Ada Lovélace")
	most.Renewal, most.OccurredAt = pointer(true), timestamp(b, "2026-05-01T10:00:00.123+02:00")
	most.Metadata = model.Metadata{"plan": "starter", "provider": "custom_checkout", "seats": json.Number("3"), "trial": nil}
	local := least
	local.OccurredAt = timestamp(b, "2026-05-01T10:00:00")
	for name, in := range map[string]model.RecordPaymentInput{"least": least, "most": most, "a local time": local} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := in.Validate(berlin, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
