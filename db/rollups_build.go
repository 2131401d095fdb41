package db

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

const (
	// buildStep is how many entries are added up in one transaction, for which recording waits.
	buildStep = 10_000
	// clearStep is how many rows of former rollups are deleted in one transaction.
	clearStep = 1000
)

// ledgerRollups are the rollups of hours and days that entries p, which ledger selects, add up to.
func ledgerRollups(db querier, websiteID string, entries *bun.SelectQuery) *bun.SelectQuery {
	return db.NewSelect().TableExpr("(?) AS p", entries.ColumnExpr("p.*")).
		Join("CROSS JOIN (VALUES ('"+spanDay+"', 'day'), ('"+spanHour+"', 'hour')) AS s (span, unit)").
		ColumnExpr("? AS website_id, s.span, date_trunc(s.unit, p.occurred_at, 'UTC') AS starts_at", websiteID).
		ColumnExpr("p.kind, p.currency, coalesce(p.reporting_currency, '') AS reporting_currency, count(*) AS count").
		ColumnExpr("sum(p.amount_minor) AS amount_minor, coalesce(sum(p.reporting_minor), 0) AS reporting_minor").
		GroupExpr("2, 3, 4, 5, 6")
}

// ledgerVisitorRollups are the rollups of visitors that entries p, which ledger selects, add up to.
func ledgerVisitorRollups(db querier, websiteID string, entries *bun.SelectQuery) *bun.SelectQuery {
	return db.NewSelect().TableExpr("(?) AS v", sumVisitors(entries)).ColumnExpr("? AS website_id, v.*", websiteID)
}

// The columns of both.
var (
	rollupColumns        = []string{"website_id", "span", "starts_at", "kind", "currency", "reporting_currency", "count", "amount_minor", "reporting_minor"}
	visitorRollupColumns = []string{"website_id", "visitor_id", "entries", "payments", "gross_minor", "refunded_minor", "first_payment_at", "last_payment_at"}
)

// BuildRollups adds up what a website's rollups lack: all entries that were recorded before there were rollups, or
// since they were cleared. It works in steps beside those who record, of which each stands if a later one
// fails; to repeat it goes on. After each step progress, if any, is told how far it is. Errors:
// CodeWebsiteNotFound.
func (s *Store) BuildRollups(ctx context.Context, websiteID string, progress func(model.RollupProgress)) error {
	for {
		var extent rollupExtent
		err := s.onLedger(ctx, model.Website{ID: websiteID}, alone, func(ctx context.Context, r recorder) (err error) {
			if extent, err = readExtent(ctx, r.tx, r.site.ID); err != nil {
				return err
			}
			switch {
			case extent.RollupsUntil != nil:
				return r.buildSpans(ctx, &extent)
			case extent.VisitorRollupsUntil != nil:
				return r.buildVisitors(ctx, &extent)
			}
			return nil
		})
		if err != nil || extent == (rollupExtent{}) {
			return err
		}
		if progress != nil {
			progress(model.RollupProgress{Until: valueOr(extent.RollupsUntil).UTC(), Visitor: valueOr(extent.VisitorRollupsUntil)})
		}
	}
}

// RebuildRollups clears a website's rollups and builds them again, as BuildRollups does. Meanwhile reports read the
// ledger. Errors: CodeWebsiteNotFound.
func (s *Store) RebuildRollups(ctx context.Context, websiteID string, progress func(model.RollupProgress)) error {
	err := s.onLedger(ctx, model.Website{ID: websiteID}, alone, func(ctx context.Context, r recorder) error {
		return r.writeExtent(ctx, rollupExtent{&model.EarliestPayment, new(string)})
	})
	if err != nil {
		return err
	}
	return s.BuildRollups(ctx, websiteID, progress)
}

