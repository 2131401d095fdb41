package db

import (
	"cmp"
	"context"
	"time"

	"tributary/model"
)

// happening is an event to record, at a time.
type happening struct {
	event model.NewEvent
	now   time.Time
}

// RecordEvent keeps what a visitor did. What it says of the visitor's identity replaces what was known; one
// that was known already, with the same attributes, is not kept as an event again. Customers whom nobody is
// known by become known by the visitor, and their earlier payments follow. Errors: CodeEventLimitReached.
func (s *Store) RecordEvent(ctx context.Context, site model.Website, event model.NewEvent, now time.Time) (*model.RecordEventPayload, error) {
	return recordOne(ctx, s.events, s.events.commit, site, happening{event, now})
}

func laneOfEvent(e happening) uint64 { return hash(e.event.VisitorID) }

// recordEvents records events of a website in one transaction.
func (s *Store) recordEvents(ctx context.Context, site model.Website, events []happening) ([]*model.RecordEventPayload, error) {
	var payloads []*model.RecordEventPayload
	err := s.recording(ctx, site, len(events), func(ctx context.Context, r recorder) error {
		claims := map[model.CustomerKey]string{}
		for _, e := range events {
			for _, key := range e.event.Customers {
				claims[key] = cmp.Or(claims[key], e.event.VisitorID)
			}
		}
		if len(claims) > 0 {
			r.lock(nil)
		}
		payloads = make([]*model.RecordEventPayload, len(events))
		for _, round := range rounds(events, func(e happening) string { return e.event.VisitorID }) {
			if err := r.recordEventRound(ctx, events, round, payloads); err != nil {
				return err
			}
		}
		return r.follow(ctx, byClaim, claims, nil)
	})
	return payloads, err
}

// recordEventRound records the events of a round and fills in their payloads.
func (r recorder) recordEventRound(ctx context.Context, events []happening, round []int, payloads []*model.RecordEventPayload) error {
	rows, own := make([]visitorRow, len(round)), make([]model.NewEvent, len(round))
	for n, i := range round {
		own[n] = events[i].event
		rows[n] = visitorRow{
			WebsiteID: r.site.ID, ID: own[n].VisitorID, FirstSeenAt: own[n].OccurredAt, LastSeenAt: own[n].OccurredAt,
		}
	}
	visitors, err := r.meet(ctx, rows)
	if err != nil {
		return err
	}
	visits, err := r.touch(ctx, own)
	if err != nil {
		return err
	}
	var kept []eventRow
	for n, event := range own {
		visitor := visitors[event.VisitorID]
		known := visitor.toModel()
		payloads[round[n]] = &model.RecordEventPayload{Visitor: &known}
		isNew, err := r.isNew(ctx, event, known.Identity)
		if err != nil {
			return err
		}
		if !isNew {
			continue
		}
		known.Identity = cmp.Or(event.Identity, known.Identity)
		added := event.Event
		added.ID, added.VisitID = newID(), visits[n]
		payloads[round[n]].Event = &added
		row, err := newEventRow(&added)
		if err != nil {
			return err
		}
		kept = append(kept, row)
		r.identify(event)
		if err := r.countEvent(ctx, events[round[n]].now); err != nil {
			return err
		}
	}
	if len(kept) == 0 {
		return nil
	}
	r.tx.queue(insertion(kept))
	return nil
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

// identify keeps the identity that an event tells, if it does, with the next query.
func (r recorder) identify(event model.NewEvent) {
	if who := event.Identity; who != nil {
		r.tx.queue(r.tx.NewUpdate().Model((*visitorRow)(nil)).Set("user_id = ?, name = ?, image = ?", who.UserID, who.Name, who.Image).
			Where("website_id = ? AND id = ?", event.WebsiteID, event.VisitorID))
	}
}

// keepsVisits is how an INSERT keeps visits that are there from ending.
const keepsVisits = "ON CONFLICT (website_id, id) DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at"

// touch keeps the visits that events belong to from ending, and answers their ids by the event's number; one
// that belongs to none has none.
func (r recorder) touch(ctx context.Context, events []model.NewEvent) (map[int]*string, error) {
	spots := make([]spot, len(events))
	for n, e := range events {
		spots[n] = spot{n, e.VisitorID, e.SessionID, e.OccurredAt}
	}
	var last []neighbour
	r.queueLast(&last, spots)
	if err := r.tx.send(ctx); err != nil {
		return nil, err
	}
	touched := make(map[int]*string, len(last))
	var kept []visitRow
	for _, found := range last {
		e := events[found.N]
		if found.OfSession != (e.SessionID != nil) || found.LastSeenAt.Before(e.OccurredAt.Add(-model.VisitIdle)) {
			continue
		}
		visit := found.visitRow
		touched[found.N] = &visit.ID
		if e.OccurredAt.After(visit.LastSeenAt) {
			visit.LastSeenAt = e.OccurredAt
			kept = append(kept, visit)
		}
	}
	if len(kept) > 0 {
		r.tx.queue(insertion(kept, keepsVisits))
	}
	return touched, nil
}
