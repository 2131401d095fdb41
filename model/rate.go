package model

import (
	"math/big"
	"strings"
	"time"
)

// euro is the currency that rates are published against; its own rate is 1.
const euro Currency = "EUR"

// rateDaysMax is how many days before that of a payment a rate may have been published to convert it: as
// long as banks are closed at a stretch, and no longer.
const rateDaysMax = 7

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

// Exchange converts a website's payments to its reporting currency, by the rates that it was given.
type Exchange struct {
	to    Currency
	zone  *time.Location
	rates map[Date]map[Currency]Rate
}

// NewExchange is an exchange without rates.
func NewExchange(site Website) *Exchange {
	return &Exchange{to: site.Currency, zone: site.Location(), rates: map[Date]map[Currency]Rate{}}
}

// Needs are the days and the currencies whose rates could convert the payments; none if there is nothing
// to convert.
func (e *Exchange) Needs(payments []*Payment) (days []Date, currencies []Currency) {
	hasDay, hasCurrency := map[Date]bool{}, map[Currency]bool{euro: true} // the euro needs no rate
	need := func(c Currency) {
		if !hasCurrency[c] {
			hasCurrency[c] = true
			currencies = append(currencies, c)
		}
	}
	for _, p := range payments {
		if p.Amount.Currency == e.to {
			continue
		}
		need(e.to)
		need(p.Amount.Currency)
		for day, n := e.day(p), 0; n <= rateDaysMax; day, n = day.AddDays(-1), n+1 {
			if !hasDay[day] {
				hasDay[day] = true
				days = append(days, day)
			}
		}
	}
	return days, currencies
}

// day is the payment's own day: that of its website.
func (e *Exchange) day(p *Payment) Date { return dateOf(p.OccurredAt.In(e.zone)) }

// Add gives the exchange published rates.
func (e *Exchange) Add(rates []Rate) {
	for _, r := range rates {
		if e.rates[r.Date] == nil {
			e.rates[r.Date] = map[Currency]Rate{}
		}
		e.rates[r.Date][r.Currency] = r
	}
}

// Convert gives the payment its amount in the reporting currency, by the rates of its own day, else by
// those of the latest day before it, at most 7, for which both currencies have one. Without such a day, or
// if the amount would pass MaxMinor, the payment has none: it is never taken 1:1.
func (e *Exchange) Convert(p *Payment) {
	p.Reporting, p.Conversion = nil, nil
	if p.Amount.Currency == e.to {
		amount := p.Amount
		p.Reporting = &amount
		return
	}
	for day, n := e.day(p), 0; n <= rateDaysMax; day, n = day.AddDays(-1), n+1 {
		conversion := e.conversion(p.Amount.Currency, day)
		if conversion == nil {
			continue
		}
		if amount := conversion.Convert(p.Amount, e.to); amount.Currency != "" {
			p.Reporting, p.Conversion = &amount, conversion
		}
		return
	}
}

// conversion is that by the rates of a day; nil unless both currencies have one.
func (e *Exchange) conversion(from Currency, day Date) *Conversion {
	paid, hasPaid := e.rate(from, day)
	reporting, hasReporting := e.rate(e.to, day)
	if !hasPaid || !hasReporting {
		return nil
	}
	source := paid.Source
	switch {
	case source == "":
		source = reporting.Source
	case reporting.Source != "" && reporting.Source != source:
		source += ", " + reporting.Source
	}
	return &Conversion{Date: day, Source: source, PaidPerEuro: paid.PerEuro, ReportingPerEuro: reporting.PerEuro}
}

func (e *Exchange) rate(c Currency, day Date) (Rate, bool) {
	if c == euro {
		return Rate{PerEuro: "1"}, true
	}
	rate, ok := e.rates[day][c]
	return rate, ok
}

// RateImport is what became of rates that were imported.
type RateImport struct {
	New       int
	Unchanged int // known with the same value
	Different int // known with another value
}

// ConversionProgress says how far a conversion of a website's payments is, which goes on in the order in
// which they occurred.
type ConversionProgress struct {
	Payments int // that were looked at
	Until    time.Time
}

// WaitingPayments are payments of one currency that no known rate converts to a website's.
type WaitingPayments struct {
	WebsiteID   string
	Domain      string
	Reporting   Currency // the website's
	Currency    Currency // that was paid
	Payments    int
	First, Last time.Time // when they occurred
}

// RateSummary is what is known of the rates of one source.
type RateSummary struct {
	Source      string
	First, Last Date
	Days        int
	Rates       int
	Currencies  []Currency // by code
}
