package model

import (
	"math"
	"strconv"
)

// MaxMinor is the greatest amount of Money, in minor units: 2^53−1, the greatest integer that every
// JSON client reads exactly.
const MaxMinor = 1<<53 - 1

// maxMinorDigits is the number of decimal digits of MaxMinor.
const maxMinorDigits = 16

// Money is an amount that was paid: from 0 to MaxMinor minor units of a currency (cents of USD,
// whole JPY). The zero value, without a currency, means that there is no amount.
type Money struct {
	Minor    int64
	Currency Currency
}

// NewMoney makes money of an amount in major units. It is exact: the digits are read as they were
// written. More decimals than the currency has are accepted only if they are zeros, or the noise
// that binary floating point leaves behind (30.299999999999997 is 30.30). Errors:
// CodeInvalidAmount if the amount is no number, negative or above MaxMinor minor units,
// CodeAmountPrecision if it has too many decimals, CodeInvalidCurrency.
func NewMoney(d Decimal, c Currency) (Money, error) {
	n, err := parseNumber(string(d))
	if err != nil {
		return Money{}, err
	}
	if !c.known() {
		return Money{}, errCurrency()
	}
	minor := n
	minor.exponent += c.Exponent()
	switch {
	case n.digits == "":
		return Money{0, c}, nil
	case n.negative:
		return Money{}, Errorf(CodeInvalidAmount, "", "must not be negative")
	case len(minor.digits)+minor.exponent > maxMinorDigits:
		return Money{}, errTooLarge(c)
	}
	amount, ok := minor.whole()
	if !ok {
		amount, ok = minor.nearest()
		ok = ok && isFloatNoise(string(d), n, Money{amount, c})
	}
	switch {
	case !ok && c.Exponent() == 0:
		return Money{}, Errorf(CodeAmountPrecision, "", "this currency has no decimals")
	case !ok:
		return Money{}, Errorf(CodeAmountPrecision, "", "this currency has at most %d decimals", c.Exponent())
	case amount > MaxMinor:
		return Money{}, errTooLarge(c)
	}
	return Money{amount, c}, nil
}

func errTooLarge(c Currency) error {
	return Errorf(CodeInvalidAmount, "", "must be at most %s", Money{MaxMinor, c}.Decimal())
}

// IsZero says whether the amount is 0, or absent.
func (m Money) IsZero() bool { return m.Minor == 0 }

// Decimal is the amount in major units, with exactly as many decimals as the currency has.
func (m Money) Decimal() Decimal {
	return minorToDecimal(strconv.FormatInt(m.Minor, 10), m.Currency.Exponent())
}

// whole is the value of a number below 10^maxMinorDigits; false unless it is whole.
func (n number) whole() (int64, bool) {
	if n.exponent < 0 {
		return 0, false
	}
	value, err := strconv.ParseInt(n.digits, 10, 64)
	return value * pow10(n.exponent), err == nil
}

// A float64 needs no more than 17 significant digits, and up to 15 survive it unchanged: a decimal
// of fewer digits was written by someone who meant it.
const (
	minNoiseDigits = 15
	maxNoiseDigits = 17
	maxNoiseULPs   = 128
)

// nearest is the whole number nearest to one with the digits of a float64; false unless it is within
// a hundredth.
func (n number) nearest() (int64, bool) {
	if len(n.digits) < minNoiseDigits || len(n.digits) > maxNoiseDigits || -n.exponent > maxNoiseDigits {
		return 0, false
	}
	value, err := strconv.ParseInt(n.digits, 10, 64)
	if err != nil {
		return 0, false
	}
	one := pow10(-n.exponent)
	whole, off := value/one, value%one
	if off > one/2 {
		whole, off = whole+1, one-off
	}
	return whole, off <= one/100
}

// isFloatNoise says whether the amount that was written, n, is what a client prints that computed m
// with float64s: the shortest text for its float, and few float64s away from the one nearest to m.
// (JavaScript, Go, Python and PHP print floats so.) Floats serve to recognise the noise only; the
// amount is computed from the digits.
func isFloatNoise(text string, n number, m Money) bool {
	written, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	shortest, _ := scanNumber(strconv.FormatFloat(written, 'e', -1, 64))
	if shortest != n {
		return false
	}
	meant, err := strconv.ParseFloat(string(m.Decimal()), 64)
	apart := int64(math.Float64bits(written)) - int64(math.Float64bits(meant))
	return err == nil && apart >= -maxNoiseULPs && apart <= maxNoiseULPs
}

// pow10 is 10^n for n from 0 to 18.
func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
