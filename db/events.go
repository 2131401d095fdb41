package db

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"tributary/model"
)

type eventRow struct {
	bun.BaseModel `bun:"table:events,alias:e"`

	WebsiteID  string
	ID         uuid.UUID `bun:"type:uuid"`
	VisitorID  string
	VisitID    *uuid.UUID `bun:"type:uuid"`
	Type       string
	Name       *string
	Page       string
	Link       *string
	Properties *jsonText
	OccurredAt time.Time
}

func newEventRow(e *model.Event) (eventRow, error) {
	row := eventRow{
		WebsiteID: e.WebsiteID, ID: uuid.MustParse(e.ID), VisitorID: e.VisitorID, Type: string(e.Type),
		Name: e.Name, Page: e.Page, Link: e.Link, OccurredAt: e.OccurredAt,
	}
	if e.VisitID != nil {
		id := uuid.MustParse(*e.VisitID)
		row.VisitID = &id
	}
	var err error
	row.Properties, err = newMetadataColumn(e.Properties)
	return row, err
}

func (r *eventRow) toModel() (model.Event, error) {
	e := model.Event{
		WebsiteID: r.WebsiteID, ID: r.ID.String(), VisitorID: r.VisitorID, Type: model.EventType(r.Type),
		Name: r.Name, Page: r.Page, Link: r.Link, OccurredAt: r.OccurredAt.UTC(),
	}
	if r.VisitID != nil {
		id := r.VisitID.String()
		e.VisitID = &id
	}
	var err error
	e.Properties, err = toMetadata(r.Properties)
	return e, err
}

// RecordEvent keeps what a visitor did. What it says of the visitor's identity replaces what was known; one
// that was known already, with the same attributes, is not kept as an event again. Customers whom nobody is
// known by become known by the visitor, and their earlier payments follow. Errors: CodeEventLimitReached.
func (s *Store) RecordEvent(ctx context.Context, site model.Website, event model.NewEvent, now time.Time) (*model.RecordEventPayload, error) {
	leave, err := s.writing(ctx, site)
	if err != nil {
		return nil, err
	}
	defer leave()
	var payload model.RecordEventPayload
	err = s.onLedger(ctx, site, beside, func(ctx context.Context, r recorder) error {
		if len(event.Customers) > 0 {
			r.lock(nil)
		}
		visitors, err := r.meet(ctx, []visitorRow{{
			WebsiteID: site.ID, ID: event.VisitorID, FirstSeenAt: event.OccurredAt, LastSeenAt: event.OccurredAt,
		}})
		if err != nil {
			return err
		}
		visit, err := r.touch(ctx, event)
		if err != nil {
			return err
		}
		visitor := visitors[event.VisitorID]
		known := visitor.toModel()
		payload = model.RecordEventPayload{Visitor: &known}
		isNew, err := r.isNew(ctx, event, known.Identity)
		if err != nil {
			return err
		}
		if isNew {
			known.Identity = cmp.Or(event.Identity, known.Identity)
			if payload.Event, err = r.keep(ctx, event, visit, now); err != nil {
				return err
			}
		}
		return r.claim(ctx, event.VisitorID, event.Customers)
	})
	if err != nil {
		return nil, err
	}
	return &payload, nil
}

// isNew says whether an event tells anything: all do but an identity that is known already, with the
// attributes that came with it last, or none.
func (r recorder) isNew(ctx context.Context, event model.NewEvent, known *model.Identity) (bool, error) {
	switch {
	case event.Identity == nil, !event.Identity.Equal(known):
		return true, nil
	case len(event.Properties) == 0:
		return false, nil
	}
	var last []eventRow
	err := r.tx.NewSelect().Model(&last).Column("e.properties").
		Where("e.website_id = ? AND e.visitor_id = ? AND e.type = ?", event.WebsiteID, event.VisitorID, event.Type).
		OrderExpr("e.occurred_at DESC, e.id DESC").Limit(1).Scan(ctx)
	if err != nil || len(last) == 0 {
		return true, err
	}
	properties, err := toMetadata(last[0].Properties)
	return !event.Properties.Equal(properties), err
}

// touch keeps the visit that an event belongs to from ending, and answers its id; nil if there is none.
func (r recorder) touch(ctx context.Context, event model.NewEvent) (*string, error) {
	current := r.tx.NewSelect().TableExpr("visits AS t").Column("t.id").
		Where("website_id = ? AND visitor_id = ? AND started_at <= ?", event.WebsiteID, event.VisitorID, event.OccurredAt).
		OrderExpr("started_at DESC, t.id DESC").Limit(1)
	if event.SessionID != nil {
		current = current.Where("session_id = ?", *event.SessionID)
	}
	var touched []string
	err := r.tx.NewRaw(`UPDATE visits SET last_seen_at = greatest(last_seen_at, ?1)
		WHERE website_id = ?0 AND id = (?2) AND last_seen_at >= ?3 RETURNING id`,
		event.WebsiteID, event.OccurredAt, current, event.OccurredAt.Add(-model.VisitIdle)).Scan(ctx, &touched)
	if err != nil || len(touched) == 0 {
		return nil, err
	}
	return &touched[0], nil
}

// keep writes an event, and the identity that it tells.
func (r recorder) keep(ctx context.Context, event model.NewEvent, visit *string, now time.Time) (*model.Event, error) {
	kept := event.Event
	kept.ID, kept.VisitID = newID().String(), visit
	row, err := newEventRow(&kept)
	if err != nil {
		return nil, err
	}
	if _, err := r.tx.NewInsert().Model(&row).Returning("NULL").Exec(ctx); err != nil {
		return nil, err
	}
	if who := event.Identity; who != nil {
		_, err := r.tx.NewUpdate().Model((*visitorRow)(nil)).Set("user_id = ?, name = ?, image = ?", who.UserID, who.Name, who.Image).
			Where("website_id = ? AND id = ?", event.WebsiteID, event.VisitorID).Exec(ctx)
		if err != nil {
			return nil, err
		}
	}
	return &kept, r.countEvent(ctx, now)
}

// claim is late attribution by what a page says: customers whom nobody is known by become known by the
// visitor.
func (r recorder) claim(ctx context.Context, visitor string, customers []model.CustomerKey) error {
	if len(customers) == 0 {
		return nil
	}
	links := map[model.CustomerKey]string{}
	for _, key := range customers {
		links[key] = visitor
	}
	r.claims = true
	return r.follow(ctx, links, nil)
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
