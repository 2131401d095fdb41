package db

import (
	"context"
	"slices"

	"tributary/model"
)

// unfollow takes back what removed entries had lent: customers that only they made known are no
// longer known, and the payments that followed, with their refunds and so on, lose that visitor. In
// the end those find the visitor that is still theirs by another way, if there is one.
func (r recorder) unfollow(ctx context.Context, removed []removedRow) error {
	keys, charges := map[model.CustomerKey]bool{}, []string(nil)
	for _, row := range removed {
		for _, id := range row.CustomerIDs {
			keys[model.CustomerKey{Basis: model.BasisCustomerID, Value: id}] = true
		}
		for _, email := range row.Emails {
			keys[model.CustomerKey{Basis: model.BasisEmail, Value: email}] = true
		}
		charges = append(charges, row.Charges...)
	}
	var lost []movedRow
	for len(keys) > 0 || len(charges) > 0 {
		reset, err := r.resetRefunds(ctx, charges)
		if err != nil {
			return err
		}
		for _, basis := range []model.AttributionBasis{model.BasisCustomerID, model.BasisEmail} {
			rows, err := r.unlink(ctx, basis, valuesOf(keys, basis))
			if err != nil {
				return err
			}
			reset = append(reset, rows...)
		}
		keys, charges = map[model.CustomerKey]bool{}, nil
		for _, row := range reset {
			if !row.IsRefund {
				charges = append(charges, row.TransactionID)
			}
			for _, key := range row.keys() {
				keys[key] = true
			}
		}
		lost = append(lost, reset...)
	}
	return r.findAgain(ctx, lost)
}

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

// unlink forgets those of the customers that no payment makes known otherwise than by the customer
// itself, and answers the payments that lose their visitor by it.
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
	var reset []movedRow
	err = r.tx.NewRaw(`WITH forgotten AS (
			DELETE FROM customers c WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value IN (?2) AND NOT EXISTS (
				SELECT FROM payments p WHERE p.website_id = ?0 AND p.?3 = c.value AND p.visitor_id = c.visitor_id AND p.basis <> ?1)
			RETURNING c.value, c.visitor_id)
		UPDATE payments p SET visitor_id = NULL, basis = 'NONE' FROM forgotten f
		WHERE p.website_id = ?0 AND p.?3 = f.value AND p.basis = ?1 AND p.visitor_id = f.visitor_id
		RETURNING `+movedColumns, r.site.ID, string(basis), list(values), keyColumn(basis)).Scan(ctx, &reset)
	return reset, err
}

// resetRefunds takes the visitor from the refunds that had it from charges which are gone or have
// lost it.
func (r recorder) resetRefunds(ctx context.Context, charges []string) ([]movedRow, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	var reset []movedRow
	err := r.tx.NewRaw(`UPDATE payments p SET visitor_id = NULL, basis = 'NONE'
		WHERE p.website_id = ?0 AND p.charge_id IN (?1) AND p.is_refund AND p.basis = 'REFUNDED_PAYMENT'
		RETURNING `+movedColumns, r.site.ID, list(charges)).Scan(ctx, &reset)
	return reset, err
}

// findAgain credits payments that lost their visitor to the one that their customer is still known
// by; their refunds follow.
func (r recorder) findAgain(ctx context.Context, lost []movedRow) error {
	var charges []string
	for _, row := range lost {
		for _, key := range row.keys() {
			_, err := r.tx.NewRaw(`UPDATE payments p SET visitor_id = c.visitor_id, basis = c.basis FROM customers c
				WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value = ?2 AND c.visitor_id IS NOT NULL
					AND p.website_id = ?0 AND p.transaction_id = ?3 AND p.is_refund = ?4 AND p.visitor_id IS NULL`,
				r.site.ID, string(key.Basis), key.Value, row.TransactionID, row.IsRefund).Exec(ctx)
			if err != nil {
				return err
			}
		}
		if !row.IsRefund {
			charges = append(charges, row.TransactionID)
		}
	}
	return r.follow(ctx, nil, charges)
}
