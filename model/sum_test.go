package model_test

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func usd(t testing.TB, minor string) model.Sum {
	t.Helper()
	s, err := model.ParseSum(minor, "USD")
	require.NoError(t, err)
	return s
}

func TestParseSum(t *testing.T) {
	t.Parallel()
	t.Run("reads what Postgres prints, of any size", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"0", "1", "-1", "2999", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
		} {
			require.Equal(t, s, usd(t, s).MinorString())
		}
	})
	t.Run("refuses anything else as a fault of ours", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{"", "-", "+1", "1.5", "1e5", "NaN", "Infinity", "0x10", "1_000", " 1", "--1", "+99999999999999999999", "9_9999999999999999999"} {
			_, err := model.ParseSum(s, "USD")
			require.Error(t, err, s)
			require.Nil(t, model.AsError(err))
		}
	})
}

func TestSum_Amount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		minor    string
		currency model.Currency
		want     model.Decimal
	}{
		{"2999", "USD", "29.99"}, {"-5", "USD", "-0.05"}, {"-123", "USD", "-1.23"}, {"0", "USD", "0.00"}, {"-100", "JPY", "-100"}, {"-1234", "KWD", "-1.234"},
		{"123456789012345678901234567890", "CLF", "12345678901234567890123456.7890"}, {"-9223372036854775809", "USD", "-92233720368547758.09"},
	} {
		s, err := model.ParseSum(c.minor, c.currency)
		require.NoError(t, err)
		require.Equal(t, c.want, s.Amount())
		require.Equal(t, c.currency, s.Currency())
	}
	require.Equal(t, model.Decimal("0"), model.Sum{}.Amount())
}

func TestSum_arithmetic(t *testing.T) {
	t.Parallel()
	values := []string{
		"0", "1", "-1", "2999", "-2999", "4611686018427387904", "-4611686018427387905", "9223372036854775806", "9223372036854775807",
		"-9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "100000000000000000000", "-100000000000000000000",
	}
	for _, x := range values {
		for _, y := range values {
			a, b := usd(t, x), usd(t, y)
			m, _ := new(big.Int).SetString(x, 10)
			n, _ := new(big.Int).SetString(y, 10)
			require.Equal(t, new(big.Int).Add(m, n).String(), a.Add(b).MinorString(), "%s + %s", x, y)
			require.Equal(t, new(big.Int).Sub(m, n).String(), a.Sub(b).MinorString(), "%s - %s", x, y)
			require.Equal(t, m.Cmp(n), a.Cmp(b), "%s ? %s", x, y)
			require.Equal(t, a, a.Add(b).Sub(b), "equal sums are deeply equal")
			require.Equal(t, x, a.MinorString(), "a sum does not change")
		}
		m, _ := new(big.Int).SetString(x, 10)
		require.Equal(t, new(big.Int).Neg(m).String(), usd(t, x).Neg().MinorString())
		require.Equal(t, m.Sign(), usd(t, x).Sign())
		require.Equal(t, m.String(), usd(t, x).Minor().String())
		require.Equal(t, model.Currency("USD"), usd(t, x).Neg().Currency())
	}
}

func TestSum_Minor(t *testing.T) {
	t.Parallel()
	for _, x := range []string{"5", "100000000000000000000"} {
		s := usd(t, x)
		s.Minor().SetInt64(7)
		require.Equal(t, x, s.MinorString(), "the caller's number is the caller's")
	}
}

func TestSum_currencies(t *testing.T) {
	t.Parallel()
	one := model.SumOf(model.Money{Minor: 1, Currency: "USD"})
	t.Run("the zero value combines with every currency", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, one, model.Sum{}.Add(one))
		require.Equal(t, one, one.Add(model.Sum{}))
		require.Equal(t, one.Neg(), model.Sum{}.Sub(one))
		require.Equal(t, 1, one.Cmp(model.Sum{}))
		require.Equal(t, model.Sum{}, model.SumOf(model.Money{}))
		require.Equal(t, model.NewSum("USD"), model.Sum{}.Add(model.NewSum("USD")))
	})
	t.Run("different ones panic, even of nothing", func(t *testing.T) {
		t.Parallel()
		for _, other := range []model.Sum{model.NewSum("EUR"), model.SumOf(model.Money{Minor: 1, Currency: "EUR"})} {
			require.Panics(t, func() { one.Add(other) })
			require.Panics(t, func() { one.Sub(other) })
			require.Panics(t, func() { one.Cmp(other) })
		}
	})
}

func FuzzParseSum(f *testing.F) {
	for _, s := range []string{"0", "-1", "9223372036854775808", "-0", "007", "+1", "1e5", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sum, err := model.ParseSum(s, "USD")
		if err != nil {
			return
		}
		want, ok := new(big.Int).SetString(s, 10)
		require.True(t, ok)
		require.Equal(t, want.String(), sum.MinorString())
	})
}

func BenchmarkSum_Add(b *testing.B) {
	small := usd(b, "2999")
	large := usd(b, strconv.FormatInt(math.MaxInt64, 10)+"0")
	for name, s := range map[string]model.Sum{"int64": small, "larger": large} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Add(small)
			}
		})
	}
}
