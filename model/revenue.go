package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Revenue is sums over payments. Amounts are in the reporting currency and hold the payments that
// have one; Unconverted holds the others. Counts hold all payments.
type Revenue struct {
	Gross       Sum
	Refunded    Sum
	Net         Sum // Gross - Refunded
	New         Sum // the part of Gross from charges
	Renewal     Sum // the part of Gross from renewals
	Charges     int
	Renewals    int
	Refunds     int
	FreeTrials  int
	ByCurrency  []CurrencyRevenue // by currency code
	Unconverted []Sum             // net, by currency code
}

// CurrencyRevenue is sums over payments of one currency.
type CurrencyRevenue struct {
	Currency Currency
	Gross    Sum
	Refunded Sum
	Net      Sum
}

// RevenuePart is the sum over payments of one kind and original currency that are all converted,
// or all not.
type RevenuePart struct {
	Kind      PaymentKind
	Count     int
	Original  Sum
	Converted bool
	Reporting Sum // meaningful when Converted
}

// NewRevenue adds up parts in a website's reporting currency.
func NewRevenue(reporting Currency, parts []RevenuePart) *Revenue {
	zero := NewSum(reporting)
	r := &Revenue{Gross: zero, Refunded: zero, New: zero, Renewal: zero}
	byCurrency := map[Currency]*CurrencyRevenue{}
	unconverted := map[Currency]Sum{}
	for _, part := range parts {
		r.count(part)
		if part.Kind == KindFreeTrial {
			continue
		}
		code := part.Original.Currency()
		if byCurrency[code] == nil {
			byCurrency[code] = &CurrencyRevenue{Currency: code, Gross: NewSum(code), Refunded: NewSum(code)}
		}
		if part.Kind == KindRefund {
			byCurrency[code].Refunded = byCurrency[code].Refunded.Add(part.Original)
		} else {
			byCurrency[code].Gross = byCurrency[code].Gross.Add(part.Original)
		}
		if part.Converted {
			r.addReporting(part)
			continue
		}
		if _, ok := unconverted[code]; !ok {
			unconverted[code] = NewSum(code)
		}
		if part.Kind == KindRefund {
			unconverted[code] = unconverted[code].Sub(part.Original)
		} else {
			unconverted[code] = unconverted[code].Add(part.Original)
		}
	}
	r.Gross = r.New.Add(r.Renewal)
	r.Net = r.Gross.Sub(r.Refunded)
	for _, code := range slices.Sorted(maps.Keys(byCurrency)) {
		c := byCurrency[code]
		c.Net = c.Gross.Sub(c.Refunded)
		r.ByCurrency = append(r.ByCurrency, *c)
	}
	for _, code := range slices.Sorted(maps.Keys(unconverted)) {
		r.Unconverted = append(r.Unconverted, unconverted[code])
	}
	return r
}

func (r *Revenue) count(part RevenuePart) {
	switch part.Kind {
	case KindCharge:
		r.Charges += part.Count
	case KindRenewal:
		r.Renewals += part.Count
	case KindRefund:
		r.Refunds += part.Count
	case KindFreeTrial:
		r.FreeTrials += part.Count
	}
}

func (r *Revenue) addReporting(part RevenuePart) {
	switch part.Kind {
	case KindCharge:
		r.New = r.New.Add(part.Reporting)
	case KindRenewal:
		r.Renewal = r.Renewal.Add(part.Reporting)
	case KindRefund:
		r.Refunded = r.Refunded.Add(part.Reporting)
	}
}

// VisitorRevenue is what one visitor brought.
type VisitorRevenue struct {
	WebsiteID      string
	VisitorID      string
	Revenue        *Revenue
	FirstPaymentAt time.Time
	LastPaymentAt  time.Time
	// OrderKey is the value that the list was ordered by, as Postgres writes it, for its cursor.
	OrderKey string
}

// OrderDirection is the way a list is ordered.
type OrderDirection string

// The directions.
const (
	Ascending  OrderDirection = "ASC"
	Descending OrderDirection = "DESC"
)

// VisitorRevenueOrderField is what visitors can be ordered by.
type VisitorRevenueOrderField string

// The orders of visitors.
const (
	OrderByNet           VisitorRevenueOrderField = "NET"
	OrderByGross         VisitorRevenueOrderField = "GROSS"
	OrderByLastPaymentAt VisitorRevenueOrderField = "LAST_PAYMENT_AT"
	OrderByPayments      VisitorRevenueOrderField = "PAYMENTS"
)

// VisitorRevenueOrder is the order of visitors; equal ones are ordered by id.
type VisitorRevenueOrder struct {
	Field     VisitorRevenueOrderField
	Direction OrderDirection
}

