package model

import (
	"strings"

	"github.com/bojanz/currency"
)

// Currency is the upper-case alphabetic ISO 4217 code of money that can be paid in, or "" for none.
type Currency string

// recentCurrencies are in ISO 4217 but not yet in bojanz/currency: by code, the number of decimals.
// XCG, the Caribbean guilder, replaced ANG on 2025-03-31.
var recentCurrencies = map[Currency]int{"XCG": 2}

// ParseCurrency reads a code in any ASCII case. It accepts the currencies of states and the units
// of account that go with them, such as CLF, and also those that were replaced only lately, since
// old payments are still recorded. It refuses what nobody is charged in: precious metals (XAU),
// units of international funds (XDR), test and no-currency codes (XTS, XXX), and codes that are
// not in ISO 4217 (BTC). Error: CodeInvalidCurrency.
func ParseCurrency(s string) (Currency, error) {
	if len(s) != 3 {
		return "", errCurrency()
	}
	// ToUpper also knows letters that are not ASCII, but of these no three bytes make three letters.
	c := Currency(strings.ToUpper(s))
	if !c.known() {
		return "", errCurrency()
	}
	return c, nil
}

func errCurrency() error {
	return Errorf(CodeInvalidCurrency, "", "must be an ISO 4217 currency code, such as USD")
}

// Exponent is how many decimals the currency has in ISO 4217: 0 for JPY, 2 for USD, 3 for KWD, 4 for
// CLF. One major unit is 10^Exponent minor units. It is 0 for "" and for unknown codes.
func (c Currency) Exponent() int {
	n, _ := c.decimals()
	return n
}

func (c Currency) known() bool {
	_, ok := c.decimals()
	return ok
}

func (c Currency) decimals() (int, bool) {
	if digits, ok := currency.GetDigits(string(c)); ok && digits != currency.DefaultDigits {
		return int(digits), true
	}
	n, ok := recentCurrencies[c]
	return n, ok
}
