package model

import (
	"math/big"
	"strings"
)

// Conversion says how an amount was converted: through the euro, by two rates that were published for one
// day. It never changes, so that the amount can be computed again.
type Conversion struct {
	Date   Date
	Source string // who published the rates; two names if the rates are from two
	// PaidPerEuro and ReportingPerEuro are units for one euro of the currency that was paid and of the
	// reporting currency, as published; 1 for the euro itself.
	PaidPerEuro      Decimal
	ReportingPerEuro Decimal
}

// rateDigits is the number of significant digits of Conversion.Rate.
const rateDigits = 12

// Rate is how many units of the reporting currency one unit of the currency that was paid is, rounded
// half-even to 12 significant digits. It is for people: amounts are converted by the published rates.
func (c *Conversion) Rate() Decimal {
	rate := c.ratio()
	decimals := rateDigits - 1
	ten := big.NewRat(10, 1)
	for size := new(big.Rat).Set(rate); size.Cmp(ten) >= 0 && decimals > 0; decimals-- {
		size.Quo(size, ten)
	}
	for size, one := new(big.Rat).Set(rate), big.NewRat(1, 1); size.Cmp(one) < 0; decimals++ {
		size.Mul(size, ten)
	}
	text := string(minorToDecimal(roundHalfEven(rate.Mul(rate, tenTo(decimals))).String(), decimals))
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return Decimal(text)
}

func (c *Conversion) ratio() *big.Rat {
	return new(big.Rat).Quo(ratOf(c.ReportingPerEuro), ratOf(c.PaidPerEuro))
}

// Convert is an amount in another currency, exact until it is rounded half-even to a minor unit. It is
// absent if it is above MaxMinor.
func (c *Conversion) Convert(paid Money, to Currency) Money {
	amount := c.ratio()
	amount.Mul(amount, new(big.Rat).SetInt64(paid.Minor))
	amount.Mul(amount, tenTo(to.Exponent()-paid.Currency.Exponent()))
	minor := roundHalfEven(amount)
	if !minor.IsInt64() || minor.Int64() > MaxMinor {
		return Money{}
	}
	return Money{minor.Int64(), to}
}

// ratOf is the value of a rate, whose grammar has been checked.
func ratOf(d Decimal) *big.Rat {
	value, ok := new(big.Rat).SetString(string(d))
	if !ok {
		panic("model: a rate is no number")
	}
	return value
}

func tenTo(n int) *big.Rat {
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil))
	if n < 0 {
		return power.Inv(power)
	}
	return power
}

// roundHalfEven is the whole number nearest to one that is not negative; of two, the even one.
func roundHalfEven(r *big.Rat) *big.Int {
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	switch half := rest.Lsh(rest, 1).Cmp(r.Denom()); {
	case half > 0, half == 0 && whole.Bit(0) == 1:
		return whole.Add(whole, big.NewInt(1))
	}
	return whole
}
