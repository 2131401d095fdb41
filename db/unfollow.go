package db

import (
	"context"
	"maps"
	"slices"

	"tributary/model"
)

// unfollow takes back what removed entries had lent: customers that only they made known are no
// longer known, and the payments that followed, with their refunds and so on, lose that visitor. In
// the end those find the visitor that is still theirs by another way, if there is one.
func (r recorder) unfollow(ctx context.Context, removed []goneRow) error {
	keys, charges := map[model.CustomerKey]bool{}, []string(nil)
	for _, row := range removed {
		for _, key := range customerKeys(row.CustomerID, row.EmailFolded) {
			keys[key] = true
		}
		if row.HasRefunds {
			charges = append(charges, row.TransactionID)
		}
	}
	doubtful := maps.Clone(keys)
	var lost []string // charges
	for len(keys) > 0 || len(charges) > 0 {
		touched, err := r.resetRefunds(ctx, charges)
		if err != nil {
			return err
		}
		for _, basis := range customerBases {
			rows, err := r.unlink(ctx, basis, valuesOf(keys, basis))
			if err != nil {
				return err
			}
			touched = append(touched, rows...)
		}
		keys, charges = map[model.CustomerKey]bool{}, nil
		for _, row := range touched {
			if !row.IsRefund && row.VisitorID == nil {
				charges = append(charges, row.TransactionID)
			}
			for _, key := range row.keys() {
				keys[key] = true
			}
		}
		maps.Copy(doubtful, keys)
		lost = append(lost, charges...)
	}
	return r.findAgain(ctx, doubtful, lost, nil)
}

// customerBases are the ways to recognise a customer, in the order in which they are tried.
var customerBases = []model.AttributionBasis{model.BasisCustomerID, model.BasisEmail}

func valuesOf(keys map[model.CustomerKey]bool, basis model.AttributionBasis) []string {
	var values []string
	for key := range keys {
		if key.Basis == basis {
			values = append(values, key.Value)
		}
	}
	slices.Sort(values)
	return values
}

// forgetUnknown are parts of a query that forget who the customers are that another part, unknown, has: they are known
// by whom a page has named, or by nobody, and then they go.
const forgetUnknown = `claimed AS (
			UPDATE customers c SET visitor_id = u.claimant, claimed = true FROM unknown u
			WHERE c.website_id = ?0 AND c.basis = u.basis AND c.value = u.value AND u.claimant IS NOT NULL),
		gone AS (
			DELETE FROM customers c USING unknown u WHERE c.website_id = ?0 AND c.basis = u.basis AND c.value = u.value AND u.claimant IS NULL)`

// unlink forgets who those of the customers are that neither a page nor a payment with a visitor of its own
// makes known, unless a page had named another visitor before, and answers the payments that lose their
// visitor by it. (Payments that follow customers are no evidence: two of them could keep each other.) With
// them come those that keep the same visitor by another way: through them other customers may have become
// known. The customers' payments are read once, whatever Postgres expects of the website.
func (r recorder) unlink(ctx context.Context, basis model.AttributionBasis, values []string) ([]movedRow, error) {
	if len(values) == 0 {
		return nil, nil
	}
	// The locks come first, so that the evidence is looked for among all payments of these customers.
	_, err := r.tx.NewRaw(`SELECT FROM customers WHERE website_id = ? AND basis = ? AND value IN (?) ORDER BY value FOR UPDATE`,
		r.site.ID, string(basis), list(values)).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return r.move(ctx, r.tx.NewRaw(`WITH own AS MATERIALIZED (
			SELECT p.id, p.?3 AS value, p.visitor_id, p.basis FROM payments p WHERE p.website_id = ?0 AND p.?3 IN (?2) AND p.visitor_id IS NOT NULL),
		unknown AS (
			SELECT c.basis, c.value, c.visitor_id, c.claimant FROM customers c
			WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value IN (?2) AND NOT c.claimed AND NOT EXISTS (
				SELECT FROM own p WHERE p.value = c.value AND p.visitor_id = c.visitor_id AND p.basis = 'VISITOR_ID')),
		`+forgetUnknown+`,
		led AS (
			SELECT p.id, p.basis = ?1 AS follows FROM own p JOIN unknown u ON u.value = p.value AND u.visitor_id = p.visitor_id
			WHERE u.visitor_id IS DISTINCT FROM u.claimant),
		reset AS (
			UPDATE payments p SET visitor_id = NULL, basis = 'NONE' FROM payments was
			WHERE p.website_id = ?0 AND p.id = ANY (ARRAY(SELECT id FROM led WHERE follows)) AND was.website_id = p.website_id AND was.id = p.id
			RETURNING `+movedColumns+`)
		SELECT p.* FROM reset p
		UNION ALL
		SELECT `+keptColumns+` FROM payments p WHERE p.website_id = ?0 AND p.id = ANY (ARRAY(SELECT id FROM led WHERE NOT follows))`,
		r.site.ID, string(basis), list(values), keyColumn(basis)))
}

