package model

import "time"

// rateDaysMax is how many days before that of a payment a rate may have been published to convert it: as
// long as banks are closed at a stretch, and no longer.
const rateDaysMax = 7

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
func (e *Exchange) day(p *Payment) Date { return DateOf(p.OccurredAt.In(e.zone)) }

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
