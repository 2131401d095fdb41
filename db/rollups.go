package db

import (
	"cmp"
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// rollupRow is the sum over a website's entries of one kind and currency in one hour or day of UTC that are
// converted to the same currency.
type rollupRow struct {
	bun.BaseModel `bun:"table:rollups,alias:t"`

	WebsiteID string
	rollupKey
	Count          int64
	AmountMinor    exact `bun:"type:numeric"`
	ReportingMinor exact `bun:"type:numeric"`
}

type rollupKey struct {
	Span              string
	StartsAt          time.Time
	Kind              string
	Currency          string
	ReportingCurrency string // "" of what is not converted
}

func compareRollups(a, b rollupKey) int {
	return cmp.Or(cmp.Compare(a.Span, b.Span), a.StartsAt.Compare(b.StartsAt), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.ReportingCurrency, b.ReportingCurrency))
}

// The spans of rollups.
const (
	spanDay  = "DAY"
	spanHour = "HOUR"
)

// visitorRollupRow is the sum over all of a visitor's entries.
type visitorRollupRow struct {
	bun.BaseModel `bun:"table:visitor_rollups,alias:v"`

	WebsiteID      string
	VisitorID      string
	Entries        int64
	Payments       int64 // entries that bring money
	GrossMinor     exact `bun:"type:numeric"`
	RefundedMinor  exact `bun:"type:numeric"`
	FirstPaymentAt time.Time
	LastPaymentAt  time.Time
}

// addsToRollups and addsToVisitorRollups are how an INSERT adds its rows to what is kept.
const (
	addsToRollups = `ON CONFLICT ON CONSTRAINT rollups_pkey DO UPDATE SET
		count = rollups.count + EXCLUDED.count, amount_minor = rollups.amount_minor + EXCLUDED.amount_minor,
		reporting_minor = rollups.reporting_minor + EXCLUDED.reporting_minor`
	addsToVisitorRollups = `ON CONFLICT ON CONSTRAINT visitor_rollups_pkey DO UPDATE SET
		entries = visitor_rollups.entries + EXCLUDED.entries, payments = visitor_rollups.payments + EXCLUDED.payments,
		gross_minor = visitor_rollups.gross_minor + EXCLUDED.gross_minor,
		refunded_minor = visitor_rollups.refunded_minor + EXCLUDED.refunded_minor,
		first_payment_at = least(visitor_rollups.first_payment_at, EXCLUDED.first_payment_at),
		last_payment_at = greatest(visitor_rollups.last_payment_at, EXCLUDED.last_payment_at)`
)

// exact is a whole number of any size.
type exact struct{ model.Sum }

// Value implements driver.Valuer.
func (e exact) Value() (driver.Value, error) { return e.MinorString(), nil }

// add adds an amount of minor units, or takes it away if n is -1.
func (e *exact) add(minor, n int64) { e.Sum = e.Add(model.SumOf(model.Money{Minor: n * minor})) }

// counted is what rollups hold of an entry.
type counted struct {
	Kind              string
	Currency          string
	AmountMinor       int64
	ReportingCurrency *string
	ReportingMinor    *int64
	OccurredAt        time.Time
	VisitorID         *string
}

// in is what the entry is worth in a website's currency, if that is known: inCurrencyOf of one entry.
func (c *counted) in(currency model.Currency) *int64 {
	switch {
	case c.Currency == string(currency):
		return &c.AmountMinor
	case valueOr(c.ReportingCurrency) == string(currency):
		return c.ReportingMinor
	}
	return nil
}

const countedColumns = "p.kind, p.currency, p.amount_minor, p.reporting_currency, p.reporting_minor, p.occurred_at, p.visitor_id"

// ledgerChanges are the entries that a transaction adds to its website's ledger and takes away; one that is
// changed is taken away as it was and added as it is.
type ledgerChanges struct {
	extent  *rollupExtent // nil until it is read
	added   []counted
	removed []counted
}

// each are the changes, with 1 for what is added and -1 for what is removed.
func (c *ledgerChanges) each(yield func(entry counted, n int64) bool) {
	for _, part := range []struct {
		entries []counted
		n       int64
	}{{c.added, 1}, {c.removed, -1}} {
		for _, entry := range part.entries {
			if !yield(entry, part.n) {
				return
			}
		}
	}
}

// rollupExtent is what is in a website's rollups, while they are being built; nil means all.
type rollupExtent struct {
	RollupsUntil        *time.Time // entries that occurred before
	VisitorRollupsUntil *string    // visitors up to it, in order of their ids
}

// hasTime says whether an entry that occurred then is in the rollups of its hour and day.
func (e *rollupExtent) hasTime(t time.Time) bool {
	return e.RollupsUntil == nil || t.Before(*e.RollupsUntil)
}

// hasVisitor says whether the entries of a visitor are in his rollup.
func (e *rollupExtent) hasVisitor(id string) bool {
	return e.VisitorRollupsUntil == nil || id <= *e.VisitorRollupsUntil
}

