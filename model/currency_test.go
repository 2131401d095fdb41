package model_test

import (
	"testing"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/require"

	"tributary/model"
)

// unusualExponents are the currencies of ISO 4217 (list one, 2025) that have other than two decimals.
var unusualExponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

func TestParseCurrency(t *testing.T) {
	t.Parallel()
	t.Run("accepts any ASCII case", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"USD", "usd", "uSd"} {
			c, err := model.ParseCurrency(s)
			require.NoError(t, err)
			require.Equal(t, model.Currency("USD"), c)
		}
	})
	t.Run("accepts units of account, replaced and recent currencies", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"CLF", "BGN", "ANG", "XCG", "ZWG", "SLE", "VED", "XAF"} {
			c, err := model.ParseCurrency(s)
			require.NoError(t, err, s)
			require.Equal(t, model.Currency(s), c)
		}
	})
	t.Run("refuses everything else", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"", "$", "US", "USDT", "usd\x00", "\x00SD", "US ", " US", "ＵＳＤ", "ＵＳ", "ıNR", "ıN", "İNR", "uſd", "€",
			"XXX", "XTS", "XAU", "XAG", "XDR", "XSU", "XUA", "BTC", "ETH", "DEM", "840", "ABC", "U\xffD",
		} {
			_, err := model.ParseCurrency(s)
			requireCode(t, model.CodeInvalidCurrency, err, s)
		}
	})
}

func TestCurrency_Exponent(t *testing.T) {
	t.Parallel()
	t.Run("is that of ISO 4217 for every currency", func(t *testing.T) {
		t.Parallel()
		codes := append(currency.GetCurrencyCodes(), "XCG")
		require.Greater(t, len(codes), 160)
		for _, code := range codes {
			c, err := model.ParseCurrency(code)
			require.NoError(t, err, code)
			want, unusual := unusualExponents[code]
			if !unusual {
				want = 2
			}
			require.Equal(t, want, c.Exponent(), code)
		}
		for code := range unusualExponents {
			require.Contains(t, codes, code)
		}
	})
	t.Run("is 0 without a currency", func(t *testing.T) {
		t.Parallel()
		require.Zero(t, model.Currency("").Exponent())
	})
}

func FuzzParseCurrency(f *testing.F) {
	for _, s := range []string{"USD", "usd", "clf", "XXX", "ıNR", "usd\x00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := model.ParseCurrency(s)
		if err != nil {
			requireCode(t, model.CodeInvalidCurrency, err, s)
			return
		}
		require.Regexp(t, "^[A-Z]{3}$", string(c))
		require.Len(t, s, 3)
		again, err := model.ParseCurrency(string(c))
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}

func BenchmarkParseCurrency(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.ParseCurrency("usd"); err != nil {
			b.Fatal(err)
		}
	}
}

// requireCode fails unless err is an Error with the code and without a field, which is for the caller
// to add.
func requireCode(t *testing.T, code model.Code, err error, sent string) {
	t.Helper()
	require.Error(t, err, "%q", sent)
	e := model.AsError(err)
	require.NotNil(t, e, "%q: %v", sent, err)
	require.Equal(t, code, e.Code, "%q: %v", sent, err)
	require.Empty(t, e.Field)
	require.NotEmpty(t, e.Message)
}
