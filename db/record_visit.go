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
	around, err := r.surroundings(ctx, visitor, view)
	if err != nil {
		return view, 0, err
	}
	visit, outcome := view.Place(around)
	if outcome == model.ViewStarts {
		visit.ID = newID().String()
	}
	return visit, outcome, nil
}

// surroundings reads the visits next to a pageview; mostly that is one, in one statement.
func (r recorder) surroundings(ctx context.Context, visitor visitorRow, view model.Visit) (model.Surroundings, error) {
	var around model.Surroundings
	if visitor.IsNew {
		return around, nil
	}
	var err error
	if around.Last, around.LastOfSession, err = r.neighbours(ctx, view, "started_at <= ?", "started_at DESC, id DESC"); err != nil {
		return around, err
	}
	if visitor.LastSeenAt.After(view.StartedAt) { // else nothing is later
		around.Next, around.NextOfSession, err = r.neighbours(ctx, view, "started_at > ?", "started_at, id")
	}
	return around, err
}

// neighbours are the nearest of the visitor's visits on one side of a pageview, and the nearest of
// these that is of its session.
func (r recorder) neighbours(ctx context.Context, view model.Visit, side, order string) (first, ofSession *model.Visit, err error) {
	var rows []visitRow
	visits := func() *bun.SelectQuery {
		return r.tx.NewSelect().Model(&rows).Where("website_id = ? AND visitor_id = ?", view.WebsiteID, view.VisitorID).
			Where(side, view.StartedAt).OrderExpr(order).Limit(1)
	}
	if err := visits().Scan(ctx); err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	nearest := rows[0].toModel()
	switch {
	case view.SessionID == nil:
		return &nearest, nil, nil
	case nearest.SessionID != nil && *nearest.SessionID == *view.SessionID:
		return &nearest, &nearest, nil
	}
	if err := visits().Where("session_id = ?", *view.SessionID).Scan(ctx); err != nil || len(rows) == 0 {
		return &nearest, nil, err
	}
	same := rows[0].toModel()
	return &nearest, &same, nil
}

// writeVisit writes a visit that a pageview has started or changed.
func (r recorder) writeVisit(ctx context.Context, visit model.Visit, outcome model.ViewOutcome, isFirst bool) error {
	row := newVisitRow(&visit)
	if outcome == model.ViewContinues || outcome == model.ViewOpens {
		columns := []string{"pageviews", "last_seen_at", "viewed", "viewed_at"}
		if outcome == model.ViewOpens {
			columns = append(columns, "started_at", "landing_page", "referrer", "source", "channel",
				"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "ref", "ad_click")
		}
		_, err := r.tx.NewUpdate().Model(&row).Column(columns...).Where("website_id = ? AND id = ?", row.WebsiteID, row.ID).Exec(ctx)
		return err
	}
	if _, err := r.tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx); err != nil || isFirst {
		return err
	}
	_, err := r.tx.NewUpdate().Model((*visitorRow)(nil)).Set("visit_count = visit_count + 1").
		Where("website_id = ? AND id = ?", row.WebsiteID, row.VisitorID).Exec(ctx)
	return err
}
