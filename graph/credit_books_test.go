package graph_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tributary/model"
)

// creditBooks are visits and payments that are kept in memory, and credited by model.Weights and
// model.Allocate.
type creditBooks struct {
	visits  []bookedVisit // in the order in which they were recorded
	entries []bookedEntry
}

type bookedVisit struct {
	visitor string
	at      time.Time
	keys    map[model.Dimension]string
}

type bookedEntry struct {
	id, charge string // transaction ids
	kind       model.PaymentKind
	visitor    string // "" for none
	at         time.Time
	amount     model.Money
	reporting  *model.Money
}

// credit is the part of an entry that is credited to a visit; the visit is nil for an entry without one.
type credit struct {
	entry     *bookedEntry
	visit     *bookedVisit
	amount    int64
	reporting int64
}

// credits divides each entry.
func (k *creditBooks) credits(m model.AttributionModel, window time.Duration) []credit {
	var all []credit
	for i := range k.entries {
		e := &k.entries[i]
		visitor, at := e.visitor, e.at
		var before []bookedEntry // refunds of the same charge
		if e.kind == model.KindRefund {
			if c := k.charge(e.charge); c != nil {
				visitor, at = c.visitor, c.at
				before = k.refundsBefore(e)
			}
		}
		touches := k.touches(visitor, at, window)
		if len(touches) == 0 {
			c := credit{entry: e, amount: e.amount.Minor}
			if e.reporting != nil {
				c.reporting = e.reporting.Minor
			}
			all = append(all, c)
			continue
		}
		weights := model.Weights(m, asTouches(touches))
		var amount, reporting int64
		for _, b := range before {
			amount += b.amount.Minor
			if b.reporting != nil {
				reporting += b.reporting.Minor
			}
		}
		amounts := taken(amount, e.amount.Minor, weights)
		var reportings []int64
		if e.reporting != nil {
			reportings = taken(reporting, e.reporting.Minor, weights)
		}
		for j, visit := range touches {
			if weights[j] == 0 {
				continue
			}
			c := credit{entry: e, visit: visit, amount: amounts[j]}
			if e.reporting != nil {
				c.reporting = reportings[j]
			}
			all = append(all, c)
		}
	}
	return all
}

// taken is how an amount divides that comes after others of the same charge.
func taken(before, amount int64, weights []int64) []int64 {
	parts := model.Allocate(before+amount, weights)
	for i, part := range model.Allocate(before, weights) {
		parts[i] -= part
	}
	return parts
}

func (k *creditBooks) charge(id string) *bookedEntry {
	for i, e := range k.entries {
		if e.id == id && e.kind != model.KindRefund {
			return &k.entries[i]
		}
	}
	return nil
}

// refundsBefore are the refunds of a refund's charge that came before it. Of those of one time, the ids decide;
// they sort as the entries were recorded.
func (k *creditBooks) refundsBefore(refund *bookedEntry) []bookedEntry {
	var before []bookedEntry
	passed := false
	for i := range k.entries {
		e := &k.entries[i]
		passed = passed || e == refund
		if e.kind == model.KindRefund && e.charge == refund.charge && (e.at.Before(refund.at) || e.at.Equal(refund.at) && !passed) {
			before = append(before, *e)
		}
	}
	return before
}

func (k *creditBooks) touches(visitor string, at time.Time, window time.Duration) []*bookedVisit {
	var touches []*bookedVisit
	for i := range k.visits {
		v := &k.visits[i]
		if v.visitor == visitor && v.at.After(at.Add(-window)) && !v.at.After(at) {
			touches = append(touches, v)
		}
	}
	slices.SortStableFunc(touches, func(a, b *bookedVisit) int { return a.at.Compare(b.at) })
	return touches
}

func asTouches(visits []*bookedVisit) []model.Touch {
	touches := make([]model.Touch, len(visits))
	for i, v := range visits {
		touches[i] = model.Touch{StartedAt: v.at, Direct: v.keys[model.DimensionChannel] == "DIRECT"}
	}
	return touches
}