// List is the order of a list of visitors, by VisitorRevenue.OrderKey and visitor id.
func (o VisitorRevenueOrder) List() ListOrder {
	return ListOrder{
		name:  string(o.Field) + " " + string(o.Direction),
		isKey: o.Field.isKey,
		isID:  func(id string) bool { return CheckID(id) == nil },
	}
}

// isKey says whether a text can be the value that a list is ordered by, as Postgres writes it.
func (f VisitorRevenueOrderField) isKey(text string) bool {
	switch f {
	case OrderByLastPaymentAt:
		return isTime("2006-01-02 15:04:05.999999-07", text)
	case OrderByPayments:
		return isCount(text)
	}
	return isWhole(text)
}

// isCount says whether a text can be a number of rows.
func isCount(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return err == nil && n >= 0
}

// isWhole says whether a text can be a sum of money in minor units.
func isWhole(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && len(digits) <= 64 && strings.Trim(digits, "0123456789") == ""
}

// validate refuses an order that does not exist: GraphQL lets enums of any letter case pass.
func (o VisitorRevenueOrder) validate() error {
	fields := []VisitorRevenueOrderField{OrderByNet, OrderByGross, OrderByLastPaymentAt, OrderByPayments}
	if !slices.Contains(fields, o.Field) || (o.Direction != Ascending && o.Direction != Descending) {
		return Errorf(CodeInvalidField, "", "must have a field of NET, GROSS, LAST_PAYMENT_AT or PAYMENTS and a direction of ASC or DESC")
	}
	return nil
}

// VisitorRevenueFilter selects visitors and their revenue; all given conditions must hold.
type VisitorRevenueFilter struct {
	RevenueFilter
	VisitorIDs []string
	MinNet     *Decimal // of the revenue that RevenueFilter selects, in the reporting currency; may be negative
	Campaign   *string  // another name of UtmCampaign
}

// maxFilterIDs is the greatest number of visitors that a filter names.
const maxFilterIDs = 1000

// Validate checks a question for visitors and their revenue; its page is left to be filled in. A
// nil filter selects all visitors, a nil range all time, a nil order the greatest net revenue first.
// Errors: CodeInvalidField, CodeInvalidRange, CodeTooManyItems, those of NewMoney for minNet.
func (in *VisitorRevenueFilter) Validate(site Website, r *TimeRange, order *VisitorRevenueOrder) (VisitorRevenueQuery, error) {
	var faults Faults
	var err error
	q := VisitorRevenueQuery{Order: VisitorRevenueOrder{Field: OrderByNet, Direction: Descending}}
	if order != nil {
		q.Order = *order
		faults.Add("orderBy", order.validate())
	}
	q.Range, err = r.In(site.Location())
	faults.Add("range", err)
	if in == nil {
		return q, faults.Err()
	}
	if len(in.VisitorIDs) > maxFilterIDs {
		faults.Add("visitorIds", Errorf(CodeTooManyItems, "", "at most %d visitors can be named", maxFilterIDs))
	}
	if in.MinNet != nil {
		least, err := parseSigned(*in.MinNet, site.Currency)
		faults.Add("minNet", err)
		q.MinNet = &least
	}
	for i := range in.VisitorIDs {
		faults.addID("visitorIds", &in.VisitorIDs[i])
	}
	q.Credit = in.credit(&faults)
	if in.Campaign != nil {
		if in.UtmCampaign != nil {
			faults.Add("campaign", Errorf(CodeConflictingFields, "", "is another name of utmCampaign: send one of them"))
		}
		faults.Add("campaign", CheckName(*in.Campaign))
		q.Credit.Keys[DimensionUtmCampaign] = *in.Campaign
	}
	q.VisitorIDs = in.VisitorIDs
	return q, faults.Err()
}

// parseSigned reads an amount that may be negative, such as a net.
func parseSigned(d Decimal, c Currency) (Sum, error) {
	digits, negative := strings.CutPrefix(string(d), "-")
	amount, err := ParseDecimal(digits)
	if err != nil {
		return Sum{}, err
	}
	money, err := NewMoney(amount, c)
	if err != nil {
		return Sum{}, err
	}
	if negative {
		return SumOf(money).Neg(), nil
	}
	return SumOf(money), nil
}

// VisitorRevenueQuery is a checked question for visitors and their revenue.
type VisitorRevenueQuery struct {
	RevenueQuery
	VisitorIDs []string // nil means all
	MinNet     *Sum
	Order      VisitorRevenueOrder
	Page       Page
}
