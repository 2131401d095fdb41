package model_test

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	t.Run("keeps what was written", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"0", "-0", "29.99", "29.990", "-1.5e3", "2.999e1", "0e10", "1E400", "1e-400", "1E+5", "1E1000000000",
			"0.000", strings.Repeat("9", 256),
		} {
			d, err := model.ParseDecimal(s)
			require.NoError(t, err, s)
			require.Equal(t, model.Decimal(s), d)
		}
	})
	t.Run("refuses what is no JSON number", func(t *testing.T) {
		t.Parallel()
		for _, s := range []string{
			"", "-", "+1", "01", "-01", "00", ".5", "5.", "1.e5", "1e", "1e+", "1e1.5", "1,5", "1_000", "0x10", "1 ", " 1", "1\n",
			"NaN", "Infinity", "-Infinity", "null", "true", "--1", "1-", "1e--5", "1e-+5", "١٢", "１", "1\x00", "\"29.99\"", "1.2.3",
			strings.Repeat("9", 257), "0." + strings.Repeat("0", 10_000),
		} {
			_, err := model.ParseDecimal(s)
			requireCode(t, model.CodeInvalidAmount, err, s)
		}
	})
}

func TestNewMoney(t *testing.T) {
	t.Parallel()
	t.Run("is exact", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			amount   string
			currency model.Currency
			minor    int64
		}{
			{"29.99", "USD", 2999}, {"2.999e1", "USD", 2999}, {"2999E-2", "USD", 2999}, {"29.990", "USD", 2999}, {"29.99000000000000000000", "USD", 2999},
			{"29.9", "USD", 2990}, {"100", "USD", 10000}, {"0.01", "USD", 1}, {"1e-2", "USD", 1}, {"1e2", "JPY", 100}, {"100.0", "JPY", 100}, {"100.50e1", "JPY", 1005},
			{"1.234", "KWD", 1234}, {"1.2340", "KWD", 1234}, {"1.2345", "CLF", 12345}, {"0.0001", "CLF", 1},
			{"16777217", "USD", 1677721700}, {"1234567.89", "USD", 123456789},
			{"90071992547409.91", "USD", 9007199254740991}, {"9007199254740991", "JPY", 9007199254740991}, {"9.007199254740991e15", "JPY", 9007199254740991},
			{"0", "USD", 0}, {"0.00", "USD", 0}, {"-0", "USD", 0}, {"-0.000", "USD", 0}, {"0e10", "USD", 0}, {"0e1000000000", "USD", 0}, {"0E-1000000000", "JPY", 0},
			{"0." + strings.Repeat("0", 250), "USD", 0}, {"1" + strings.Repeat("0", 200) + "e-200", "USD", 100},
			{"0." + strings.Repeat("0", 200) + "1e201", "USD", 100},
		} {
			m, err := model.NewMoney(model.Decimal(c.amount), c.currency)
			require.NoError(t, err, c.amount)
			require.Equal(t, model.Money{Minor: c.minor, Currency: c.currency}, m, c.amount)
		}
	})
	t.Run("rounds the noise of floats", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			amount   string
			currency model.Currency
			minor    int64
		}{
			{"30.299999999999997", "USD", 3030}, {"0.30000000000000004", "USD", 30}, {"89.97000000000001", "USD", 8997}, {"0.7999999999999999", "USD", 80},
			{"1.2100000000000002", "USD", 121}, {"3.0000000000000004e-1", "USD", 30}, {"434.99999999999994", "JPY", 435}, {"5.6000000000000005", "KWD", 5600},
			{"1004.9999999999999", "CLF", 10050000}, {"0.009999999999999998", "USD", 1},
			{"30.2999999999997", "USD", 3030}, // 84 floats away
		} {
			m, err := model.NewMoney(model.Decimal(c.amount), c.currency)
			require.NoError(t, err, c.amount)
			require.Equal(t, model.Money{Minor: c.minor, Currency: c.currency}, m, c.amount)
		}
	})
	t.Run("refuses more decimals than the currency has", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			amount   string
			currency model.Currency
		}{
			{"29.999", "USD"}, {"30.295", "USD"}, {"100.5", "JPY"}, {"1.2345", "KWD"}, {"1.23456", "CLF"}, {"0.001", "USD"}, {"1e-3", "USD"}, {"1e-1000000000", "USD"},
			{"30.29999999", "USD"},
			{"30.29999999999999999999", "USD"}, // no float prints so
			{"30.299999999999998", "USD"},      // nor so: the shortest text for that float is …97
			{"30.295000000000002", "USD"},      // noise, but around an amount with three decimals
			{"9.9999999999999", "USD"},         // 56 floats away, but too few digits
			{"1e-18446744073709551616", "USD"}, // an exponent of 2^64
			{"30.2999999999995", "USD"},        // 15 digits, but 140 floats away
			{"9007199254740.9912", "USD"},      // few floats away, but a tenth of a cent
			{"5.551115123125783e-17", "USD"},   // noise around nothing
			{"1." + strings.Repeat("3", 250), "USD"},
		} {
			_, err := model.NewMoney(model.Decimal(c.amount), c.currency)
			requireCode(t, model.CodeAmountPrecision, err, c.amount)
		}
	})
	t.Run("refuses negative, too large and malformed amounts", func(t *testing.T) {
		t.Parallel()
		for _, amount := range []string{
			"-1", "-0.01", "-1e-400", "-30.299999999999997", "90071992547409.92", "90071992547409.99", "100000000000000", "1e400",
			"1E1000000000", "1e99999999999999999999999", "1e18446744073709551616",
			strings.Repeat("9", 256), strings.Repeat("9", 10_000), "", "NaN", "abc", "29.99 ",
		} {
			_, err := model.NewMoney(model.Decimal(amount), "USD")
			requireCode(t, model.CodeInvalidAmount, err, amount)
		}
	})
	t.Run("refuses an unknown currency", func(t *testing.T) {
		t.Parallel()
		for _, c := range []model.Currency{"", "usd", "XXX", "BTC"} {
			_, err := model.NewMoney("1", c)
			requireCode(t, model.CodeInvalidCurrency, err, string(c))
		}
	})
	t.Run("costs the same whatever the exponent", func(t *testing.T) {
		t.Parallel()
		start := time.Now()
		for range 1000 {
			for _, amount := range []string{"1E1000000000", "1e-1000000000", "0e1000000000", "1e400", "1" + strings.Repeat("0", 240) + "e-999999999"} {
				_, _ = model.NewMoney(model.Decimal(amount), "USD")
			}
		}
		require.Less(t, time.Since(start), time.Second, "each must take less than 1 ms")
	})
}

