package db

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// buildStep is how many entries are added up in one transaction, or how many rows of rollups are cleared.
// Recording waits for a step.
const buildStep = 1000

// ledgerRollups are the rollups of entries p, as the ledger says.
func ledgerRollups(db bun.IDB, entries *bun.SelectQuery) *bun.SelectQuery {
	return db.NewSelect().TableExpr("(?) AS p", entries).
		Join("CROSS JOIN (VALUES ('" + spanDay + "', 'day'), ('" + spanHour + "', 'hour')) AS s (span, unit)").
		ColumnExpr("p.website_id, s.span, date_trunc(s.unit, p.occurred_at, 'UTC') AS starts_at").
		ColumnExpr("p.kind, p.currency, coalesce(p.reporting_currency, '') AS reporting_currency, count(*) AS count").
		ColumnExpr("sum(p.amount_minor) AS amount_minor, coalesce(sum(p.reporting_minor), 0) AS reporting_minor").
		GroupExpr("1, 2, 3, 4, 5, 6")
}

// ledgerVisitorRollups are the rollups of the visitors of entries p, as the ledger says.
func ledgerVisitorRollups(db bun.IDB, websiteID string, entries *bun.SelectQuery) *bun.SelectQuery {
	visitors := sumVisitors(db.NewSelect().TableExpr("(?) AS p", entries))
	return db.NewSelect().TableExpr("(?) AS v", visitors).ColumnExpr("? AS website_id, v.*", websiteID)
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
		var until *time.Time
		err := s.onLedger(ctx, model.Website{ID: websiteID}, alone, func(ctx context.Context, r recorder) (err error) {
			until, err = r.buildStep(ctx)
			return err
		})
		if err != nil || until == nil {
			return err
		}
		if progress != nil {
			progress(model.RollupProgress{Until: until.UTC()})
		}
	}
}

// RebuildRollups clears a website's rollups and builds them again, as BuildRollups does. Meanwhile reports read the
// ledger. Errors: CodeWebsiteNotFound.
func (s *Store) RebuildRollups(ctx context.Context, websiteID string, progress func(model.RollupProgress)) error {
	err := s.onLedger(ctx, model.Website{ID: websiteID}, alone, func(ctx context.Context, r recorder) error {
		return r.setRollupsUntil(ctx, &model.EarliestPayment)
	})
	if err != nil {
		return err
	}
	return s.BuildRollups(ctx, websiteID, progress)
}

// buildStep clears some of what is left of former rollups or, if nothing is, adds up the entries that come
// next. It answers when those occurred that are still to come; nil when none are.
func (r recorder) buildStep(ctx context.Context) (*time.Time, error) {
	until, err := rollupsUntil(ctx, r.tx, r.site.ID)
	if err != nil || until == nil {
		return nil, err
	}
	if until.Equal(model.EarliestPayment) {
		if isCleared, err := r.clearRollups(ctx); err != nil || !isCleared {
			return until, err
		}
	}
	next, err := r.afterStep(ctx, *until)
	if err != nil {
		return nil, err
	}
	entries := ledgerUntil(r.tx, r.site.ID, next).Where("p.occurred_at >= ?", *until)
	if _, err := addRollups(r.tx.NewInsert().Model((*rollupRow)(nil)).With("ledger", ledgerRollups(r.tx, entries)).
		Column(rollupColumns...).TableExpr("ledger")).Exec(ctx); err != nil {
		return nil, err
	}
	if _, err := addVisitorRollups(r.tx.NewInsert().Model((*visitorRollupRow)(nil)).With("ledger", ledgerVisitorRollups(r.tx, r.site.ID, entries)).
		Column(visitorRollupColumns...).TableExpr("ledger")).Exec(ctx); err != nil {
		return nil, err
	}
	return next, r.setRollupsUntil(ctx, next)
}

// clearRollups deletes some of a website's rollups, and says whether there were none.
func (r recorder) clearRollups(ctx context.Context) (bool, error) {
	isCleared := true
	for _, table := range []bun.Ident{"rollups", "visitor_rollups"} {
		result, err := r.tx.NewRaw("DELETE FROM ?1 WHERE website_id = ?0 AND ctid IN (SELECT ctid FROM ?1 WHERE website_id = ?0 LIMIT ?2)",
			r.site.ID, table, buildStep).Exec(ctx)
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return false, err
		}
		isCleared = isCleared && n == 0
	}
	return isCleared, nil
}

// afterStep is when the first entries occurred that are left to the step after one that begins at from; nil if
// none are. Entries of one moment are in one step, however many.
func (r recorder) afterStep(ctx context.Context, from time.Time) (*time.Time, error) {
	var next []time.Time
	last := r.tx.NewSelect().TableExpr("payments AS p").ColumnExpr("p.occurred_at").Where("p.website_id = ?", r.site.ID).
		Where("p.occurred_at >= ?", from).OrderExpr("p.occurred_at").Limit(1).Offset(buildStep - 1)
	err := r.tx.NewSelect().TableExpr("payments AS p").ColumnExpr("p.occurred_at").Where("p.website_id = ?", r.site.ID).
		Where("p.occurred_at > (?)", last).OrderExpr("p.occurred_at").Limit(1).Scan(ctx, &next)
	if err != nil || len(next) == 0 {
		return nil, err
	}
	return &next[0], nil
}

// rollupsUntil is when the entries occurred that are not in the rollups yet; nil if all are. Errors:
// CodeWebsiteNotFound.
func rollupsUntil(ctx context.Context, db bun.IDB, websiteID string) (*time.Time, error) {
	var rows []struct{ RollupsUntil *time.Time }
	if err := db.NewRaw("SELECT rollups_until FROM websites WHERE id = ?", websiteID).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, model.ErrWebsiteNotFound()
	}
	return rows[0].RollupsUntil, nil
}

func (r recorder) setRollupsUntil(ctx context.Context, until *time.Time) error {
	result, err := r.tx.NewRaw("UPDATE websites SET rollups_until = ? WHERE id = ?", until, r.site.ID).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, error(model.ErrWebsiteNotFound()))
	}
	return nil
}

// ledgerUntil are a website's entries p that occurred before a time, or all.
func ledgerUntil(db bun.IDB, websiteID string, until *time.Time) *bun.SelectQuery {
	q := db.NewSelect().TableExpr("payments AS p").ColumnExpr("p.website_id, "+countedColumns).Where("p.website_id = ?", websiteID)
	if until != nil {
		q = q.Where("p.occurred_at < ?", *until)
	}
	return q
}
