package model

import "strings"

// euro is the currency that rates are published against; its own rate is 1.
const euro Currency = "EUR"

// Rate is an exchange rate as it was published for a day.
type Rate struct {
	Date     Date
	Currency Currency // not the euro
	PerEuro  Decimal  // units of the currency for one euro: see ParsePerEuro
	Source   string   // who published it
}

// maxRateDigits is how many digits a rate has at most before its point, and after it.
const maxRateDigits = 12

// ParsePerEuro reads a rate: a number above zero, in plain decimal digits, at most 12 before the point and
// 12 after it. Error: CodeInvalidAmount.
func ParsePerEuro(s string) (Decimal, error) {
	whole, rest := cutDigits(s)
	fraction, isFraction := strings.CutPrefix(rest, ".")
	digits, rest := cutDigits(fraction)
	n, ok := scanNumber(s)
	switch {
	case !ok, !isFraction && fraction != "", rest != "", n.digits == "":
		return "", Errorf(CodeInvalidAmount, "", "must be a decimal number above zero, such as 1.0866")
	case len(whole) > maxRateDigits, len(digits) > maxRateDigits:
		return "", Errorf(CodeInvalidAmount, "", "must have at most %d digits before the point, and after it", maxRateDigits)
	}
	return Decimal(s), nil
}

// RateImport is what became of rates that were imported.
type RateImport struct {
	New       int
	Unchanged int // known with the same value
	Different int // known with another value
}

// RateSummary is what is known of the rates of one source.
type RateSummary struct {
	Source      string
	First, Last Date
	Days        int
	Rates       int
	Currencies  []Currency // by code
}
