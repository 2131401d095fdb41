package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
)

// eraseStep is how many rows of a kind are erased in one transaction, for which recording waits.
const eraseStep = 250

// eraser is one step of an erasure.
type eraser struct {
	recorder
	erasure erasureRow
	erased  model.PersonTraces
}

// step erases some of what there is. The last one leaves nothing. The rows of the visitors are locked first: those
// who record pageviews and events of them wait, and so find a visitor who was never seen.
func (e *eraser) step(ctx context.Context, now time.Time) (isLast bool, err error) {
	person := e.erasure.person
	e.lockVisitors(person.VisitorIDs)
	for _, some := range []func(context.Context, model.Person) (int, error){e.payments, e.visits, e.events, e.customers} {
		n, err := some(ctx, person)
		if err != nil {
			return false, err
		}
		if n >= eraseStep {
			return false, e.account(ctx, nil)
		}
	}
	e.rest(person)
	return true, e.account(ctx, &now)
}

// account adds to the audit row what the step has erased and, if it was the last one, forgets whom that was about.
func (e *eraser) account(ctx context.Context, finishedAt *time.Time) error {
	_, err := e.tx.NewRaw(`UPDATE erasures SET payments = payments + ?, others_payments = others_payments + ?, visits = visits + ?, events = events + ?,
			finished_at = coalesce(finished_at, ?4), person = CASE WHEN coalesce(finished_at, ?4) IS NULL THEN person END
		WHERE website_id = ?5 AND id = ?6`,
		e.erased.Payments, e.erased.OthersPayments, e.erased.Visits, e.erased.Events, finishedAt, e.site.ID, e.erasure.ID).Exec(ctx)
	return err
}

// tracedRow is a payment that carries an identifier of the person, or refunds one that does.
type tracedRow struct {
	ID       string `bun:"type:uuid"`
	ChargeID string
	movedRow
	IsOwn bool
}

// payments makes the person's own anonymous, and takes the visitor from those of others, which find another one of
// theirs if there is one.
func (e *eraser) payments(ctx context.Context, person model.Person) (int, error) {
	var rows []tracedRow
	err := e.tx.NewRaw("SELECT p.id, p.charge_id, "+keptColumns+", t.is_own FROM (?1) AS t JOIN payments p ON p.website_id = ?0 AND p.id = t.id",
		e.site.ID, traces(e.tx, e.site.ID, person, eraseStep)).Scan(ctx, &rows)
	if err != nil {
		return 0, err
	}
	var own, others, charges []string
	customers, named := map[model.CustomerKey]bool{}, map[model.CustomerKey]bool{}
	for _, row := range rows {
		if row.IsOwn {
			own = append(own, row.ID)
			for _, key := range row.keys() {
				named[key] = true
			}
		} else {
			others, charges = append(others, row.ID), append(charges, row.ChargeID)
			for _, key := range row.keys() {
				customers[key] = true
			}
		}
		if row.VisitorID != nil {
			e.changes.removed = append(e.changes.removed, row.counted)
			row.VisitorID = nil
			e.changes.added = append(e.changes.added, row.counted)
		}
	}
	if len(own) > 0 {
		e.tx.queue(e.tx.NewRaw("UPDATE payments SET ?, basis = 'NONE', erased = true WHERE website_id = ? AND id IN (?)",
			bun.Safe(personalTable("payments").cleared()), e.site.ID, list(own)))
		e.leaveUnpaid(named)
	}
	if len(others) > 0 {
		e.tx.queue(e.tx.NewRaw("UPDATE payments SET visitor_id = NULL, basis = 'NONE', session_id = NULL WHERE website_id = ? AND id IN (?)", e.site.ID, list(others)))
	}
	e.erased.Payments, e.erased.OthersPayments = len(own), len(others)
	// Now, so that no rollup of the visitors is left when the rest is erased.
	if err := e.keepRollups(ctx); err != nil {
		return 0, err
	}
	e.changes.added, e.changes.removed = nil, nil
	return len(rows), e.findAgain(ctx, customers, charges, person.VisitorIDs)
}

