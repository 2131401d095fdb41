package db

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"tributary/model"
)

type customerRow struct {
	bun.BaseModel `bun:"table:customers,alias:c"`

	WebsiteID string
	Basis     string
	Value     string
	VisitorID *string
	Claimed   bool    // only a page says so
	Claimant  *string // whom a page has named, whoever the visitor is
}

func (r customerRow) key() model.CustomerKey {
	return model.CustomerKey{Basis: model.AttributionBasis(r.Basis), Value: r.Value}
}

// movedRow is a payment that may have changed its visitor, and what it then takes along: its customer and its
// refunds.
type movedRow struct {
	TransactionID string
	IsRefund      bool
	CustomerID    *string
	EmailFolded   *string
	counted
	Former *string // the visitor before
}

// The columns of a payment p that keeps its visitor, and of one that had the visitor of was.
const (
	keptColumns  = "p.transaction_id, p.is_refund, p.customer_id, p.email_folded, " + countedColumns + ", p.visitor_id AS former"
	movedColumns = "p.transaction_id, p.is_refund, p.customer_id, p.email_folded, " + countedColumns + ", was.visitor_id AS former"
)

// move changes the visitors of payments p by an UPDATE that returns movedColumns, and answers those that it
// returned.
func (r recorder) move(ctx context.Context, update *bun.RawQuery) ([]movedRow, error) {
	var moved []movedRow
	if err := update.Scan(ctx, &moved); err != nil {
		return nil, err
	}
	for _, row := range moved {
		if valueOr(row.Former) == valueOr(row.VisitorID) {
			continue
		}
		before := row.counted
		before.VisitorID = row.Former
		r.changes.removed = append(r.changes.removed, before)
		r.changes.added = append(r.changes.added, row.counted)
	}
	return moved, nil
}

func (r movedRow) keys() []model.CustomerKey { return customerKeys(r.CustomerID, r.EmailFolded) }

// customerKeys are what a payment recognises its customer by.
func customerKeys(customerID, emailFolded *string) []model.CustomerKey {
	return (&model.Payment{CustomerID: customerID, Email: emailFolded}).CustomerKeys()
}

// unattributed are the payments of the website ?0 that the visitor ?1 may claim: nobody has them, or ?1 was
// seen and the one who has them was not.
const unattributed = `p.basis IN ('NONE', 'CUSTOMER_ID', 'EMAIL') AND (p.visitor_id IS NULL
	OR EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = ?1)
		AND NOT EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = p.visitor_id))`

// follow is late attribution. Customers that became known take their earlier payments along, these
// their refunds and their other customer keys, and so on until nothing moves.
func (r recorder) follow(ctx context.Context, links map[model.CustomerKey]string, charges []string) error {
	done := map[model.CustomerKey]string{}
	maps.Copy(done, links)
	for len(links) > 0 || len(charges) > 0 {
		moved, err := r.moveRefunds(ctx, charges)
		if err != nil {
			return err
		}
		for _, key := range slices.SortedFunc(maps.Keys(links), compareKeys) {
			rows, err := r.link(ctx, key, links[key])
			if err != nil {
				return err
			}
			moved = append(moved, rows...)
		}
		links, charges = map[model.CustomerKey]string{}, nil
		for _, row := range moved {
			if !row.IsRefund {
				charges = append(charges, row.TransactionID)
			}
			for _, key := range row.keys() {
				if _, ok := done[key]; !ok {
					links[key], done[key] = *row.VisitorID, *row.VisitorID
				}
			}
		}
	}
	return nil
}

// followSeen is late attribution to visitors that are seen for the first time: customers that were
// only known by visitors that have not been seen become known by these.
func (r recorder) followSeen(ctx context.Context, visitors []string) error {
	if len(visitors) == 0 {
		return nil
	}
	var own []movedRow
	err := r.tx.NewRaw("SELECT "+keptColumns+" FROM payments p WHERE p.website_id = ? AND p.visitor_id IN (?) ORDER BY p.recorded_at, p.id",
		r.site.ID, list(visitors)).Scan(ctx, &own)
	if err != nil {
		return err
	}
	links := map[model.CustomerKey]string{}
	for _, row := range own {
		for _, key := range row.keys() {
			if _, ok := links[key]; !ok {
				links[key] = *row.VisitorID
			}
		}
	}
	if len(links) == 0 {
		return nil
	}
	if err := r.mustBeAlone(); err != nil {
		return err
	}
	return r.follow(ctx, links, nil)
}

func compareKeys(a, b model.CustomerKey) int {
	return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Value, b.Value))
}

