package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`

	WebsiteID  string
	ID         string `bun:"type:uuid"`
	VisitorID  string
	VisitID    *string `bun:"type:uuid"`
	Type       string
	Name       *string
	Page       string
	Link       *string
	Properties *jsonText
	OccurredAt time.Time
}

func newEventRow(e *model.Event) (eventRow, error) {
	row := eventRow{
		WebsiteID: e.WebsiteID, ID: e.ID, VisitorID: e.VisitorID, Type: string(e.Type),
		VisitID: e.VisitID, Name: e.Name, Page: e.Page, Link: e.Link, OccurredAt: e.OccurredAt,
	}
	var err error
	row.Properties, err = newMetadataColumn(e.Properties)
	return row, err
}

func (r *eventRow) toModel() (model.Event, error) {
	e := model.Event{
		WebsiteID: r.WebsiteID, ID: r.ID, VisitorID: r.VisitorID, Type: model.EventType(r.Type),
		VisitID: r.VisitID, Name: r.Name, Page: r.Page, Link: r.Link, OccurredAt: r.OccurredAt.UTC(),
	}
	var err error
	e.Properties, err = toMetadata(r.Properties)
	return e, err
}

// EventsOfVisitors lists the events of each of several visitors, first one first, in one statement.
func (s *Store) EventsOfVisitors(
	ctx context.Context, websiteID string, visitors []string, page model.Page,
) (map[string]*model.EventConnection, error) {
	byVisitor, err := s.eventsFrom(ctx, websiteID, visitors, page, nil)
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*model.EventConnection, len(visitors))
	for _, visitor := range visitors {
		edges, info := model.Paginate(page, byVisitor[visitor],
			func(e *model.Event) model.Cursor { return model.EventOrder.Cursor(model.TimeKey(e.OccurredAt), e.ID) },
			func(at string, e *model.Event) model.EventEdge { return model.EventEdge{Cursor: at, Node: e} })
		pages[visitor] = &model.EventConnection{Edges: edges, PageInfo: info}
	}
	return pages, nil
}

// eventsFrom are up to page.First+1 events of each of several visitors, of the given types or all.
func (s *Store) eventsFrom(
	ctx context.Context, websiteID string, visitors []string, page model.Page, types []model.EventType,
) (map[string][]model.Event, error) {
	each := onward(s.db.NewSelect().Model((*eventRow)(nil)).ColumnExpr("e.*").
		Where("e.website_id = ?", websiteID).Where("e.visitor_id = one.visitor"), page, "e.occurred_at, e.id")
	if len(types) > 0 {
		each = each.Where("e.type IN (?)", list(types))
	}
	var rows []eventRow
	if err := s.ofEach(ctx, visitors, each, "q.occurred_at, q.id", &rows); err != nil {
		return nil, err
	}
	byVisitor := map[string][]model.Event{}
	for i := range rows {
		event, err := rows[i].toModel()
		if err != nil {
			return nil, err
		}
		byVisitor[event.VisitorID] = append(byVisitor[event.VisitorID], event)
	}
	return byVisitor, nil
}
