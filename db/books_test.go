package db_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tributary/model"
)

// entry is an entry of the books.
type entry struct {
	in       model.RecordPaymentInput
	kind     model.PaymentKind
	minor    int64
	occurred time.Time
}

func (e entry) charge() string {
	if e.kind == model.KindRefund && e.in.RefundOf != nil {
		return *e.in.RefundOf
	}
	return e.in.TransactionID
}

// books are a website's ledger, kept as simply as can be.
type books struct {
	entries map[model.EntryKey]entry
	seen    map[string]bool
}

func (k *books) record(in model.RecordPaymentInput) string {
	p, err := in.Validate(model.Website{Currency: "USD", Timezone: "UTC"}, now)
	if err != nil {
		return outcome(nil, err)
	}
	e := entry{in, p.Kind, p.Amount.Minor, p.OccurredAt}
	key := model.EntryKey{TransactionID: in.TransactionID, Refund: e.kind == model.KindRefund}
	if _, ok := k.entries[key]; ok {
		return "DUPLICATE"
	}
	with := maps.Clone(k.entries)
	with[key] = e
	if charge, ok := with[model.EntryKey{TransactionID: e.charge()}]; ok {
		limit := charge.minor
		if charge.kind == model.KindFreeTrial {
			limit = 0
		}
		for _, r := range with {
			if r.kind != model.KindRefund || r.charge() != e.charge() {
				continue
			}
			if r.in.Currency != charge.in.Currency {
				return "REFUND_CURRENCY_MISMATCH"
			}
			limit -= r.minor
		}
		if limit < 0 {
			return "REFUND_EXCEEDS_CHARGE"
		}
	}
	k.entries = with
	switch {
	case key.Refund:
		return "REFUNDED"
	case k.seen[k.visitor(e)]:
		return "ATTRIBUTED"
	}
	return "RECORDED"
}

// visitor is who an entry is credited to: the one that came with it, else that of its charge.
func (k *books) visitor(e entry) string {
	if e.in.VisitorID != nil {
		return *e.in.VisitorID
	}
	if charge, ok := k.entries[model.EntryKey{TransactionID: e.charge()}]; ok && charge.in.VisitorID != nil {
		return *charge.in.VisitorID
	}
	return ""
}

func (k *books) delete(d model.Deletion) int {
	left := maps.Clone(k.entries)
	maps.DeleteFunc(left, func(key model.EntryKey, e entry) bool {
		return (d.TransactionID == nil || *d.TransactionID == key.TransactionID) &&
			(d.VisitorID == nil || *d.VisitorID == k.visitor(e)) &&
			(d.Range.From.IsZero() || !e.occurred.Before(d.Range.From) && e.occurred.Before(d.Range.To))
	})
	deleted := len(k.entries) - len(left)
	k.entries = left
	return deleted
}

func (k *books) totals(visitor string) string {
	counts := map[model.PaymentKind]int{}
	sums := map[model.Currency][2]int64{}
	for _, e := range k.entries {
		if visitor != "" && k.visitor(e) != visitor {
			continue
		}
		counts[e.kind]++
		sum := sums[e.in.Currency]
		switch e.kind {
		case model.KindCharge, model.KindRenewal:
			sum[0] += e.minor
		case model.KindRefund:
			sum[1] += e.minor
		default:
			continue
		}
		sums[e.in.Currency] = sum
	}
	text := fmt.Sprint(counts[model.KindCharge], counts[model.KindRenewal], counts[model.KindRefund], counts[model.KindFreeTrial])
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		text += fmt.Sprint(" ", c, " ", sums[c][0], "-", sums[c][1])
	}
	return text
}
