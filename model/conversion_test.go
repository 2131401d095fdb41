package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestConversion_Convert(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		paid      model.Money
		from, per model.Decimal
		to        model.Currency
		want      int64
	}{
		"half to the even one below":     {model.Money{Minor: 5, Currency: "USD"}, "2", "1", "EUR", 2},
		"half to the even one above":     {model.Money{Minor: 7, Currency: "USD"}, "2", "1", "EUR", 4},
		"a little more than a half":      {model.Money{Minor: 5, Currency: "USD"}, "1.999999999999", "1", "EUR", 3},
		"to fewer decimals":              {model.Money{Minor: 150, Currency: "EUR"}, "1", "1", "JPY", 2},
		"to more decimals":               {model.Money{Minor: 1, Currency: "JPY"}, "160", "0.32", "KWD", 2},
		"to nothing":                     {model.Money{Minor: 1, Currency: "IDR"}, "18000", "1", "EUR", 0},
		"of nothing":                     {model.Money{Minor: 0, Currency: "USD"}, "1.1", "160", "JPY", 0},
		"the greatest amount":            {model.Money{Minor: model.MaxMinor, Currency: "USD"}, "1.1", "1.1", "EUR", model.MaxMinor},
		"the greatest amount, in others": {model.Money{Minor: model.MaxMinor, Currency: "USD"}, "1.5", "150", "JPY", model.MaxMinor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := model.Conversion{PaidPerEuro: test.from, ReportingPerEuro: test.per}
			require.Equal(t, model.Money{Minor: test.want, Currency: test.to}, c.Convert(test.paid, test.to))
		})
	}
	tooMuch := model.Conversion{PaidPerEuro: "0.000000000001", ReportingPerEuro: "999999999999"}
	require.Zero(t, tooMuch.Convert(model.Money{Minor: model.MaxMinor, Currency: "USD"}, "EUR"), "what would not fit is absent")
}

func TestConversion_Rate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, to, want model.Decimal }{
		{"1", "1.0866", "1.0866"},
		{"1", "1.10", "1.1"},
		{"1", "160", "160"},
		{"160", "1", "0.00625"},
		{"3", "1", "0.333333333333"},
		{"3", "200", "66.6666666667"},
		{"1.1328", "0.84180", "0.74311440678"},
		{"0.000000000003", "999999999999", "333333333333000000000000"},
		{"999999999999", "0.000000000001", "0.000000000000000000000001"},
		{"0.3", "2.9999999999997", "10"},
		{"0.3", "2.999999999997", "9.99999999999"},
	} {
		c := model.Conversion{PaidPerEuro: test.from, ReportingPerEuro: test.to}
		require.Equal(t, test.want, c.Rate(), "%s for %s", test.to, test.from)
	}
}