// resetRefunds takes the visitor from the refunds that had it from charges which are gone or have
// lost it.
func (r recorder) resetRefunds(ctx context.Context, charges []string) ([]movedRow, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	return r.move(ctx, r.tx.NewRaw(`UPDATE payments p SET visitor_id = NULL, basis = 'NONE' FROM payments was
		WHERE p.website_id = ?0 AND p.charge_id IN (?1) AND p.is_refund AND p.basis = 'REFUNDED_PAYMENT'
			AND was.website_id = p.website_id AND was.id = p.id
		RETURNING `+movedColumns, r.site.ID, list(charges)))
}

// findAgain credits payments that lost their visitor to the one that their customer is still known
// by. Customers that were forgotten are known again by the payments that kept a visitor, one that was
// seen before others and the earliest first; whatever follows from that, and from what a page has said, follows.
// Neither leads to some visitors, whom it is about to be taken from.
func (r recorder) findAgain(ctx context.Context, customers map[model.CustomerKey]bool, charges, besides []string) error {
	r.proveClaimed(customers, besides)
	for _, mustBeSeen := range []bool{true, false} {
		for _, basis := range customerBases {
			values := valuesOf(customers, basis)
			if len(values) == 0 {
				continue
			}
			moved, err := r.move(ctx, r.tx.NewRaw(`UPDATE payments p SET visitor_id = c.visitor_id, basis = c.basis FROM customers c, payments was
				WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value IN (?2) AND c.visitor_id IS NOT NULL AND c.visitor_id <> ALL (?5)
					AND (NOT ?4 OR EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = c.visitor_id))
					AND p.website_id = ?0 AND p.?3 = c.value AND p.visitor_id IS NULL
					AND was.website_id = p.website_id AND was.id = p.id
				RETURNING `+movedColumns, r.site.ID, string(basis), list(values), keyColumn(basis), mustBeSeen, textArray(besides)))
			if err != nil {
				return err
			}
			for _, row := range moved {
				if !row.IsRefund {
					charges = append(charges, row.TransactionID)
				}
			}
		}
	}
	links, err := r.linksAgain(ctx, customers, besides)
	if err != nil {
		return err
	}
	return r.follow(ctx, byFollowing, links, charges)
}

// linksAgain are the visitors of those of the customers whom a page has named, and of those whom nobody is known by:
// the visitor of a payment that kept it.
func (r recorder) linksAgain(ctx context.Context, customers map[model.CustomerKey]bool, besides []string) (map[model.CustomerKey]string, error) {
	links := map[model.CustomerKey]string{}
	for _, basis := range customerBases {
		values := valuesOf(customers, basis)
		known, err := r.known(ctx, basis, values)
		if err != nil {
			return nil, err
		}
		for _, row := range known {
			if row.Claimed && !slices.Contains(besides, *row.VisitorID) {
				links[row.key()] = *row.VisitorID
			}
		}
		isKnown := keysOf(known)
		values = slices.DeleteFunc(values, func(value string) bool { return isKnown[model.CustomerKey{Basis: basis, Value: value}] })
		if len(values) == 0 {
			continue
		}
		var rows []customerRow
		err = r.tx.NewRaw(`SELECT DISTINCT ON (p.?3) ?1 AS basis, p.?3 AS value, p.visitor_id
			FROM payments p LEFT JOIN visitors v ON v.website_id = ?0 AND v.id = p.visitor_id
			WHERE p.website_id = ?0 AND p.?3 IN (?2) AND p.visitor_id IS NOT NULL AND p.visitor_id <> ALL (?4)
			ORDER BY p.?3, v.id IS NULL, p.recorded_at, p.id`,
			r.site.ID, string(basis), list(values), keyColumn(basis), textArray(besides)).Scan(ctx, &rows)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			links[row.key()] = *row.VisitorID
		}
	}
	return links, nil
}

// proveClaimed has the earliest payment that came with a visitor who was seen take over, with the next query, each of
// the customers whom only a page has named, now that another is gone that went before both.
func (r recorder) proveClaimed(customers map[model.CustomerKey]bool, besides []string) {
	for _, basis := range customerBases {
		values := valuesOf(customers, basis)
		if len(values) == 0 {
			continue
		}
		r.tx.queue(r.tx.NewRaw(`UPDATE customers c SET visitor_id = f.visitor_id, claimed = false FROM (
				SELECT DISTINCT ON (k.value) k.value, p.visitor_id
				FROM customers k
				JOIN payments p ON p.website_id = ?0 AND p.?3 = k.value AND p.basis = 'VISITOR_ID' AND p.visitor_id <> ALL (?4)
				JOIN visitors v ON v.website_id = ?0 AND v.id = p.visitor_id
				WHERE k.website_id = ?0 AND k.basis = ?1 AND k.value IN (?2) AND k.claimed
				ORDER BY k.value, p.recorded_at, p.id) AS f
			WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value = f.value`,
			r.site.ID, string(basis), list(values), keyColumn(basis), textArray(besides)))
	}
}

// known are those of the customers that are known by a visitor.
func (r recorder) known(ctx context.Context, basis model.AttributionBasis, values []string) ([]customerRow, error) {
	if len(values) == 0 {
		return nil, nil
	}
	var known []customerRow
	err := r.tx.NewRaw("SELECT basis, value, visitor_id, claimed FROM customers WHERE website_id = ? AND basis = ? AND value IN (?) AND visitor_id IS NOT NULL",
		r.site.ID, string(basis), list(values)).Scan(ctx, &known)
	return known, err
}
