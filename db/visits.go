package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// RecordVisit adds a pageview to the visitor's current visit, or starts another one with it; see
// model.Visit.Continues. The same session id always continues the same visit, and one that comes back
// with another session id continues the visit before it. Errors:
// CodeEventLimitReached.
func (s *Store) RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error) {
	var payload model.RecordVisitPayload
	err := s.onLedger(ctx, site, beside, func(ctx context.Context, r recorder) error {
		tx := r.tx
		if r.alone {
			if err := r.lock(ctx, nil); err != nil {
				return err
			}
		}
		visitor, err := lockVisitor(ctx, tx, view)
		if err != nil {
			return err
		}
		if visitor.VisitCount == 0 {
			if err := r.followSeen(ctx, visitor.ID); err != nil {
				return err
			}
		}
		left, err := lockEventsLeft(ctx, tx, site, now)
		if err != nil {
			return err
		}
		if left == 0 {
			return model.ErrEventLimit(now)
		}
		visit, continued, err := continueVisit(ctx, tx, view)
		if err != nil {
			return err
		}
		if !continued {
			visit = newVisitRow(&view)
			if _, err := tx.NewInsert().Model(&visit).Returning("NULL").Exec(ctx); err != nil {
				return err
			}
			visitor.VisitCount++
			_, err := tx.NewUpdate().Model(&visitor).Set("visit_count = ?", visitor.VisitCount).
				Where("website_id = ? AND id = ?", site.ID, visitor.ID).Exec(ctx)
			if err != nil {
				return err
			}
		}
		v, vr := visit.toModel(), visitor.toModel()
		payload = model.RecordVisitPayload{Visit: &v, Visitor: &vr}
		return countEvents(ctx, tx, site, now, 1)
	})
	if err != nil {
		return nil, err
	}
	return &payload, nil
}

// lockVisitor makes or updates the visitor and holds its row, so that its pageviews are recorded one
// after the other.
func lockVisitor(ctx context.Context, tx bun.Tx, view model.Visit) (visitorRow, error) {
	row := visitorRow{WebsiteID: view.WebsiteID, ID: view.VisitorID, FirstSeenAt: view.StartedAt, LastSeenAt: view.LastSeenAt}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT (website_id, id) DO UPDATE").
		Set("first_seen_at = least(v.first_seen_at, EXCLUDED.first_seen_at)").
		Set("last_seen_at = greatest(v.last_seen_at, EXCLUDED.last_seen_at)").
		Returning("*").Exec(ctx)
	return row, err
}

// continueVisit finds the visit that the pageview belongs to and adds it there.
func continueVisit(ctx context.Context, tx bun.Tx, view model.Visit) (visitRow, bool, error) {
	current, found, err := currentVisit(ctx, tx, view)
	if err != nil || !found {
		return visitRow{}, false, err
	}
	var row visitRow
	err = tx.NewRaw(`UPDATE visits SET pageviews = pageviews + 1, last_seen_at = greatest(last_seen_at, ?)
		WHERE website_id = ? AND id = ? RETURNING *`, view.LastSeenAt, view.WebsiteID, current.ID).Scan(ctx, &row)
	return row, true, err
}

// currentVisit is the visit with the pageview's session, else the one that it continues. A session that
// is not known starts another visit, unless the visitor only comes back.
func currentVisit(ctx context.Context, tx bun.Tx, view model.Visit) (visitRow, bool, error) {
	var rows []visitRow
	ofVisitor := func() *bun.SelectQuery {
		return tx.NewSelect().Model(&rows).Where("website_id = ? AND visitor_id = ?", view.WebsiteID, view.VisitorID).Limit(1)
	}
	if view.SessionID != nil {
		if err := ofVisitor().Where("session_id = ?", *view.SessionID).Scan(ctx); err != nil {
			return visitRow{}, false, err
		}
		if len(rows) > 0 {
			return rows[0], true, nil
		}
		if !view.Returning {
			return visitRow{}, false, nil
		}
	}
	err := ofVisitor().Where("started_at <= ?", view.StartedAt).OrderExpr("started_at DESC, id DESC").Scan(ctx)
	if err != nil || len(rows) == 0 || !view.Continues(rows[0].toModel()) {
		return visitRow{}, false, err
	}
	return rows[0], true, nil
}

