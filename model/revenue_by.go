package model

import "strings"

// RevenueGroup is the revenue that is credited to the visits with one key, and these visits.
type RevenueGroup struct {
	Key     string
	Revenue *Revenue
	// Visitors are those with a visit of this key that started in the range.
	Visitors int
	// Payers are the visitors with a charge or renewal in the range that is credited here.
	Payers int
	// Total is the net revenue of all groups and of what is credited to none.
	Total Sum
	// OrderKey is the value that the list was ordered by, for its cursor: net revenue and visitors.
	OrderKey string
}

// Share is the group's part of all net revenue; 0 unless that is above 0.
func (g *RevenueGroup) Share() float64 {
	if g.Total.Sign() <= 0 {
		return 0
	}
	return g.Revenue.Net.ratio(g.Total)
}

// RevenuePerVisitor is the net revenue by visitor, half-even to the minor unit; nil without visitors.
func (g *RevenueGroup) RevenuePerVisitor() *Sum {
	if g.Visitors == 0 {
		return nil
	}
	each := g.Revenue.Net.div(int64(g.Visitors))
	return &each
}

// ConversionRate is Payers by visitor; nil without visitors. It is above 1 when more paid than came in
// the range.
func (g *RevenueGroup) ConversionRate() *float64 {
	if g.Visitors == 0 {
		return nil
	}
	rate := float64(g.Payers) / float64(g.Visitors)
	return &rate
}

// RevenueByQuery is a checked question for revenue by dimension.
type RevenueByQuery struct {
	Dimension   Dimension
	Attribution Attribution
	Range       Range
	Page        Page
}

// Query checks a question for revenue by the dimension. By default it is asked with ModelFirstTouch and
// DefaultWindow, for all time. Errors: CodeInvalidField, CodeInvalidRange, and those of NewPage.
func (d Dimension) Query(site Website, model *AttributionModel, windowDays *int, r *TimeRange, first *int, after *string) (RevenueByQuery, error) {
	var faults Faults
	q := RevenueByQuery{Dimension: d}
	faults.Add("dimension", d.validate())
	q.Attribution = newAttribution(model, windowDays, &faults)
	var err error
	q.Range, err = r.In(site.Location())
	faults.Add("range", err)
	q.Page, err = NewPage(first, after, q.order())
	faults.Add("", err)
	return q, faults.Err()
}

// Cursor is the place of a group in the list.
func (q RevenueByQuery) Cursor(g *RevenueGroup) Cursor { return q.order().Cursor(g.OrderKey, g.Key) }

// order is that of the list: by RevenueGroup.OrderKey and key.
func (q RevenueByQuery) order() ListOrder {
	return ListOrder{
		name: "BY " + string(q.Dimension),
		isKey: func(text string) bool {
			net, visitors, _ := strings.Cut(text, " ")
			return isWhole(net) && isCount(visitors)
		},
		isID: func(id string) bool { return CheckName(id) == nil },
	}
}