// mayLink says of a customer c of the website ?0 whether it becomes known by the visitor ?1 of a payment: nobody is
// known, or one who was not seen, or one whom only a page has named, and the other was seen.
const mayLink = `c.visitor_id IS NULL OR c.visitor_id = ?1
	OR (c.claimed OR NOT EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = c.visitor_id))
	AND EXISTS (SELECT FROM visitors v WHERE v.website_id = ?0 AND v.id = ?1)`

// mayClaim is mayLink for the visitor of an event, which takes a customer from nobody.
const mayClaim = `c.visitor_id IS NULL`

// makeKnown makes a customer known by a visitor, if it may, and says whether it did. Citus allows an INSERT no
// subquery, so that one statement does not do.
func (r recorder) makeKnown(ctx context.Context, key model.CustomerKey, visitor string) (bool, error) {
	row := customerRow{WebsiteID: r.site.ID, Basis: string(key.Basis), Value: key.Value, VisitorID: &visitor, Claimed: r.claims}
	if r.claims {
		row.Claimant = &visitor
	}
	insert := func() (sql.Result, error) {
		return r.tx.NewInsert().Model(&row).On("CONFLICT (website_id, basis, value) DO NOTHING").Returning("NULL").Exec(ctx)
	}
	update := func() (sql.Result, error) {
		q := r.tx.NewUpdate().Model(&row).Column("visitor_id", "claimed").Set("claimant = coalesce(?, c.claimant)", row.Claimant).
			Where("c.website_id = ? AND c.basis = ? AND c.value = ?", row.WebsiteID, row.Basis, row.Value)
		if r.claims {
			return q.Where(mayClaim).Exec(ctx)
		}
		return q.Where(mayLink, r.site.ID, visitor).Exec(ctx)
	}
	steps := []func() (sql.Result, error){update, insert}
	if r.claims { // payments have locked the rows of their customers, or are alone, but others may insert the same now
		steps = []func() (sql.Result, error){insert, update}
	}
	for _, step := range steps {
		result, err := step()
		if err != nil {
			return false, err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// link makes a customer known by a visitor, if it may, and moves the customer's unattributed payments there.
func (r recorder) link(ctx context.Context, key model.CustomerKey, visitor string) ([]movedRow, error) {
	if known, err := r.makeKnown(ctx, key, visitor); err != nil || !known {
		return nil, err
	}
	const claimed = " WHERE p.website_id = ?0 AND p.?3 = ?4 AND p.visitor_id IS DISTINCT FROM ?1 AND " + unattributed
	args := []any{r.site.ID, visitor, string(key.Basis), keyColumn(key.Basis), key.Value}
	if !r.alone {
		var exists bool
		if err := r.tx.NewRaw("SELECT EXISTS (SELECT FROM payments p"+claimed+")", args...).Scan(ctx, &exists); err != nil || !exists {
			return nil, err
		}
		return nil, errNotAlone
	}
	return r.move(ctx, r.tx.NewRaw(`UPDATE payments p SET visitor_id = ?1, basis = ?2 FROM payments was`+
		claimed+" AND was.website_id = p.website_id AND was.id = p.id RETURNING "+movedColumns, args...))
}

// keyColumn is the column of payments that holds a customer key.
func keyColumn(basis model.AttributionBasis) bun.Ident {
	if basis == model.BasisEmail {
		return "email_folded"
	}
	return "customer_id"
}

// moveRefunds moves the refunds of charges to the charges' visitors. A refund that came with a
// visitor of its own stays there.
func (r recorder) moveRefunds(ctx context.Context, charges []string) ([]movedRow, error) {
	if len(charges) == 0 {
		return nil, nil
	}
	if err := r.mustBeAlone(); err != nil {
		return nil, err
	}
	return r.move(ctx, r.tx.NewRaw(`UPDATE payments p SET visitor_id = c.visitor_id, basis = 'REFUNDED_PAYMENT'
		FROM payments c, payments was
		WHERE p.website_id = ?0 AND p.charge_id IN (?1) AND p.is_refund AND p.basis <> 'VISITOR_ID'
			AND c.website_id = ?0 AND c.transaction_id = p.charge_id AND NOT c.is_refund
			AND c.visitor_id IS NOT NULL AND (p.visitor_id IS DISTINCT FROM c.visitor_id OR p.basis <> 'REFUNDED_PAYMENT')
			AND was.website_id = p.website_id AND was.id = p.id
		RETURNING `+movedColumns, r.site.ID, list(charges)))
}
