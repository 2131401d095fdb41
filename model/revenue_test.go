package model_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestNewRevenue(t *testing.T) {
	t.Parallel()
	sum := func(minor string, c model.Currency) model.Sum {
		s, err := model.ParseSum(minor, c)
		require.NoError(t, err)
		return s
	}
	part := func(kind model.PaymentKind, n int, original string, c model.Currency, reporting string) model.RevenuePart {
		p := model.RevenuePart{Kind: kind, Count: n, Original: sum(original, c)}
		if reporting != "" {
			p.Converted, p.Reporting = true, sum(reporting, "USD")
		}
		return p
	}
	r := model.NewRevenue("USD", []model.RevenuePart{
		part(model.KindCharge, 2, "9223372036854775807", "USD", "9223372036854775807"),
		part(model.KindCharge, 1, "1000", "EUR", "1100"),
		part(model.KindCharge, 1, "500", "EUR", ""),
		part(model.KindRenewal, 3, "30", "USD", "30"),
		part(model.KindRenewal, 1, "7", "JPY", ""),
		part(model.KindRefund, 1, "9", "JPY", ""),
		part(model.KindRefund, 4, "40", "USD", "40"),
		part(model.KindFreeTrial, 5, "99", "GBP", ""),
		part(model.KindFreeTrial, 1, "99", "USD", "99"),
	})
	require.Equal(t, "92233720368547769.07", string(r.New.Amount()))
	require.Equal(t, "0.30", string(r.Renewal.Amount()))
	require.Equal(t, r.New.Add(r.Renewal), r.Gross)
	require.Equal(t, "0.40", string(r.Refunded.Amount()))
	require.Equal(t, r.Gross.Sub(r.Refunded), r.Net)
	require.Equal(t, []int{4, 4, 5, 6}, []int{r.Charges, r.Renewals, r.Refunds, r.FreeTrials})
	var byCurrency []string
	for _, c := range r.ByCurrency {
		byCurrency = append(byCurrency, fmt.Sprint(c.Currency, " ", c.Gross.Amount(), " ", c.Refunded.Amount(), " ", c.Net.Amount()))
	}
	require.Equal(t, []string{"EUR 15.00 0.00 15.00", "JPY 7 9 -2", "USD 92233720368547758.37 0.40 92233720368547757.97"}, byCurrency)
	require.Equal(t, []model.Sum{sum("500", "EUR"), sum("-2", "JPY")}, r.Unconverted)

	nothing := model.NewRevenue("KWD", nil)
	require.Equal(t, "0.000", string(nothing.Net.Amount()))
	require.Empty(t, nothing.ByCurrency)
}

func TestVisitorRevenueFilter_Validate(t *testing.T) {
	t.Parallel()
	site := model.Website{Timezone: "Europe/Berlin", Currency: "USD"}

	t.Run("of nothing asks for all visitors, the greatest net first", func(t *testing.T) {
		t.Parallel()
		q, err := (*model.VisitorRevenueFilter)(nil).Validate(site, nil, nil)
		require.NoError(t, err)
		require.Equal(t, model.VisitorRevenueQuery{Order: model.VisitorRevenueOrder{Field: model.OrderByNet, Direction: model.Descending}}, q)
	})

	t.Run("reads the least net revenue, which may be below zero", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[model.Decimal]string{"5": "500", "-5.01": "-501", "-0": "0", "-90071992547409.91": "-9007199254740991"} {
			q, err := (&model.VisitorRevenueFilter{MinNet: &text}).Validate(site, nil, nil)
			require.NoError(t, err)
			require.Equal(t, want, q.MinNet.MinorString())
		}
		for text, want := range map[model.Decimal]model.Code{
			"": model.CodeInvalidAmount, "-": model.CodeInvalidAmount, "--5": model.CodeInvalidAmount, "+5": model.CodeInvalidAmount,
			"-0.001": model.CodeAmountPrecision, "-90071992547409.92": model.CodeInvalidAmount,
		} {
			_, err := (&model.VisitorRevenueFilter{MinNet: &text}).Validate(site, nil, nil)
			requireFault(t, want, "minNet", err)
		}
	})

	t.Run("reports all faults together", func(t *testing.T) {
		t.Parallel()
		from, to := model.AtTime(noon), model.AtTime(noon.Add(-1000))
		_, err := (&model.VisitorRevenueFilter{
			RevenueFilter: model.RevenueFilter{Source: pointer("\x00"), Country: pointer("DEU")},
			VisitorIDs:    []string{"a", ""}, MinNet: pointer(model.Decimal("x")), Campaign: pointer("\xff"),
		}).Validate(site, &model.TimeRange{From: &from, To: &to}, &model.VisitorRevenueOrder{Field: "NET", Direction: "UP"})
		fault := model.AsError(err)
		fields := []string{fault.Field}
		for _, other := range fault.Others {
			fields = append(fields, other.Field)
		}
		require.ElementsMatch(t, []string{"orderBy", "range", "minNet", "visitorIds", "source", "campaign", "country"}, fields)
	})
}
