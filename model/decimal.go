package model

import "strings"

// Decimal is an exact decimal in the grammar of JSON numbers, as it was written: "29.99", "-1.5e3".
type Decimal string

// maxDecimal is the greatest length of a Decimal, in bytes.
const maxDecimal = 256

// ParseDecimal checks the grammar and the length, at most 256 bytes. Error: CodeInvalidAmount.
func ParseDecimal(s string) (Decimal, error) {
	if _, err := parseNumber(s); err != nil {
		return "", err
	}
	return Decimal(s), nil
}

func parseNumber(s string) (number, error) {
	if len(s) > maxDecimal {
		return number{}, Errorf(CodeInvalidAmount, "", "must have at most %d characters", maxDecimal)
	}
	n, ok := scanNumber(s)
	if !ok {
		return number{}, Errorf(CodeInvalidAmount, "", "must be a decimal number, such as 29.99")
	}
	return n, nil
}

// number is a JSON number taken apart: digits × 10^exponent, where digits neither begin nor end
// with 0. Equal values are equal structs; zero is the zero value. An exponent that was written
// beyond ±maxExponent counts as that, so numbers cost no more than their text.
type number struct {
	negative bool
	digits   string
	exponent int
}

// maxExponent is far beyond every number that has a use here.
const maxExponent = 1_000_000

// scanNumber takes s apart; false if it is not in the grammar of JSON numbers.
func scanNumber(s string) (number, bool) {
	unsigned, negative := strings.CutPrefix(s, "-")
	whole, rest := cutDigits(unsigned)
	if whole == "" || (whole[0] == '0' && len(whole) > 1) {
		return number{}, false
	}
	digits, exponent := whole, 0
	if rest != "" && rest[0] == '.' {
		var fraction string
		if fraction, rest = cutDigits(rest[1:]); fraction == "" {
			return number{}, false
		}
		digits, exponent = whole+fraction, -len(fraction)
	}
	if rest != "" {
		written, ok := scanExponent(rest)
		if !ok {
			return number{}, false
		}
		exponent += written
	}
	digits = strings.TrimLeft(digits, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return number{}, true
	}
	return number{negative, significant, exponent + len(digits) - len(significant)}, true
}

// scanExponent reads the part of a JSON number from its e on.
func scanExponent(s string) (int, bool) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	unsigned, negative := strings.CutPrefix(s[1:], "-")
	if !negative {
		unsigned = strings.TrimPrefix(unsigned, "+")
	}
	digits, rest := cutDigits(unsigned)
	if digits == "" || rest != "" {
		return 0, false
	}
	exponent := 0
	for i := range len(digits) {
		exponent = min(exponent*10+int(digits[i]-'0'), maxExponent)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// cutDigits splits s after the ASCII digits that it begins with.
func cutDigits(s string) (digits, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i], s[i:]
}

// minorToDecimal puts the decimal point into a whole number of minor units, given as ASCII digits
// with an optional minus sign, so that it has exactly the given number of decimals.
func minorToDecimal(minor string, decimals int) Decimal {
	if decimals == 0 {
		return Decimal(minor)
	}
	digits, negative := strings.CutPrefix(minor, "-")
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - decimals
	text := digits[:point] + "." + digits[point:]
	if negative {
		text = "-" + text
	}
	return Decimal(text)
}
