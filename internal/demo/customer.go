package demo

import (
	"fmt"
	"strings"
	"time"

	"tributary/model"
)

// recognition is how the application tells whose payment it is.
type recognition int

const (
	byCustomer   recognition = iota // the visitor's id with the first payment, the customer's id with all
	byVisitor                       // the visitor's id with all
	byEmail                         // the visitor's id with the first payment, the e-mail address with all
	late                            // the visitor's id with the second payment only
	unknown                         // no visitor's id
	neverVisited                    // the id of a visitor whose visits nobody saw
)

var recognitions = []choice[recognition]{{60, byCustomer}, {12, byVisitor}, {14, byEmail}, {14, late}}

const trialPeriod = 14 * day

// customer is somebody who pays.
type customer struct {
	*visitor
	offer
	currency model.Currency
	known    recognition
	start    time.Time // of the first payment or trial
	session  *string   // of the visit with the first payment
	email    string
	name     string
	made     []model.RecordPaymentInput
}

// newCustomer is a visitor who pays for the first time at a checkout; without one it is a stranger.
func newCustomer(v *visitor, at *checkout) *customer {
	first, last := firstNames[v.number%len(firstNames)], lastNames[v.number/2%len(lastNames)]
	c := &customer{
		visitor: v, offer: draw(v.rng, offers), currency: v.country.currency,
		known: draw(v.rng, recognitions), start: v.firstSeen,
		name:  first + " " + last,
		email: strings.ToLower(fmt.Sprintf("%s.%s.%d@example.com", first, last, v.number)),
	}
	switch {
	case at != nil:
		c.start = at.at.Add(2*time.Minute + v.randomTime(8*time.Minute)).Truncate(time.Second)
		c.session = &at.session
	case v.number%4 == 0:
		c.known = neverVisited
	default:
		c.known = unknown
	}
	return c
}

// signup is the custom event that the website sends when the customer makes an account.
func (c *customer) signup(at checkout) model.RecordEventInput {
	return model.RecordEventInput{
		VisitorID: c.id, SessionID: &at.session, Type: model.EventCustom, Name: new("signup"),
		URL: "https://" + Domain + "/pricing", Properties: model.Metadata{"plan": c.plan, "interval": c.interval},
		OccurredAt: timestamp(at.at.Add(time.Minute)),
	}
}

// payments are all that the customer pays and gets back before the end.
func (c *customer) payments(end time.Time) []model.RecordPaymentInput {
	at := c.start
	if c.interval == "month" && c.rng.IntN(100) < 35 && at.Before(end) {
		trial := c.entry(at, model.Money{Currency: c.currency})
		trial.FreeTrial = new(true)
		c.made = append(c.made, trial)
		if c.rng.IntN(100) < 25 {
			return c.made
		}
		at = at.Add(trialPeriod)
	}
	for n := 0; at.Before(end); n++ {
		charge := c.entry(at, model.Money{Minor: c.prices[c.currency], Currency: c.currency})
		if n > 0 && c.interval != "once" {
			charge.Renewal = new(true)
		}
		c.made = append(c.made, charge)
		if c.rng.IntN(100) < 8 && c.refund(charge, at, end) {
			break
		}
		var more bool
		if at, more = c.next(at, n); !more {
			break
		}
	}
	return c.made
}

// next is when the customer pays again, if at all.
func (c *customer) next(at time.Time, n int) (time.Time, bool) {
	switch c.interval {
	case "month":
		return at.AddDate(0, 1, 0), c.rng.IntN(100) >= 5
	case "year":
		return at.AddDate(1, 0, 0), true
	}
	return at.Add(10*day + c.randomTime(30*day)).Truncate(time.Second), n < 3 && c.rng.IntN(100) < 40
}

// entry is a payment with what the application knows of the customer at that time.
func (c *customer) entry(at time.Time, amount model.Money) model.RecordPaymentInput {
	n := len(c.made)
	p := model.RecordPaymentInput{
		TransactionID: fmt.Sprintf("demo_%04d_%d", c.number, n+1),
		Amount:        amount.Decimal(), Currency: amount.Currency, OccurredAt: timestamp(at),
		Email: &c.email, Name: &c.name,
		Metadata: model.Metadata{"plan": c.plan, "interval": c.interval},
	}
	if c.known != byEmail {
		p.CustomerID = new(fmt.Sprintf("cus_demo_%04d", c.number))
	} else if n > 0 {
		p.Email = new(strings.ToUpper(c.email[:1]) + c.email[1:])
	}
	switch {
	case n == 0 && (c.known == byCustomer || c.known == byEmail),
		n == 1 && c.known == late,
		c.known == byVisitor, c.known == neverVisited:
		p.VisitorID = &c.id
	}
	if n == 0 && p.VisitorID != nil {
		p.SessionID = c.session
	}
	return p
}

// refund takes a charge back some days later, wholly or in part, and says whether it was all of it.
func (c *customer) refund(charge model.RecordPaymentInput, at, end time.Time) bool {
	price := c.prices[c.currency]
	if c.currency.Exponent() == 2 {
		price -= price % 100 // parts are round amounts too
	}
	back := func(id string, minor int64, days int) {
		when := at.Add(time.Duration(days)*day + c.randomTime(10*time.Hour)).Truncate(time.Second)
		if !when.Before(end) {
			return
		}
		refund := model.RecordPaymentInput{
			TransactionID: id, Refunded: new(true), OccurredAt: timestamp(when),
			Amount: model.Money{Minor: minor, Currency: c.currency}.Decimal(), Currency: c.currency,
		}
		if id != charge.TransactionID {
			refund.RefundOf = &charge.TransactionID
		}
		c.made = append(c.made, refund)
	}
	id := charge.TransactionID
	switch kind := c.rng.IntN(10); {
	case kind < 3:
		back(id, c.prices[c.currency], 1+c.rng.IntN(6))
		return true
	case kind < 6:
		back(id+"_refund", c.prices[c.currency], 1+c.rng.IntN(6))
		return true
	case kind < 8:
		back(id+"_refund", price/2, 1+c.rng.IntN(6))
	default:
		back(id+"_refund_1", price/4, 1+c.rng.IntN(3))
		back(id+"_refund_2", price/2, 4+c.rng.IntN(3))
	}
	return false
}
