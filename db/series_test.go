package db_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

// TestStore_RevenueOverTime_property records payments at random around changes of clocks, and splits
// ranges at random: the intervals of a range add up to its revenue in every field, and each of them
// is the revenue of the range that it stands for.
func TestStore_RevenueOverTime_property(t *testing.T) {
	t.Parallel()
	shared := setup(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := &bundle{Store: shared.Store, t: t, dsn: shared.dsn}
		place := rapid.SampledFrom(places).Draw(rt, "place")
		b.site = b.websiteIn(place.zone, "USD")
		around := func(label string) time.Time {
			at := place.change.Add(time.Duration(rapid.IntRange(-60*24, 60*24).Draw(rt, label)) * time.Hour / 2)
			return at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, -1, 1, 777}).Draw(rt, label+", µs")) * time.Microsecond)
		}
		inputs := make([]model.RecordPaymentInput, rapid.IntRange(0, 30).Draw(rt, "payments"))
		for i := range inputs {
			inputs[i] = drawPayment(rt)
			inputs[i].TransactionID = fmt.Sprint("t", i)
			inputs[i].RefundOf = nil
			at := model.AtTime(around("at"))
			inputs[i].OccurredAt = &at
		}
		if len(inputs) > 0 {
			batch, err := model.RecordPaymentsInput{Payments: inputs}.Validate(b.site, now)
			require.NoError(rt, err)
			_, err = b.RecordPayments(t.Context(), b.site, batch.Payments)
			require.NoError(rt, err)
		}

		in := model.Range{From: around("from"), To: around("to")}
		if in.To.Before(in.From) {
			in.From, in.To = in.To, in.From
		}
		switch rapid.IntRange(0, 5).Draw(rt, "open") {
		case 0:
			in.From = time.Time{}
		case 1:
			in.To = time.Time{}
		}
		interval := rapid.SampledFrom([]model.Interval{model.IntervalDay, model.IntervalWeek, model.IntervalMonth, model.IntervalHour}).Draw(rt, "interval")
		query := model.RevenueOverTimeQuery{RevenueQuery: model.RevenueQuery{Range: in}, Interval: interval, Now: place.change.AddDate(0, 0, 15)}
		buckets, err := b.RevenueOverTime(t.Context(), b.site, query)
		require.NoError(rt, err)
		var parts []*model.Revenue
		for i, bucket := range buckets {
			parts = append(parts, bucket.Revenue)
			if bucket.Revenue.Charges+bucket.Revenue.Renewals+bucket.Revenue.Refunds+bucket.Revenue.FreeTrials == 0 {
				continue
			}
			part := model.Range{From: bucket.Start, To: in.To}
			if bucket.Start.Before(in.From) {
				part.From = in.From
			}
			if i+1 < len(buckets) {
				part.To = buckets[i+1].Start
			}
			require.Equal(rt, b.revenue(part), bucket.Revenue, "%s of %s", interval, bucket.Date)
		}
		require.Equal(rt, b.revenue(in), added(parts))
	})
}

// drawPayment draws a payment of the last days.
func drawPayment(rt *rapid.T) model.RecordPaymentInput {
	in := model.RecordPaymentInput{
		TransactionID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id"),
		Amount:        model.Decimal(rapid.SampledFrom([]string{"0", "1", "2", "3", "90071992547409"}).Draw(rt, "amount")),
		Currency:      rapid.SampledFrom([]model.Currency{"USD", "USD", "JPY"}).Draw(rt, "currency"),
		Renewal:       ptr(rapid.Bool().Draw(rt, "renewal")),
	}
	at := model.AtTime(now.AddDate(0, 0, -rapid.IntRange(0, 2).Draw(rt, "days ago")))
	in.OccurredAt = &at
	if rapid.Bool().Draw(rt, "refunded") && in.Amount != "0" {
		in.Refunded = ptr(true)
		if rapid.Bool().Draw(rt, "with an id of its own") {
			in.RefundOf = ptr(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "refundOf"))
		}
	} else if rapid.IntRange(0, 5).Draw(rt, "trial") == 0 {
		in.FreeTrial = ptr(true)
	}
	if rapid.Bool().Draw(rt, "with a visitor") {
		in.VisitorID = ptr(rapid.SampledFrom([]string{"v", "w"}).Draw(rt, "visitor"))
	}
	return in
}

// places are zones with a change of clocks.
var places = []struct {
	zone   string
	change time.Time
}{
	{"Europe/Berlin", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)},
	{"Europe/Berlin", time.Date(2025, 10, 26, 1, 0, 0, 0, time.UTC)},
	{"America/Sao_Paulo", time.Date(2018, 11, 4, 3, 0, 0, 0, time.UTC)},
	{"Australia/Lord_Howe", time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC)},
	{"Pacific/Apia", time.Date(2011, 12, 30, 10, 0, 0, 0, time.UTC)},
	{"America/St_Johns", time.Date(2010, 11, 7, 2, 31, 0, 0, time.UTC)},
}

func (b *bundle) revenue(in model.Range) *model.Revenue {
	b.t.Helper()
	revenue, err := b.Revenue(b.t.Context(), b.site, model.RevenueQuery{Range: in})
	require.NoError(b.t, err)
	return revenue
}

// added is the sum of revenues in US dollars, field by field.
func added(parts []*model.Revenue) *model.Revenue {
	sum := model.NewRevenue("USD", nil)
	for _, part := range parts {
		for to, from := range map[*model.Sum]model.Sum{
			&sum.Gross: part.Gross, &sum.Refunded: part.Refunded, &sum.Net: part.Net, &sum.New: part.New, &sum.Renewal: part.Renewal,
		} {
			*to = to.Add(from)
		}
		sum.Charges += part.Charges
		sum.Renewals += part.Renewals
		sum.Refunds += part.Refunds
		sum.FreeTrials += part.FreeTrials
		for _, c := range part.ByCurrency {
			i, found := slices.BinarySearchFunc(sum.ByCurrency, c.Currency, func(c model.CurrencyRevenue, code model.Currency) int { return cmp.Compare(c.Currency, code) })
			if !found {
				sum.ByCurrency = slices.Insert(sum.ByCurrency, i, model.CurrencyRevenue{Currency: c.Currency})
			}
			to := &sum.ByCurrency[i]
			to.Gross, to.Refunded, to.Net = to.Gross.Add(c.Gross), to.Refunded.Add(c.Refunded), to.Net.Add(c.Net)
		}
		for _, u := range part.Unconverted {
			i, found := slices.BinarySearchFunc(sum.Unconverted, u.Currency(), func(s model.Sum, code model.Currency) int { return cmp.Compare(s.Currency(), code) })
			if !found {
				sum.Unconverted = slices.Insert(sum.Unconverted, i, model.NewSum(u.Currency()))
			}
			sum.Unconverted[i] = sum.Unconverted[i].Add(u)
		}
	}
	return sum
}