// buildSpans is a step of building those of hours and days, in order of time. Entries of one moment are in one
// step, however many.
func (r recorder) buildSpans(ctx context.Context, extent *rollupExtent) error {
	from := *extent.RollupsUntil
	if from.Equal(model.EarliestPayment) {
		if isCleared, err := r.clear(ctx, "rollups"); err != nil || !isCleared {
			return err
		}
	}
	var next []time.Time
	last := ledger(r.tx, r.site.ID).ColumnExpr("p.occurred_at").Where("p.occurred_at >= ?", from).
		OrderExpr("p.occurred_at").Limit(1).Offset(buildStep - 1)
	err := ledger(r.tx, r.site.ID).ColumnExpr("p.occurred_at").Where("p.occurred_at > (?)", last).
		OrderExpr("p.occurred_at").Limit(1).Scan(ctx, &next)
	if err != nil {
		return err
	}
	extent.RollupsUntil = first(next)
	entries := extent.ofSpans(ledger(r.tx, r.site.ID)).Where("p.occurred_at >= ?", from)
	r.tx.queue(r.tx.NewRaw("? "+addsToRollups, r.tx.NewInsert().Model((*rollupRow)(nil)).With("ledger", ledgerRollups(r.tx, r.site.ID, entries)).
		Column(rollupColumns...).TableExpr("ledger")))
	return r.writeExtent(ctx, *extent)
}

// buildVisitors is a step of building those of visitors, in order of their ids.
func (r recorder) buildVisitors(ctx context.Context, extent *rollupExtent) error {
	from := *extent.VisitorRollupsUntil
	if from == "" {
		if isCleared, err := r.clear(ctx, "visitor_rollups"); err != nil || !isCleared {
			return err
		}
	}
	var next []string
	err := ledger(r.tx, r.site.ID).ColumnExpr("p.visitor_id").Where("p.visitor_id > ?", from).
		OrderExpr("p.visitor_id").Limit(1).Offset(buildStep-1).Scan(ctx, &next)
	if err != nil {
		return err
	}
	extent.VisitorRollupsUntil = first(next)
	entries := extent.ofVisitors(ledger(r.tx, r.site.ID)).Where("p.visitor_id > ?", from)
	r.tx.queue(r.tx.NewRaw("? "+addsToVisitorRollups, r.tx.NewInsert().Model((*visitorRollupRow)(nil)).With("ledger", ledgerVisitorRollups(r.tx, r.site.ID, entries)).
		Column(visitorRollupColumns...).TableExpr("ledger")))
	return r.writeExtent(ctx, *extent)
}

// clear deletes some of a website's former rollups, and says whether there were none.
func (r recorder) clear(ctx context.Context, table bun.Ident) (bool, error) {
	result, err := r.tx.NewRaw("DELETE FROM ?1 WHERE website_id = ?0 AND ctid IN (SELECT ctid FROM ?1 WHERE website_id = ?0 LIMIT ?2)",
		r.site.ID, table, clearStep).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 0, err
}

// readExtent reads how far a website's rollups are. Errors: CodeWebsiteNotFound.
func readExtent(ctx context.Context, db querier, websiteID string) (rollupExtent, error) {
	var rows []rollupExtent
	err := db.NewRaw("SELECT rollups_until, visitor_rollups_until FROM websites WHERE id = ?", websiteID).Scan(ctx, &rows)
	if err == nil && len(rows) == 0 {
		err = model.ErrWebsiteNotFound()
	}
	return append(rows, rollupExtent{})[0], err
}

func (r recorder) writeExtent(ctx context.Context, extent rollupExtent) error {
	result, err := r.tx.NewRaw("UPDATE websites SET rollups_until = ?, visitor_rollups_until = ? WHERE id = ?",
		extent.RollupsUntil, extent.VisitorRollupsUntil, r.site.ID).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, error(model.ErrWebsiteNotFound()))
	}
	return nil
}

// ledger selects a website's entries as p.
func ledger(db querier, websiteID string) *bun.SelectQuery {
	return db.NewSelect().TableExpr("payments AS p").Where("p.website_id = ?", websiteID)
}

// ofSpans limits entries p to those that are in the rollups of hours and days.
func (e *rollupExtent) ofSpans(entries *bun.SelectQuery) *bun.SelectQuery {
	if e.RollupsUntil == nil {
		return entries
	}
	return entries.Where("p.occurred_at < ?", *e.RollupsUntil)
}

// ofVisitors limits entries p to those that are in the rollups of visitors.
func (e *rollupExtent) ofVisitors(entries *bun.SelectQuery) *bun.SelectQuery {
	if e.VisitorRollupsUntil == nil {
		return entries
	}
	return entries.Where("p.visitor_id <= ?", *e.VisitorRollupsUntil)
}

// first is the first of some values; nil if there is none.
func first[T any](values []T) *T {
	if len(values) == 0 {
		return nil
	}
	return &values[0]
}