// sum adds credits up as the server shows revenue. Each entry counts once.
func sum(credits []credit) *model.Revenue {
	var parts []model.RevenuePart
	counted := map[*bookedEntry]bool{}
	for _, c := range credits {
		part := model.RevenuePart{
			Kind: c.entry.kind, Original: minor(c.amount, c.entry.amount.Currency),
			Converted: c.entry.reporting != nil, Reporting: minor(c.reporting, "USD"),
		}
		if !counted[c.entry] {
			part.Count, counted[c.entry] = 1, true
		}
		parts = append(parts, part)
	}
	return model.NewRevenue("USD", parts)
}

func minor(n int64, c model.Currency) model.Sum {
	if n < 0 {
		return model.SumOf(model.Money{Minor: -n, Currency: c}).Neg()
	}
	return model.SumOf(model.Money{Minor: n, Currency: c})
}

// groups are those of a dimension in the order of the list.
func (k *creditBooks) groups(credits []credit, d model.Dimension, in model.Range) []string {
	byKey, visitors := map[string][]credit{}, map[string]map[string]bool{}
	for _, v := range k.visits {
		if within(v.at, in) {
			key := v.keys[d]
			if visitors[key] == nil {
				visitors[key] = map[string]bool{}
			}
			visitors[key][v.visitor], byKey[key] = true, nil
		}
	}
	total := sum(credits).Net
	for _, c := range credits {
		if c.visit != nil {
			byKey[c.visit.keys[d]] = append(byKey[c.visit.keys[d]], c)
		}
	}
	var groups []*model.RevenueGroup
	for key, credits := range byKey {
		payers := map[string]bool{}
		for _, c := range credits {
			if c.entry.kind == model.KindCharge || c.entry.kind == model.KindRenewal {
				payers[c.entry.visitor] = true
			}
		}
		groups = append(groups, &model.RevenueGroup{Key: key, Revenue: sum(credits), Visitors: len(visitors[key]), Payers: len(payers), Total: total})
	}
	slices.SortFunc(groups, func(a, b *model.RevenueGroup) int {
		return cmp.Or(b.Revenue.Net.Cmp(a.Revenue.Net), cmp.Compare(b.Visitors, a.Visitors), cmp.Compare(a.Key, b.Key))
	})
	texts := []string{}
	for _, g := range groups {
		each, rate := "<nil>", "<nil>"
		if g.Visitors > 0 {
			each, rate = string(g.RevenuePerVisitor().Amount()), fmt.Sprint(*g.ConversionRate())
		}
		texts = append(texts, fmt.Sprintf("%q: %d visitors, %d payers, %v, %s, %s, %s", g.Key, g.Visitors, g.Payers, g.Share(), each, rate, revenueText(g.Revenue)))
	}
	return texts
}

func within(at time.Time, in model.Range) bool {
	return (in.From.IsZero() || !at.Before(in.From)) && (in.To.IsZero() || at.Before(in.To))
}

// revenueText is all of a revenue in one line.
func revenueText(r *model.Revenue) string {
	text := fmt.Sprint(r.Gross.Amount(), " - ", r.Refunded.Amount(), " = ", r.Net.Amount(), " of ", r.New.Amount(), " + ", r.Renewal.Amount(),
		"; ", r.Charges, " ", r.Renewals, " ", r.Refunds, " ", r.FreeTrials, ";")
	for _, c := range r.ByCurrency {
		text += fmt.Sprint(" ", c.Currency, " ", c.Gross.Amount(), " - ", c.Refunded.Amount(), " = ", c.Net.Amount())
	}
	text += ";"
	for _, s := range r.Unconverted {
		text += fmt.Sprint(" ", s.Currency(), " ", s.Amount())
	}
	return text
}

// revenueTextOf is revenueText of what the server has answered.
func revenueTextOf(value any) string {
	r := node{value}
	text := fmt.Sprint(r.at("gross.amount"), " - ", r.at("refunded.amount"), " = ", r.at("net.amount"), " of ", r.at("new.amount"), " + ", r.at("renewal.amount"),
		"; ", r.at("charges"), " ", r.at("renewals"), " ", r.at("refunds"), " ", r.at("freeTrials"), ";")
	for _, each := range r.at("byCurrency").([]any) {
		c := node{each}
		text += fmt.Sprint(" ", c.at("currency"), " ", c.at("gross.amount"), " - ", c.at("refunded.amount"), " = ", c.at("net.amount"))
	}
	text += ";"
	for _, each := range r.at("unconverted").([]any) {
		text += fmt.Sprint(" ", node{each}.at("currency"), " ", node{each}.at("amount"))
	}
	return text
}
