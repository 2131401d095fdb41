package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// VisitsOfVisitors lists the visits of each of several visitors, first one first, in one statement.
func (s *Store) VisitsOfVisitors(
	ctx context.Context, websiteID string, visitors []string, page model.Page,
) (map[string]*model.VisitConnection, error) {
	byVisitor, err := s.visitsFrom(ctx, websiteID, visitors, page)
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

// visitsFrom are up to page.First+1 visits of each of several visitors, first one first.
func (s *Store) visitsFrom(ctx context.Context, websiteID string, visitors []string, page model.Page) (map[string][]model.Visit, error) {
	each := onward(s.db.NewSelect().TableExpr("visits AS t").ColumnExpr("t.*").
		Where("t.website_id = ?", websiteID).Where("t.visitor_id = one.visitor"), page, "t.started_at, t.id")
	return s.visitsOf(ctx, visitors, each, "q.started_at, q.id")
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
	if err := s.ofEach(ctx, visitors, each, order, &rows); err != nil {
		return nil, err
	}
	byVisitor := map[string][]model.Visit{}
	for i := range rows {
		byVisitor[rows[i].VisitorID] = append(byVisitor[rows[i].VisitorID], rows[i].toModel())
	}
	return byVisitor, nil
}

// ofEach reads what a query on one.visitor selects as q, for each of several visitors, in one statement.
func (s *Store) ofEach(ctx context.Context, visitors []string, each *bun.SelectQuery, order string, rows any) error {
	return translate(s.db.NewRaw("SELECT q.* FROM unnest(ARRAY[?]::text[]) AS one (visitor) CROSS JOIN LATERAL (?) AS q ORDER BY "+order,
		list(visitors), each).Scan(ctx, rows))
}

// onward orders rows by time and id, first one first, and limits them to those of a page, and the one that
// follows it.
func onward(q *bun.SelectQuery, page model.Page, timeAndID string) *bun.SelectQuery {
	if !page.IsFirst() {
		q = q.Where("("+timeAndID+") > (?::timestamptz, ?::uuid)", page.After.Key, page.After.ID)
	}
	return q.OrderExpr(timeAndID).Limit(int64(page.First) + 1)
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
		UserID      *string
		Name        *string
		Image       *string
	}
	err := s.db.NewRaw(`SELECT one.visitor, v.first_seen_at, v.last_seen_at, coalesce(v.visit_count, 0) AS visit_count, v.user_id, v.name, v.image
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
			Identity: toIdentity(row.UserID, row.Name, row.Image),
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