// VisitsOfVisitors lists the visits of each of several visitors, first one first, in one statement.
func (s *Store) VisitsOfVisitors(
	ctx context.Context, websiteID string, visitors []string, page model.Page,
) (map[string]*model.VisitConnection, error) {
	each := s.db.NewSelect().TableExpr("visits AS t").ColumnExpr("t.*").
		Where("t.website_id = ?", websiteID).Where("t.visitor_id = one.visitor").
		OrderExpr("t.started_at, t.id").Limit(int64(page.First) + 1)
	if !page.IsFirst() {
		each = each.Where("(t.started_at, t.id) > (?::timestamptz, ?::uuid)", page.After.Key, page.After.ID)
	}
	byVisitor, err := s.visitsOf(ctx, visitors, each, "q.started_at, q.id")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*model.VisitConnection, len(visitors))
	for _, visitor := range visitors {
		edges, info := model.Paginate(page, byVisitor[visitor],
			func(v *model.Visit) model.Cursor { return model.VisitOrder.Cursor(model.TimeKey(v.StartedAt), v.ID) },
			func(at string, v *model.Visit) model.VisitEdge { return model.VisitEdge{Cursor: at, Node: v} })
		pages[visitor] = &model.VisitConnection{Edges: edges, PageInfo: info}
	}
	return pages, nil
}

// FirstVisits are the first visits of visitors; one without a visit is left out.
func (s *Store) FirstVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error) {
	return s.oneVisit(ctx, websiteID, visitors, "t.started_at, t.id")
}

// LastVisits are the latest visits of visitors; one without a visit is left out.
func (s *Store) LastVisits(ctx context.Context, websiteID string, visitors []string) (map[string]*model.Visit, error) {
	return s.oneVisit(ctx, websiteID, visitors, "t.started_at DESC, t.id DESC")
}

func (s *Store) oneVisit(ctx context.Context, websiteID string, visitors []string, order string) (map[string]*model.Visit, error) {
	each := s.db.NewSelect().TableExpr("visits AS t").ColumnExpr("t.*").
		Where("t.website_id = ?", websiteID).Where("t.visitor_id = one.visitor").OrderExpr(order).Limit(1)
	byVisitor, err := s.visitsOf(ctx, visitors, each, "q.id")
	if err != nil {
		return nil, err
	}
	visits := make(map[string]*model.Visit, len(byVisitor))
	for visitor, one := range byVisitor {
		visits[visitor] = &one[0]
	}
	return visits, nil
}

// visitsOf runs a query on the visits of one.visitor for each of several visitors.
func (s *Store) visitsOf(ctx context.Context, visitors []string, each *bun.SelectQuery, order string) (map[string][]model.Visit, error) {
	var rows []visitRow
	err := s.db.NewRaw("SELECT q.* FROM unnest(ARRAY[?]::text[]) AS one (visitor) CROSS JOIN LATERAL (?) AS q ORDER BY "+order,
		list(visitors), each).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	byVisitor := map[string][]model.Visit{}
	for i := range rows {
		byVisitor[rows[i].VisitorID] = append(byVisitor[rows[i].VisitorID], rows[i].toModel())
	}
	return byVisitor, nil
}

// Visitors are the visitors with these ids. One that the website has not seen is not Seen; one that
// it also has no payment of is left out.
func (s *Store) Visitors(ctx context.Context, websiteID string, ids []string) (map[string]*model.Visitor, error) {
	if len(ids) == 0 {
		return map[string]*model.Visitor{}, nil
	}
	var rows []struct {
		Visitor     string
		FirstSeenAt *time.Time
		LastSeenAt  *time.Time
		VisitCount  int64
	}
	err := s.db.NewRaw(`SELECT one.visitor, v.first_seen_at, v.last_seen_at, coalesce(v.visit_count, 0) AS visit_count
		FROM unnest(ARRAY[?1]::text[]) AS one (visitor)
		LEFT JOIN visitors v ON v.website_id = ?0 AND v.id = one.visitor
		WHERE v.id IS NOT NULL OR EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.visitor_id = one.visitor)`,
		websiteID, list(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, translate(err)
	}
	visitors := make(map[string]*model.Visitor, len(rows))
	for _, row := range rows {
		visitors[row.Visitor] = &model.Visitor{
			WebsiteID: websiteID, ID: row.Visitor, Seen: row.FirstSeenAt != nil,
			FirstSeenAt: inUTC(row.FirstSeenAt), LastSeenAt: inUTC(row.LastSeenAt), VisitCount: int(row.VisitCount),
		}
	}
	return visitors, nil
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}
