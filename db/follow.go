package db

import (
	"context"

	"github.com/uptrace/bun"

	"tributary/model"
)

type customerRow struct {
	bun.BaseModel `bun:"table:customers,alias:c"`

	WebsiteID string
	Basis     string
	Value     string
	VisitorID *string
}

func (r customerRow) key() model.CustomerKey {
	return model.CustomerKey{Basis: model.AttributionBasis(r.Basis), Value: r.Value}
}

// followedRow is what a payment that came to a visitor takes along: its customer and its refunds.
type followedRow struct {
	TransactionID string
	IsRefund      bool
	VisitorID     string
	CustomerID    *string
	EmailFolded   *string
}

const followedColumns = "p.transaction_id, p.is_refund, p.visitor_id, p.customer_id, p.email_folded"

// unattributed are the payments that no visitor who was seen has a claim to yet.
const unattributed = `p.basis IN ('NONE', 'CUSTOMER_ID', 'EMAIL') AND (p.visitor_id IS NULL OR NOT EXISTS (
	SELECT FROM visitors v WHERE v.website_id = p.website_id AND v.id = p.visitor_id))`

// follow is late attribution. Customers that became known take their earlier payments along, these
// their refunds and their other customer keys, and so on until nothing moves.
func (r recorder) follow(ctx context.Context, links map[model.CustomerKey]string, charges []string) error {
	var moved []followedRow
	take := func(rows []followedRow, err error) error {
		moved = append(moved, rows...)
		return err
	}
	for key, visitor := range links {
		if err := take(r.link(ctx, key, visitor)); err != nil {
			return err
		}
	}
	if err := take(r.moveRefunds(ctx, charges)); err != nil {
		return err
	}
	for len(moved) > 0 {
		p := moved[0]
		moved = moved[1:]
		if !p.IsRefund {
			if err := take(r.moveRefunds(ctx, []string{p.TransactionID})); err != nil {
				return err
			}
		}
		for _, key := range p.keys() {
			if err := take(r.link(ctx, key, p.VisitorID)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p followedRow) keys() []model.CustomerKey {
	return (&model.Payment{CustomerID: p.CustomerID, Email: p.EmailFolded}).CustomerKeys()
}

// link makes a customer known by a visitor, unless one who was seen is known already, and moves the
// customer's unattributed payments there.
func (r recorder) link(ctx context.Context, key model.CustomerKey, visitor string) ([]followedRow, error) {
	row := customerRow{WebsiteID: r.site.ID, Basis: string(key.Basis), Value: key.Value, VisitorID: &visitor}
	result, err := r.tx.NewInsert().Model(&row).
		On("CONFLICT (website_id, basis, value) DO UPDATE").Set("visitor_id = EXCLUDED.visitor_id").
		Where(`c.visitor_id IS NULL OR c.visitor_id <> EXCLUDED.visitor_id
			AND NOT EXISTS (SELECT FROM visitors v WHERE v.website_id = c.website_id AND v.id = c.visitor_id)
			AND EXISTS (SELECT FROM visitors v WHERE v.website_id = c.website_id AND v.id = EXCLUDED.visitor_id)`).
		Returning("NULL").Exec(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return nil, err
	}
	column := bun.Ident("customer_id")
	if key.Basis == model.BasisEmail {
		column = bun.Ident("email_folded")
	}
	var moved []followedRow
	err = r.tx.NewRaw(`UPDATE payments p SET visitor_id = ?1, basis = ?2
		WHERE p.website_id = ?0 AND p.?3 = ?4 AND p.visitor_id IS DISTINCT FROM ?1 AND `+unattributed+` RETURNING `+followedColumns,
		r.site.ID, visitor, string(key.Basis), column, key.Value).Scan(ctx, &moved)
	return moved, err
}

// moveRefunds moves the refunds of charges to the charges' visitors. A refund that came with a
// visitor of its own stays there.
func (r recorder) moveRefunds(ctx context.Context, charges []string) ([]followedRow, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	var moved []followedRow
	err := r.tx.NewRaw(`UPDATE payments p SET visitor_id = c.visitor_id, basis = 'REFUNDED_PAYMENT'
		FROM payments c
		WHERE p.website_id = ?0 AND p.charge_id IN (?1) AND p.is_refund AND p.basis <> 'VISITOR_ID'
			AND c.website_id = ?0 AND c.transaction_id = p.charge_id AND NOT c.is_refund
			AND c.visitor_id IS NOT NULL AND (p.visitor_id IS DISTINCT FROM c.visitor_id OR p.basis <> 'REFUNDED_PAYMENT')
		RETURNING `+followedColumns, r.site.ID, list(charges)).Scan(ctx, &moved)
	return moved, err
}
