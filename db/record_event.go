package db

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"

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

// touch keeps the visits that events belong to from ending, and answers their ids by the event's number; one
// that belongs to none has none.
func (r recorder) touch(ctx context.Context, events []model.NewEvent) (map[int]*string, error) {
	visitors, sessions := make([]string, len(events)), make([]*string, len(events))
	times, since := make([]time.Time, len(events)), make([]time.Time, len(events))
	for n, e := range events {
		visitors[n], sessions[n], times[n], since[n] = e.VisitorID, e.SessionID, e.OccurredAt, e.OccurredAt.Add(-model.VisitIdle)
	}
	current := r.tx.NewSelect().TableExpr("visits AS c").Column("c.id").
		Where("c.website_id = ? AND c.visitor_id = one.visitor AND c.started_at <= one.at", r.site.ID).
		OrderExpr("c.started_at DESC, c.id DESC").Limit(1)
	var rows []struct {
		N  int
		ID string `bun:"type:uuid"`
	}
	err := r.tx.NewRaw(`UPDATE visits t SET last_seen_at = greatest(t.last_seen_at, e.at)
		FROM (SELECT one.*, CASE WHEN one.session IS NULL THEN (?5) ELSE (?6) END AS visit
			FROM unnest(?1::text[], ?2::text[], ?3::timestamptz[], ?4::timestamptz[])
				WITH ORDINALITY AS one (visitor, session, at, since, n)) AS e
		WHERE t.website_id = ?0 AND t.id = e.visit AND t.last_seen_at >= e.since RETURNING e.n - 1 AS n, t.id`,
		r.site.ID, pgdialect.Array(visitors), pgdialect.Array(sessions), pgdialect.Array(times), pgdialect.Array(since),
		current, current.Clone().Where("c.session_id = one.session")).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	touched := make(map[int]*string, len(rows))
	for _, row := range rows {
		touched[row.N] = &row.ID
	}
	return touched, nil
}
