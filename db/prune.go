package db

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// pruneStep is how many visits, and how many events, are pruned in one transaction, for which recording waits.
const pruneStep = 250

// errPruning ends a step when another server is at one.
var errPruning = errors.New("another server prunes the visits")

// PruneVisits deletes the visits of a website that ended, and the events that happened, before a time; and visitors
// of whom no visit, event or payment is left then, with the customers who are known by nothing else. It works in steps
// beside those who record, and leaves them as much time as it takes. If another server is at it, that one goes
// on, and this one ends without an error.
func (s *Store) PruneVisits(ctx context.Context, site model.Website, before time.Time) (model.Pruned, error) {
	var sum model.Pruned
	for {
		var pruned model.Pruned
		begun := time.Now()
		err := s.onLedger(ctx, site, alone, func(ctx context.Context, r recorder) (err error) {
			pruned, err = r.prune(ctx, before)
			return err
		})
		switch {
		case errors.Is(err, errPruning):
			return sum, nil
		case err != nil:
			return sum, err
		}
		sum.Add(pruned)
		if pruned.Visits < pruneStep && pruned.Events < pruneStep {
			return sum, nil
		}
		if err := pause(ctx, time.Since(begun)); err != nil {
			return sum, err
		}
	}
}

// prune is one step.
func (r recorder) prune(ctx context.Context, before time.Time) (model.Pruned, error) {
	var isOurs bool
	if err := r.tx.NewRaw("SELECT pg_try_advisory_xact_lock(?)", int64(hash("prune "+r.site.ID))).Scan(ctx, &isOurs); err != nil {
		return model.Pruned{}, err
	}
	if !isOurs {
		return model.Pruned{}, errPruning
	}
	// A visit that goes on is not pruned, however early it began.
	visits := r.tx.NewSelect().TableExpr("visits AS o").Column("o.id").OrderExpr("o.started_at, o.id").Limit(pruneStep).
		Where("o.website_id = ? AND o.started_at < ? AND o.last_seen_at < ?", r.site.ID, before, before)
	ofVisits, err := r.deleteChosen(ctx, "visits", visits)
	if err != nil {
		return model.Pruned{}, err
	}
	events := r.tx.NewSelect().TableExpr("events AS o").Column("o.id").OrderExpr("o.occurred_at, o.id").Limit(pruneStep).
		Where("o.website_id = ? AND o.occurred_at < ?", r.site.ID, before)
	ofEvents, err := r.deleteChosen(ctx, "events", events)
	if err != nil {
		return model.Pruned{}, err
	}
	visitors, err := r.pruneVisitors(ctx, sorted(slices.Concat(ofVisits, ofEvents)))
	return model.Pruned{Visits: len(ofVisits), Events: len(ofEvents), Visitors: visitors}, err
}

// deleteChosen deletes the chosen rows of a table of what visitors do, and answers the visitor of each. They are an array,
// which is made once: of a website of which Postgres expects next to nothing, it would choose them for each row again.
func (r recorder) deleteChosen(ctx context.Context, table bun.Ident, chosen *bun.SelectQuery) (visitors []string, err error) {
	err = r.tx.NewRaw("DELETE FROM ? t WHERE t.website_id = ? AND t.id = ANY (ARRAY(?)) RETURNING t.visitor_id", table, r.site.ID, chosen).Scan(ctx, &visitors)
	return visitors, err
}

// pruneVisitors deletes those of the visitors of whom nothing is left, and answers how many they are. Their rows are
// locked first: who records a pageview or an event of one comes before that, or finds none.
func (r recorder) pruneVisitors(ctx context.Context, visitors []string) (int, error) {
	if len(visitors) == 0 {
		return 0, nil
	}
	r.lockVisitors(visitors)
	var gone []string
	err := r.tx.NewRaw(`DELETE FROM visitors v WHERE v.website_id = ?0 AND v.id IN (?1)
			AND NOT EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.visitor_id = v.id)
			AND NOT EXISTS (SELECT FROM visits t WHERE t.website_id = ?0 AND t.visitor_id = v.id)
			AND NOT EXISTS (SELECT FROM events e WHERE e.website_id = ?0 AND e.visitor_id = v.id)
		RETURNING v.id`, r.site.ID, list(visitors)).Scan(ctx, &gone)
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	var customers []customerRow
	err = r.tx.NewRaw("DELETE FROM customers WHERE website_id = ? AND visitor_id IN (?) RETURNING basis, value", r.site.ID, list(gone)).Scan(ctx, &customers)
	if err != nil {
		return 0, err
	}
	r.tx.queue(r.tx.NewRaw("UPDATE customers SET claimant = NULL WHERE website_id = ? AND claimant IN (?)", r.site.ID, list(gone)))
	return len(gone), r.findAgain(ctx, keysOf(customers), nil, nil)
}
