package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/model"
)

// pageview is a pageview of a website to record, at a time.
type pageview struct {
	site model.Website
	view model.Visit
	now  time.Time
}

// RecordVisit adds a pageview to the visit that it belongs to, or starts another one with it: see
// model.Visit.Place. Errors: CodeEventLimitReached.
func (s *Store) RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error) {
	one := pageview{site, view, now}
	if site.EventLimit == 0 {
		return s.views.ask(ctx, site.ID, one)
	}
	got := s.recordEach(ctx, []pageview{one})[0] // of a group, some might pass the limit, and others not
	return got.value, got.err
}

// recordGroup records pageviews of one website.
func (s *Store) recordGroup(ctx context.Context, group []pageview) []answer[*model.RecordVisitPayload] {
	answers := make([]answer[*model.RecordVisitPayload], len(group))
	var left []int // of group
	for i := range group {
		left = append(left, i)
	}
	for len(left) > 0 {
		var turn, later []int // a visitor has one pageview a turn
		visitors := map[string]bool{}
		for _, i := range left {
			if id := group[i].view.VisitorID; visitors[id] {
				later = append(later, i)
			} else {
				visitors[id] = true
				turn = append(turn, i)
			}
		}
		views := make([]pageview, len(turn))
		for n, i := range turn {
			views[n] = group[i]
		}
		for n, got := range s.recordEach(ctx, views) {
			answers[turn[n]] = got
		}
		left = later
	}
	return answers
}

// recordEach is recordViews with an answer for each. One that fails does not take others with it.
func (s *Store) recordEach(ctx context.Context, views []pageview) []answer[*model.RecordVisitPayload] {
	answers := make([]answer[*model.RecordVisitPayload], len(views))
	payloads, err := safely(func() ([]*model.RecordVisitPayload, error) { return s.recordViews(ctx, views[0].site, views) })
	fault := model.AsError(err)
	switch isDown := fault != nil && fault.Code == model.CodeUnavailable; {
	case err == nil:
		for i := range views {
			answers[i].value = payloads[i]
		}
	case len(views) == 1 || isDown:
		return answersTo[*model.RecordVisitPayload](len(views), err)
	default:
		for i := range views {
			answers[i] = s.recordEach(ctx, views[i:i+1])[0]
		}
	}
	return answers
}

// recordViews records pageviews of a website, each of another visitor, in one transaction.
func (s *Store) recordViews(ctx context.Context, site model.Website, views []pageview) ([]*model.RecordVisitPayload, error) {
	var payloads []*model.RecordVisitPayload
	err := s.onLedger(ctx, site, beside, func(ctx context.Context, r recorder) error {
		if r.alone {
			if err := r.lock(ctx, nil); err != nil {
				return err
			}
		}
		rows := make([]visitorRow, len(views))
		for i, v := range views {
			rows[i] = visitorRow{
				WebsiteID: site.ID, ID: v.view.VisitorID, FirstSeenAt: v.view.StartedAt, LastSeenAt: v.view.LastSeenAt,
				VisitCount: 1, // of one who is new: the pageview starts the first visit
			}
		}
		visitors, err := r.meet(ctx, rows)
		if err != nil {
			return err
		}
		around, err := r.surroundings(ctx, views, visitors)
		if err != nil {
			return err
		}
		var changes visitChanges
		payloads = make([]*model.RecordVisitPayload, len(views))
		for i, v := range views {
			visitor := visitors[v.view.VisitorID]
			visit, outcome := v.view.Place(around[i])
			if outcome == model.ViewStarts {
				visit.ID = newID().String()
			}
			if outcome == model.ViewStarts && !visitor.IsNew {
				visitor.VisitCount++
				changes.returned = append(changes.returned, visitor.ID)
			}
			known := visitor.toModel()
			payloads[i] = &model.RecordVisitPayload{Visit: &visit, Visitor: &known}
			changes.add(&visit, outcome)
			if outcome != model.ViewRepeats {
				if err := r.countEvent(ctx, v.now); err != nil {
					return err
				}
			}
		}
		return r.writeVisits(ctx, changes)
	})
	return payloads, err
}

// meet makes or updates visitors and holds their rows, so that the pageviews and events of one visitor are
// recorded one after the other. Payments that waited for visitors who are new follow.
func (r recorder) meet(ctx context.Context, rows []visitorRow) (map[string]visitorRow, error) {
	slices.SortFunc(rows, func(a, b visitorRow) int { return cmp.Compare(a.ID, b.ID) })
	_, err := r.tx.NewInsert().Model(&rows).On("CONFLICT (website_id, id) DO UPDATE").
		Set("first_seen_at = least(v.first_seen_at, EXCLUDED.first_seen_at)").
		Set("last_seen_at = greatest(v.last_seen_at, EXCLUDED.last_seen_at)").
		Returning("*, xmax = 0 AS is_new").Exec(ctx)
	if err != nil {
		return nil, err
	}
	visitors := make(map[string]visitorRow, len(rows))
	var fresh []string
	for _, row := range rows {
		visitors[row.ID] = row
		if row.IsNew {
			fresh = append(fresh, row.ID)
		}
	}
	return visitors, r.followSeen(ctx, fresh)
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
