package model

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Sum is an exact sum of money in one currency: of any size, and possibly negative. It is a value:
// no method changes it, and sums of the same amount and currency are deeply equal. The zero value
// is nothing in no currency yet; it can be combined with sums of every currency.
type Sum struct {
	currency Currency
	minor    int64
	large    *big.Int // instead of minor where int64 is too small; never changed
}

// NewSum is nothing, in a currency.
func NewSum(c Currency) Sum { return Sum{currency: c} }

// SumOf is the sum of one amount.
func SumOf(m Money) Sum { return Sum{currency: m.Currency, minor: m.Minor} }

// ParseSum reads a number of minor units in decimal digits, as Postgres prints a sum of bigints.
// Its errors tell of a fault of ours: they are no Error.
func ParseSum(minor string, c Currency) (Sum, error) {
	if n, err := strconv.ParseInt(minor, 10, 64); err == nil && minor[0] != '+' {
		return Sum{currency: c, minor: n}, nil
	}
	digits, rest := cutDigits(strings.TrimPrefix(minor, "-"))
	n, ok := new(big.Int).SetString(minor, 10)
	if digits == "" || rest != "" || !ok {
		return Sum{}, errors.New("model: a sum must be a whole number of minor units")
	}
	return newSum(c, n), nil
}

func newSum(c Currency, n *big.Int) Sum {
	if n.IsInt64() {
		return Sum{currency: c, minor: n.Int64()}
	}
	return Sum{currency: c, large: n}
}

// Currency is the currency of the sum; "" for the zero value.
func (s Sum) Currency() Currency { return s.currency }

// Amount is the sum in major units, with exactly as many decimals as the currency has.
func (s Sum) Amount() Decimal { return minorToDecimal(s.MinorString(), s.currency.Exponent()) }

// MinorString is the sum in minor units, in decimal digits: what ParseSum reads.
func (s Sum) MinorString() string {
	if s.large != nil {
		return s.large.String()
	}
	return strconv.FormatInt(s.minor, 10)
}

// Minor is the sum in minor units, for the caller to keep.
func (s Sum) Minor() *big.Int {
	if s.large != nil {
		return new(big.Int).Set(s.large)
	}
	return big.NewInt(s.minor)
}

// Add is s + t. It panics if the currencies differ, since only a fault of ours adds those.
func (s Sum) Add(t Sum) Sum {
	c := s.common(t)
	if s.large == nil && t.large == nil {
		if sum := s.minor + t.minor; (sum > s.minor) == (t.minor > 0) {
			return Sum{currency: c, minor: sum}
		}
	}
	return newSum(c, new(big.Int).Add(s.Minor(), t.Minor()))
}

// Sub is s − t. It panics if the currencies differ, as Add does.
func (s Sum) Sub(t Sum) Sum { return s.Add(t.Neg()) }

// Neg is −s.
func (s Sum) Neg() Sum {
	if s.large == nil && s.minor != math.MinInt64 {
		return Sum{currency: s.currency, minor: -s.minor}
	}
	return newSum(s.currency, new(big.Int).Neg(s.Minor()))
}

// Cmp is −1 if s < t, 0 if they are equal, 1 if s > t. It panics if the currencies differ, as Add does.
func (s Sum) Cmp(t Sum) int { return s.Sub(t).Sign() }

// Sign is −1 if s is negative, 0 if it is nothing, 1 if it is positive.
func (s Sum) Sign() int {
	switch {
	case s.large != nil:
		return s.large.Sign()
	case s.minor < 0:
		return -1
	case s.minor > 0:
		return 1
	}
	return 0
}

// div is s / n, half-even to the minor unit. n is above 0.
func (s Sum) div(n int64) Sum {
	by := big.NewInt(n)
	quotient, rest := new(big.Int).DivMod(s.Minor(), by, new(big.Int)) // rest is from 0 to n-1
	if half := rest.Lsh(rest, 1).Cmp(by); half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return newSum(s.currency, quotient)
}

// ratio is s / t, which is not 0. It panics if the currencies differ, as Add does.
func (s Sum) ratio(t Sum) float64 {
	s.common(t)
	ratio, _ := new(big.Rat).SetFrac(s.Minor(), t.Minor()).Float64()
	return ratio
}

// common is the currency of both sums.
func (s Sum) common(t Sum) Currency {
	switch {
	case s == Sum{}:
		return t.currency
	case t == Sum{}, s.currency == t.currency:
		return s.currency
	}
	panic("model: sums of different currencies were combined")
}
