package db

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"tributary/model"
)

// pageview is a pageview to record, at a time.
type pageview struct {
	view model.Visit
	now  time.Time
}

// RecordVisit adds a pageview to the visit that it belongs to, or starts another one with it: see
// model.Visit.Place. Errors: CodeEventLimitReached.
func (s *Store) RecordVisit(ctx context.Context, site model.Website, view model.Visit, now time.Time) (*model.RecordVisitPayload, error) {
	return recordOne(ctx, s.views, inTurn(s, s.recordViews), site, pageview{view, now})
}

func laneOfView(v pageview) uint64 { return hash(v.view.VisitorID) }

// recordViews records pageviews of a website in one transaction.
func (s *Store) recordViews(ctx context.Context, site model.Website, views []pageview) ([]*model.RecordVisitPayload, error) {
	var payloads []*model.RecordVisitPayload
	err := s.recording(ctx, site, len(views), func(ctx context.Context, r recorder) error {
		payloads = make([]*model.RecordVisitPayload, len(views))
		for _, round := range rounds(views, func(v pageview) string { return v.view.VisitorID }) {
			if err := r.recordViewRound(ctx, views, round, payloads); err != nil {
				return err
			}
		}
		return nil
	})
	return payloads, err
}

// rounds are the indexes of items of visitors in rounds, in which each visitor has at most one. All visitors are in
// the first round, so that their rows are locked in one order.
func rounds[I any](items []I, visitor func(I) string) [][]int {
	var rounds [][]int
	had := map[string]int{} // items of a visitor
	for i, item := range items {
		n := had[visitor(item)]
		had[visitor(item)]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], i)
	}
	return rounds
}

// recordViewRound records the pageviews of a round and fills in their payloads.
func (r recorder) recordViewRound(ctx context.Context, views []pageview, round []int, payloads []*model.RecordVisitPayload) error {
	rows, own := make([]visitorRow, len(round)), make([]pageview, len(round))
	for n, i := range round {
		own[n] = views[i]
		rows[n] = visitorRow{
			WebsiteID: r.site.ID, ID: own[n].view.VisitorID, FirstSeenAt: own[n].view.StartedAt, LastSeenAt: own[n].view.LastSeenAt,
			VisitCount: 1, // of one who is new: the pageview starts the first visit
		}
	}
	visitors, err := r.meet(ctx, rows)
	if err != nil {
		return err
	}
	around, err := r.surroundings(ctx, own, visitors)
	if err != nil {
		return err
	}
	var changes visitChanges
	for n, v := range own {
		visitor := visitors[v.view.VisitorID]
		visit, outcome := v.view.Place(around[n])
		if outcome == model.ViewStarts {
			visit.ID = newID()
		}
		if outcome == model.ViewStarts && !visitor.IsNew {
			visitor.VisitCount++
			changes.returned = append(changes.returned, visitor)
		}
		known := visitor.toModel()
		payloads[round[n]] = &model.RecordVisitPayload{Visit: &visit, Visitor: &known}
		if outcome != model.ViewRepeats {
			changes.add(newVisitRow(&visit), outcome)
			if err := r.countEvent(ctx, v.now); err != nil {
				return err
			}
		}
	}
	r.writeVisits(changes)
	return nil
}

// visitChanges are what pageviews do to the visits of a website.
type visitChanges struct {
	viewed   []visitRow   // that have another pageview, or begin with it
	opened   []visitRow   // that now begin with a pageview
	returned []visitorRow // visitors who were known and started another visit
}

func (c *visitChanges) add(visit visitRow, outcome model.ViewOutcome) {
	if outcome == model.ViewOpens {
		c.opened = append(c.opened, visit)
	} else {
		c.viewed = append(c.viewed, visit)
	}
}

// The columns that a pageview changes, and those besides that one changes that becomes the first.
var (
	viewColumns   = []string{"pageviews", "last_seen_at", "viewed", "viewed_at"}
	originColumns = []string{"started_at", "landing_page", "referrer", "source", "channel",
		"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "ref", "ad_click",
		"referrer_host", "landing_path"}
)

// How an INSERT changes the rows that are there. To find them by their index, no plan is needed that knows how many a website
// has.
var (
	viewsVisits = "ON CONFLICT (website_id, id) DO UPDATE SET " + replacing(viewColumns)
	opensVisits = viewsVisits + ", " + replacing(originColumns)
)

const countsVisits = "ON CONFLICT (website_id, id) DO UPDATE SET visit_count = visitors.visit_count + 1"

// replacing assigns to columns what was to be inserted.
func replacing(columns []string) string {
	assignments := make([]string, len(columns))
	for i, column := range columns {
		assignments[i] = column + " = EXCLUDED." + column
	}
	return strings.Join(assignments, ", ")
}

// writeVisits writes the changes with the next query. The rows of their visitors are locked.
func (r recorder) writeVisits(c visitChanges) {
	if len(c.viewed) > 0 {
		r.tx.queue(insertion(c.viewed, viewsVisits))
	}
	if len(c.opened) > 0 {
		r.tx.queue(insertion(c.opened, opensVisits))
	}
	if len(c.returned) > 0 {
		r.tx.queue(insertion(c.returned, countsVisits))
	}
}

// meet makes or updates visitors and holds their rows, so that the pageviews and events of one visitor are
// recorded one after the other. Payments that waited for visitors who are new follow.
func (r recorder) meet(ctx context.Context, rows []visitorRow) (map[string]visitorRow, error) {
	slices.SortFunc(rows, func(a, b visitorRow) int { return cmp.Compare(a.ID, b.ID) })
	var met []visitorRow
	r.tx.queueInto(&met, insertion(rows, `ON CONFLICT (website_id, id) DO UPDATE SET
		first_seen_at = least(visitors.first_seen_at, EXCLUDED.first_seen_at),
		last_seen_at = greatest(visitors.last_seen_at, EXCLUDED.last_seen_at)
		RETURNING `+columns[visitorRow](r.tx.store.db.QueryGen(), "visitors")+`, xmax = 0 AS is_new`))
	if err := r.tx.send(ctx); err != nil {
		return nil, err
	}
	visitors := make(map[string]visitorRow, len(rows))
	var fresh []string
	for _, row := range met {
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
