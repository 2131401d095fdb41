package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// TestStore_property records, repeats, refunds, deletes and sees visitors at random, and compares
// every outcome and all totals with those of books that are kept in memory.
func TestStore_property(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := &bundle{Store: shared.Store, t: t, dsn: shared.dsn}
		b.site = b.website("USD")
		k := &books{entries: map[model.EntryKey]entry{}, seen: map[string]bool{}}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"record", "record", "record", "record", "batch", "delete", "see"}), 1, 20).Draw(rt, "steps")
		for _, step := range steps {
			switch step {
			case "record":
				in := drawPayment(rt)
				got := outcome(b.record(in))
				require.Equal(rt, k.record(in), got, "%+v", in)
			case "batch":
				inputs := make([]model.RecordPaymentInput, rapid.IntRange(1, 5).Draw(rt, "n"))
				want := make([]string, len(inputs))
				for i := range inputs {
					inputs[i] = drawPayment(rt)
					want[i] = k.record(inputs[i])
				}
				batch, err := model.RecordPaymentsInput{Payments: inputs}.Validate(b.site, now)
				require.NoError(rt, err)
				recorded, err := b.RecordPayments(t.Context(), b.site, batch.Payments)
				require.NoError(rt, err)
				for i, result := range batch.Merge(recorded) {
					require.Equal(rt, want[i], resultOutcome(result))
				}
			case "delete":
				d := drawDeletion(rt)
				payload, err := b.DeletePayments(t.Context(), b.site, "token", d, now)
				deleted := k.delete(d)
				if deleted == 0 && d.TransactionID != nil {
					require.Equal(rt, "PAYMENT_NOT_FOUND", outcome(nil, err))
				} else {
					require.NoError(rt, err)
					require.Equal(rt, deleted, payload.DeletedCount)
				}
			case "see":
				visitor := rapid.SampledFrom(visitors).Draw(rt, "visitor")
				b.view(visitor)
				k.seen[visitor] = true
			}
			check, err := b.VerifyRollups(t.Context(), b.site.ID)
			require.NoError(rt, err)
			require.Empty(rt, check.Faults)
			require.Equal(rt, k.totals(""), totalsOf(rt, b, ""))
			for _, visitor := range visitors {
				require.Equal(rt, k.totals(visitor), totalsOf(rt, b, visitor), visitor)
			}
		}
	})
}

var (
	ids      = []string{"a", "b", "c"}
	visitors = []string{"v", "w"}
)

func drawPayment(rt *rapid.T) model.RecordPaymentInput {
	in := model.RecordPaymentInput{
		TransactionID: rapid.SampledFrom(ids).Draw(rt, "id"),
		Amount:        model.Decimal(rapid.SampledFrom([]string{"0", "1", "2", "3", "90071992547409"}).Draw(rt, "amount")),
		Currency:      rapid.SampledFrom([]model.Currency{"USD", "USD", "JPY"}).Draw(rt, "currency"),
		Renewal:       ptr(rapid.Bool().Draw(rt, "renewal")),
	}
	at := model.AtTime(now.AddDate(0, 0, -rapid.IntRange(0, 2).Draw(rt, "days ago")))
	in.OccurredAt = &at
	if rapid.Bool().Draw(rt, "refunded") && in.Amount != "0" {
		in.Refunded = ptr(true)
		if rapid.Bool().Draw(rt, "with an id of its own") {
			in.RefundOf = ptr(rapid.SampledFrom(ids).Draw(rt, "refundOf"))
		}
	} else if rapid.IntRange(0, 5).Draw(rt, "trial") == 0 {
		in.FreeTrial = ptr(true)
	}
	if rapid.Bool().Draw(rt, "with a visitor") {
		in.VisitorID = ptr(rapid.SampledFrom(visitors).Draw(rt, "visitor"))
	}
	return in
}

func drawDeletion(rt *rapid.T) model.Deletion {
	switch rapid.SampledFrom([]string{"transaction", "visitor", "range"}).Draw(rt, "by") {
	case "transaction":
		return model.Deletion{TransactionID: ptr(rapid.SampledFrom(ids).Draw(rt, "id"))}
	case "visitor":
		return model.Deletion{VisitorID: ptr(rapid.SampledFrom(visitors).Draw(rt, "visitor"))}
	}
	from := now.AddDate(0, 0, -rapid.IntRange(0, 2).Draw(rt, "days ago"))
	return model.Deletion{Range: model.Range{From: from, To: from.Add(time.Hour)}}
}

func outcome(payload *model.RecordPaymentPayload, err error) string {
	if err != nil {
		return string(model.AsError(err).Code)
	}
	return string(payload.Outcome)
}

func resultOutcome(r model.RecordPaymentResult) string {
	if r.Error != nil {
		return string(r.Error.Code)
	}
	return string(r.Payload.Outcome)
}

// totalsOf are the totals of a website, or of a visitor, as the store adds them up.
func totalsOf(rt *rapid.T, b *bundle, visitor string) string {
	var revenue *model.Revenue
	var err error
	if visitor == "" {
		revenue, err = b.Revenue(b.t.Context(), b.site, model.RevenueQuery{})
	} else {
		var all map[string]*model.Revenue
		all, err = b.RevenueOfVisitors(b.t.Context(), b.site, []string{visitor}, model.Range{})
		revenue = all[visitor]
	}
	require.NoError(rt, err)
	text := fmt.Sprint(revenue.Charges, revenue.Renewals, revenue.Refunds, revenue.FreeTrials)
	for _, c := range revenue.ByCurrency {
		text += fmt.Sprint(" ", c.Currency, " ", c.Gross.MinorString(), "-", c.Refunded.MinorString())
	}
	return text
}