// TestNewMoney_JavaScript computes amounts as a shop does, in floats, and expects the exact result.
func TestNewMoney_JavaScript(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	currencies := []model.Currency{"USD", "JPY", "KWD", "CLF"}
	noisy := 0
	for range 50_000 {
		c := currencies[random.IntN(len(currencies))]
		unit := 1.0
		for range c.Exponent() {
			unit *= 10
		}
		var exact int64
		var computed float64
		for range 1 + random.IntN(8) {
			price, quantity := random.Int64N(1_000_000), 1+random.Int64N(9)
			exact += price * quantity
			computed += float64(price) / unit * float64(quantity)
		}
		text := strconv.FormatFloat(computed, 'f', -1, 64)
		m, err := model.NewMoney(model.Decimal(text), c)
		require.NoError(t, err, "%s %s", text, c)
		require.Equal(t, exact, m.Minor, "%s %s", text, c)
		if text != strings.TrimRight(strings.TrimRight(string(m.Decimal()), "0"), ".") {
			noisy++
		}
	}
	require.Greater(t, noisy, 1000, "the test must meet noise")
}

func TestMoney_Decimal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		money model.Money
		want  model.Decimal
	}{
		{model.Money{Minor: 2999, Currency: "USD"}, "29.99"}, {model.Money{Minor: 2990, Currency: "USD"}, "29.90"}, {model.Money{Minor: 5, Currency: "USD"}, "0.05"},
		{model.Money{Currency: "USD"}, "0.00"}, {model.Money{Minor: 100, Currency: "JPY"}, "100"}, {model.Money{Minor: 1234, Currency: "KWD"}, "1.234"},
		{model.Money{Minor: 12345, Currency: "CLF"}, "1.2345"}, {model.Money{Minor: model.MaxMinor, Currency: "USD"}, "90071992547409.91"}, {model.Money{}, "0"},
	} {
		require.Equal(t, c.want, c.money.Decimal())
	}
}

func TestMoney_IsZero(t *testing.T) {
	t.Parallel()
	require.True(t, model.Money{}.IsZero())
	require.True(t, model.Money{Currency: "USD"}.IsZero())
	require.False(t, model.Money{Minor: 1, Currency: "USD"}.IsZero())
}

func FuzzNewMoney(f *testing.F) {
	for _, s := range []string{
		"29.99", "-1", "-0", "0e10", "2.999e1", "30.299999999999997", "30.295", "1e400", "1E1000000000", "0.30000000000000004", "90071992547409.92",
		"90071992547409.91", "9007199254740.9912", "1e-5", "NaN", "01", "1.", "",
	} {
		for i := range uint8(4) {
			f.Add(s, i)
		}
	}
	currencies := []model.Currency{"USD", "JPY", "KWD", "CLF"}
	f.Fuzz(func(t *testing.T, s string, which uint8) {
		c := currencies[int(which)%len(currencies)]
		m, err := model.NewMoney(model.Decimal(s), c)
		_, malformed := model.ParseDecimal(s)
		if err == nil {
			require.NoError(t, malformed)
			require.True(t, m.Minor >= 0 && m.Minor <= model.MaxMinor)
			again, err := model.NewMoney(m.Decimal(), c)
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
		exact := exactMinor(s, c)
		if malformed != nil || exact == nil {
			return
		}
		switch inRange := exact.Sign() >= 0 && exact.Cmp(new(big.Rat).SetInt64(model.MaxMinor)) <= 0; {
		case exact.IsInt() && inRange:
			require.NoError(t, err)
			require.Zero(t, exact.Cmp(new(big.Rat).SetInt64(m.Minor)))
		case exact.IsInt() || exact.Sign() < 0:
			requireCode(t, model.CodeInvalidAmount, err, s)
		case err == nil:
			off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(m.Minor))
			require.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(1, 100)), 0)
			require.GreaterOrEqual(t, len(s), 16)
		}
	})
}

// exactMinor is the amount in minor units by other means; nil if that would cost too much.
func exactMinor(s string, c model.Currency) *big.Rat {
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok && len(exponent) > 4 {
		return nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Exponent())), nil)
	return r.Mul(r, new(big.Rat).SetInt(scale))
}

func BenchmarkNewMoney(b *testing.B) {
	for name, amount := range map[string]model.Decimal{
		"plain": "29.99", "noise": "30.299999999999997", "exponent": "1E1000000000", "long": model.Decimal(strings.Repeat("9", 256)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = model.NewMoney(amount, "USD")
			}
		})
	}
}

func BenchmarkMoney_Decimal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = model.Money{Minor: 2999, Currency: "USD"}.Decimal()
	}
}
