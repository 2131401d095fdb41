package db

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// RecordVisit adds a pageview to the visit that it belongs to, or starts another one with it: see
// model.Visit.Place. Errors: CodeEventLimitReached.
func (s *Store) RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error) {
	var payload model.RecordVisitPayload
	err := s.onLedger(ctx, site, beside, func(ctx context.Context, r recorder) error {
		if r.alone {
			if err := r.lock(ctx, nil); err != nil {
				return err
			}
		}
		visitor, err := r.meet(ctx, visitorRow{
			WebsiteID: site.ID, ID: view.VisitorID, FirstSeenAt: view.StartedAt, LastSeenAt: view.LastSeenAt,
			VisitCount: 1, // of one who is new: the pageview starts the first visit
		})
		if err != nil {
			return err
		}
		visit, outcome, err := r.place(ctx, visitor, view)
		if err != nil {
			return err
		}
		if outcome == model.ViewStarts && !visitor.IsNew {
			visitor.VisitCount++
		}
		v := visitor.toModel()
		payload = model.RecordVisitPayload{Visit: &visit, Visitor: &v}
		if outcome == model.ViewRepeats {
			return nil
		}
		if err := r.writeVisit(ctx, visit, outcome, visitor.IsNew); err != nil {
			return err
		}
		return r.countEvent(ctx, now)
	})
	if err != nil {
		return nil, err
	}
	return &payload, nil
}

// meet makes or updates a visitor and holds its row, so that its pageviews and events are recorded one after
// the other. Payments that waited for a visitor who is new follow.
func (r recorder) meet(ctx context.Context, row visitorRow) (visitorRow, error) {
	_, err := r.tx.NewInsert().Model(&row).On("CONFLICT (website_id, id) DO UPDATE").
		Set("first_seen_at = least(v.first_seen_at, EXCLUDED.first_seen_at)").
		Set("last_seen_at = greatest(v.last_seen_at, EXCLUDED.last_seen_at)").
		Returning("*, xmax = 0 AS is_new").Exec(ctx)
	if err == nil && row.IsNew {
		err = r.followSeen(ctx, row.ID)
	}
	return row, err
}

// countEvent counts one event towards the account's limit, if it has one. Errors: CodeEventLimitReached.
func (r recorder) countEvent(ctx context.Context, now time.Time) error {
	if r.site.EventLimit == 0 {
		return nil
	}
	result, err := r.tx.NewRaw(`INSERT INTO account_usage AS u (account_id, month, events) VALUES (?, ?, 1)
		ON CONFLICT (account_id, month) DO UPDATE SET events = u.events + 1 WHERE u.events < ?`,
		r.site.AccountID, month(now), r.site.EventLimit).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, model.ErrEventLimit(now))
	}
	return nil
}

// place finds the visit that a pageview of a visitor belongs to.
func (r recorder) place(ctx context.Context, visitor visitorRow, view model.Visit) (model.Visit, model.ViewOutcome, error) {
	var around model.Surroundings
	if !visitor.IsNew {
		var err error
		if around, err = r.surroundings(ctx, view); err != nil {
			return view, 0, err
		}
	}
	visit, outcome := view.Place(around)
	if outcome == model.ViewStarts {
		visit.ID = newID().String()
	}
	return visit, outcome, nil
}

// surroundings reads the visits next to a pageview, in one statement.
func (r recorder) surroundings(ctx context.Context, view model.Visit) (model.Surroundings, error) {
	var rows []struct {
		visitRow
		Place string
	}
	last := func(place string) *bun.SelectQuery {
		return r.visitsOf(view).ColumnExpr("? AS place", place).Where("started_at <= ?", view.StartedAt).
			OrderExpr("started_at DESC, id DESC").Limit(1)
	}
	next := func(place string) *bun.SelectQuery {
		return r.visitsOf(view).ColumnExpr("? AS place", place).Where("started_at > ?", view.StartedAt).
			OrderExpr("started_at, id").Limit(1)
	}
	union := last("last").UnionAll(next("next"))
	if view.SessionID != nil {
		union = union.UnionAll(last("last of session").Where("session_id = ?", *view.SessionID)).
			UnionAll(next("next of session").Where("session_id = ?", *view.SessionID))
	}
	if err := union.Scan(ctx, &rows); err != nil {
		return model.Surroundings{}, err
	}
	var around model.Surroundings
	places := map[string]**model.Visit{
		"last": &around.Last, "next": &around.Next, "last of session": &around.LastOfSession, "next of session": &around.NextOfSession,
	}
	for i := range rows {
		visit := rows[i].toModel()
		*places[rows[i].Place] = &visit
	}
	return around, nil
}

// visitsOf selects the visits of a pageview's visitor.
func (r recorder) visitsOf(view model.Visit) *bun.SelectQuery {
	return r.tx.NewSelect().TableExpr("visits AS t").ColumnExpr("t.*").
		Where("website_id = ? AND visitor_id = ?", view.WebsiteID, view.VisitorID)
}

// writeVisit writes a visit that a pageview has started or changed.
func (r recorder) writeVisit(ctx context.Context, visit model.Visit, outcome model.ViewOutcome, isFirst bool) error {
	row := newVisitRow(&visit)
	if outcome == model.ViewContinues {
		_, err := r.tx.NewUpdate().Model(&row).ExcludeColumn("website_id", "id", "visitor_id", "session_id").
			Where("website_id = ? AND id = ?", row.WebsiteID, row.ID).Exec(ctx)
		return err
	}
	if _, err := r.tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx); err != nil || isFirst {
		return err
	}
	_, err := r.tx.NewUpdate().Model((*visitorRow)(nil)).Set("visit_count = visit_count + 1").
		Where("website_id = ? AND id = ?", row.WebsiteID, row.VisitorID).Exec(ctx)
	return err
}