// leaveUnpaid forgets, with the next query, the customers among some whom no payment names any more, as it does those
// who were named beside the person and are not known to be the same. Whom a page names stays.
func (e *eraser) leaveUnpaid(customers map[model.CustomerKey]bool) {
	for _, basis := range customerBases {
		values := valuesOf(customers, basis)
		if len(values) == 0 {
			continue
		}
		e.tx.queue(e.tx.NewRaw(`WITH unknown AS (
				SELECT c.basis, c.value, c.claimant FROM customers c WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value IN (?2) AND NOT c.claimed
				AND NOT EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.?3 = c.value)),
			`+forgetUnknown+` SELECT FROM unknown`,
			e.site.ID, string(basis), list(values), keyColumn(basis)))
	}
}

func (e *eraser) visits(ctx context.Context, person model.Person) (n int, err error) {
	e.erased.Visits, err = e.deleteOf(ctx, "visits", person)
	return e.erased.Visits, err
}

func (e *eraser) events(ctx context.Context, person model.Person) (n int, err error) {
	e.erased.Events, err = e.deleteOf(ctx, "events", person)
	return e.erased.Events, err
}

// deleteOf deletes some of the person's rows in a table of what visitors do.
func (e *eraser) deleteOf(ctx context.Context, table bun.Ident, person model.Person) (int, error) {
	chosen := e.tx.NewSelect().TableExpr("? AS o", table).Column("o.id").Limit(eraseStep).
		Where("o.website_id = ? AND o.visitor_id = ANY (?)", e.site.ID, textArray(person.VisitorIDs))
	deleted, err := e.deleteChosen(ctx, table, chosen)
	return len(deleted), err
}

// customers forgets those who are the person, and that others are known by a visitor of the person's: these are
// known again by another visitor whom a page named or who paid as they did, if there is one.
func (e *eraser) customers(ctx context.Context, person model.Person) (int, error) {
	for _, own := range []struct {
		basis  model.AttributionBasis
		values []string
	}{{model.BasisEmail, person.Emails}, {model.BasisCustomerID, person.CustomerIDs}} {
		e.tx.queue(e.tx.NewRaw("DELETE FROM customers WHERE website_id = ? AND basis = ? AND value = ANY (?)", e.site.ID, string(own.basis), textArray(own.values)))
	}
	e.tx.queue(e.tx.NewRaw("UPDATE customers SET claimant = NULL WHERE website_id = ? AND claimant = ANY (?)", e.site.ID, textArray(person.VisitorIDs)))
	var rows []customerRow
	err := e.tx.NewRaw(`WITH unknown AS (
			SELECT c.basis, c.value, c.claimant FROM customers c WHERE c.website_id = ?0 AND c.visitor_id = ANY (?1) LIMIT ?2),
		`+forgetUnknown+` SELECT u.basis, u.value FROM unknown u`,
		e.site.ID, textArray(person.VisitorIDs), eraseStep).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return len(rows), e.findAgain(ctx, keysOf(rows), nil, nil)
}

// rest erases, with the next query, what is at most one row for each identifier.
func (e *eraser) rest(person model.Person) {
	visitors := textArray(person.VisitorIDs)
	// One who was not there to be locked, and has been seen meanwhile, is new.
	e.tx.queue(e.tx.NewRaw(`DELETE FROM visitors v WHERE v.website_id = ?0 AND v.id = ANY (?1)
		AND NOT EXISTS (SELECT FROM visits t WHERE t.website_id = ?0 AND t.visitor_id = v.id)
		AND NOT EXISTS (SELECT FROM events t WHERE t.website_id = ?0 AND t.visitor_id = v.id)`, e.site.ID, visitors))
	// Of a deletion by the visitor stays that it was one by a visitor: no visitor has an empty id.
	e.tx.queue(e.tx.NewRaw("UPDATE payment_deletions SET visitor_id = '' WHERE website_id = ? AND visitor_id = ANY (?)", e.site.ID, visitors))
	// Rollups that are about to be cleared, or have been built up to this visitor.
	e.tx.queue(e.tx.NewRaw("DELETE FROM visitor_rollups WHERE website_id = ? AND visitor_id = ANY (?)", e.site.ID, visitors))
	e.tx.queue(e.tx.NewRaw(`UPDATE websites w SET visitor_rollups_until = coalesce((
			SELECT p.visitor_id FROM payments p WHERE p.website_id = ?0 AND p.visitor_id < w.visitor_rollups_until ORDER BY p.visitor_id DESC LIMIT 1), '')
		WHERE w.id = ?0 AND w.visitor_rollups_until = ANY (?1)`, e.site.ID, visitors))
}