// keepRollups brings the rollups up to date with the ledger, at the end of a transaction, so that nobody waits
// for their rows for long. All take them in one order, and those of spans, which all payments share, last.
func (r recorder) keepRollups(ctx context.Context) error {
	changes := r.changes
	if len(changes.added) == 0 && len(changes.removed) == 0 {
		return nil
	}
	if changes.extent == nil {
		extent, err := readExtent(ctx, r.tx, r.site.ID)
		if err != nil {
			return err
		}
		changes.extent = &extent
	}
	r.keepVisitors()
	r.keepSpans()
	return nil
}

func (r recorder) keepSpans() {
	sums, emptied := map[rollupKey]*rollupRow{}, map[rollupKey]bool{}
	for entry, n := range r.changes.each {
		if !r.changes.extent.hasTime(entry.OccurredAt) {
			continue
		}
		at := entry.OccurredAt.UTC()
		key := rollupKey{Kind: entry.Kind, Currency: entry.Currency, ReportingCurrency: valueOr(entry.ReportingCurrency)}
		for _, span := range [...]struct {
			name   string
			length time.Duration
		}{{spanDay, 24 * time.Hour}, {spanHour, time.Hour}} {
			key.Span, key.StartsAt = span.name, at.Truncate(span.length)
			sum := sums[key]
			if sum == nil {
				sum = &rollupRow{WebsiteID: r.site.ID, rollupKey: key}
				sums[key] = sum
			}
			sum.Count += n
			sum.AmountMinor.add(entry.AmountMinor, n)
			sum.ReportingMinor.add(valueOr(entry.ReportingMinor), n)
			if n < 0 {
				emptied[rollupKey{Span: key.Span, StartsAt: key.StartsAt}] = true
			}
		}
	}
	if len(sums) == 0 {
		return
	}
	rows := make([]rollupRow, 0, len(sums))
	for _, key := range slices.SortedFunc(maps.Keys(sums), compareRollups) {
		rows = append(rows, *sums[key])
	}
	r.tx.queue(insertion(rows, addsToRollups))
	if len(emptied) == 0 {
		return
	}
	names, starts := make([]string, 0, len(emptied)), make([]time.Time, 0, len(emptied))
	for key := range emptied {
		names, starts = append(names, key.Span), append(starts, key.StartsAt)
	}
	r.tx.queue(r.tx.NewRaw(`DELETE FROM rollups t USING unnest(?::text[], ?::timestamptz[]) AS one (span, starts_at)
		WHERE t.website_id = ? AND t.span = one.span AND t.starts_at = one.starts_at AND t.count = 0`,
		pgdialect.Array(names), pgdialect.Array(starts), r.site.ID))
}

func (r recorder) keepVisitors() {
	sums, left := map[string]*visitorRollupRow{}, map[string]bool{}
	for entry, n := range r.changes.each {
		if entry.VisitorID == nil || !r.changes.extent.hasVisitor(*entry.VisitorID) {
			continue
		}
		visitor, at := *entry.VisitorID, entry.OccurredAt
		sum := sums[visitor]
		if sum == nil {
			sum = &visitorRollupRow{WebsiteID: r.site.ID, VisitorID: visitor, FirstPaymentAt: at, LastPaymentAt: at}
			sums[visitor] = sum
		}
		sum.Entries += n
		switch model.PaymentKind(entry.Kind) {
		case model.KindCharge, model.KindRenewal:
			sum.Payments += n
			sum.GrossMinor.add(valueOr(entry.ReportingMinor), n)
		case model.KindRefund:
			sum.RefundedMinor.add(valueOr(entry.ReportingMinor), n)
		case model.KindFreeTrial:
		}
		if at.Before(sum.FirstPaymentAt) {
			sum.FirstPaymentAt = at
		}
		if at.After(sum.LastPaymentAt) {
			sum.LastPaymentAt = at
		}
		if n < 0 {
			left[visitor] = true
		}
	}
	if len(sums) == 0 {
		return
	}
	rows := make([]visitorRollupRow, 0, len(sums))
	for _, visitor := range slices.Sorted(maps.Keys(sums)) {
		rows = append(rows, *sums[visitor])
	}
	r.tx.queue(insertion(rows, addsToVisitorRollups))
	if len(left) > 0 {
		r.narrow(slices.Sorted(maps.Keys(left)))
	}
}

// narrow finds out when the payments of visitors who have lost some begin and end, and whether any are left.
func (r recorder) narrow(visitors []string) {
	r.tx.queue(r.tx.NewRaw("DELETE FROM visitor_rollups WHERE website_id = ? AND visitor_id IN (?) AND entries = 0", r.site.ID, list(visitors)))
	payments := r.tx.NewSelect().TableExpr("payments AS p").Where("p.website_id = ? AND p.visitor_id = v.visitor_id", r.site.ID)
	r.tx.queue(r.tx.NewRaw("UPDATE visitor_rollups v SET first_payment_at = (?2), last_payment_at = (?3) WHERE v.website_id = ?0 AND v.visitor_id IN (?1)",
		r.site.ID, list(visitors), payments.Clone().ColumnExpr("coalesce(min(p.occurred_at), v.first_payment_at)"),
		payments.ColumnExpr("coalesce(max(p.occurred_at), v.last_payment_at)")))
}

// valueOr is the value, or the zero value if there is none.
func valueOr[T any](value *T) T {
	if value == nil {
		var zero T
		return zero
	}
	return *value
}
