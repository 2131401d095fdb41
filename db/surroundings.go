package db

import (
	"context"
	"time"

	"tributary/model"
)

// spot is where a pageview or an event stands among the visits of its visitor.
type spot struct {
	n         int // of the pageview or event
	visitorID string
	sessionID *string
	at        time.Time
}

// neighbour is a visit next to a spot.
type neighbour struct {
	visitRow
	N         int
	OfSession bool // the nearest of the session; else of all
}

// surroundings reads the visits next to pageviews.
func (r recorder) surroundings(ctx context.Context, views []pageview, visitors map[string]visitorRow) ([]model.Surroundings, error) {
	around := make([]model.Surroundings, len(views))
	var known, late []spot
	for i, v := range views {
		visitor := visitors[v.view.VisitorID]
		at := spot{i, v.view.VisitorID, v.view.SessionID, v.view.StartedAt}
		if !visitor.IsNew {
			known = append(known, at)
		}
		if visitor.LastSeenAt.After(at.at) { // else nothing is later
			late = append(late, at)
		}
	}
	var before, after []neighbour
	r.queueLast(&before, known)
	r.queueNeighbours(&after, late, "t.started_at > one.at", "t.started_at, t.id")
	if err := r.tx.send(ctx); err != nil {
		return nil, err
	}
	for _, found := range before {
		visit := found.toModel()
		if found.OfSession {
			around[found.N].LastOfSession = &visit
		} else {
			around[found.N].Last = &visit
		}
	}
	for _, found := range after {
		visit := found.toModel()
		if found.OfSession {
			around[found.N].NextOfSession = &visit
		} else {
			around[found.N].Next = &visit
		}
	}
	return around, nil
}

// queueLast reads the latest visits up to each spot, of the visitor and of the session, with the next query.
func (r recorder) queueLast(found *[]neighbour, spots []spot) {
	r.queueNeighbours(found, spots, "t.started_at <= one.at", "t.started_at DESC, t.id DESC")
}

// queueNeighbours reads the nearest visits on one side of each spot, of the visitor and of the session, with the
// next query.
func (r recorder) queueNeighbours(found *[]neighbour, spots []spot, side, order string) {
	if len(spots) == 0 {
		return
	}
	numbers, visitors := make([]int, len(spots)), make([]string, len(spots))
	sessions, times := make([]*string, len(spots)), make([]time.Time, len(spots))
	for i, s := range spots {
		numbers[i], visitors[i], sessions[i], times[i] = s.n, s.visitorID, s.sessionID, s.at
	}
	columns := columns[visitRow](r.tx.store.db.QueryGen(), "t")
	nearest := func(ofSession, and string) string {
		return "(SELECT " + columns + ", " + ofSession + " AS of_session FROM visits t WHERE t.website_id = $1 AND t.visitor_id = one.visitor" + and +
			" AND " + side + " ORDER BY " + order + " LIMIT 1)"
	}
	r.tx.queueInto(found, kept(`SELECT one.n, q.* FROM unnest($2::int[], $3::text[], $4::text[], $5::timestamptz[]) AS one (n, visitor, session, at)
		CROSS JOIN LATERAL (`+nearest("false", "")+" UNION ALL "+nearest("true", " AND one.session IS NOT NULL AND t.session_id = one.session")+") AS q",
		r.site.ID, numbers, visitors, sessions, times))
}
