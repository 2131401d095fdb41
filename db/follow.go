package db

import (
	"cmp"
	"context"
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

	IsNew bool `bun:",scanonly"`
}

func (r customerRow) key() model.CustomerKey {
	return model.CustomerKey{Basis: model.AttributionBasis(r.Basis), Value: r.Value}
}

// keysOf are the keys of customers.
func keysOf(rows []customerRow) map[model.CustomerKey]bool {
	keys := make(map[model.CustomerKey]bool, len(rows))
	for _, row := range rows {
		keys[row.key()] = true
	}
	return keys
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

// claimable says of a payment p of the website ?0 whether a customer c may claim it for its visitor: nobody has it,
// or that visitor was seen and the one who has it was not.
var claimable = `p.basis IN ('NONE', 'CUSTOMER_ID', 'EMAIL') AND p.visitor_id IS DISTINCT FROM c.visitor_id AND (p.visitor_id IS NULL
	OR ` + isSeen("c") + " AND NOT " + isSeen("p") + ")"

// isSeen says whether the visitor of a row has been seen at the website ?0. As an EXISTS, Postgres might answer it for all
// visitors at once.
func isSeen(alias string) string {
	return "((SELECT v.id FROM visitors v WHERE v.website_id = ?0 AND v.id = " + alias + ".visitor_id) IS NOT NULL)"
}

// follow is late attribution. Customers that became known, by what is said of the links, take their earlier payments
// along, these their refunds and, as byFollowing, their other customer keys, and so on until nothing moves.
func (r recorder) follow(ctx context.Context, by linking, links map[model.CustomerKey]string, charges []string) error {
	type link struct {
		key     model.CustomerKey
		visitor string
	}
	tried, waiting := map[link]bool{}, []link(nil)
	if by != byClaim { // of what a page may not claim payments may know better
		for key, visitor := range links {
			tried[link{key, visitor}] = true
		}
	}
	for len(links) > 0 || len(charges) > 0 {
		moved, err := r.moveRefunds(ctx, charges)
		if err != nil {
			return err
		}
		linked, err := r.link(ctx, by, links)
		if err != nil {
			return err
		}
		by, links, charges = byFollowing, map[model.CustomerKey]string{}, nil
		for _, row := range append(moved, linked...) {
			if !row.IsRefund {
				charges = append(charges, row.TransactionID)
			}
			for _, key := range row.keys() {
				waiting = append(waiting, link{key, *row.VisitorID})
			}
		}
		waiting = slices.DeleteFunc(waiting, func(l link) bool {
			if tried[l] {
				return true
			}
			if _, isTaken := links[l.key]; isTaken { // by another visitor in this round
				return false
			}
			links[l.key], tried[l] = l.visitor, true
			return true
		})
	}
	return nil
}

// followSeen is late attribution to visitors that are seen for the first time: customers that were
// only known by visitors that have not been seen become known by these.
func (r recorder) followSeen(ctx context.Context, visitors []string) error {
	if len(visitors) == 0 {
		return nil
	}
	var own []struct {
		movedRow
		IsGiven bool // it came with its visitor
	}
	// It is not kept: where payments have few visitors, a plan for any of them reads all of the website.
	err := r.tx.NewRaw("SELECT "+keptColumns+", p.basis = 'VISITOR_ID' AS is_given FROM payments p WHERE p.website_id = ? AND p.visitor_id IN (?) ORDER BY p.recorded_at, p.id",
		r.site.ID, list(visitors)).Scan(ctx, &own)
	if err != nil {
		return err
	}
	given, others := map[model.CustomerKey]string{}, map[model.CustomerKey]string{}
	for _, row := range own {
		links := others
		if row.IsGiven {
			links = given
		}
		for _, key := range row.keys() {
			if _, ok := links[key]; !ok {
				links[key] = *row.VisitorID
			}
		}
	}
	if len(given)+len(others) == 0 {
		return nil
	}
	if err := r.mustBeAlone(); err != nil {
		return err
	}
	if err := r.follow(ctx, byPayment, given, nil); err != nil {
		return err
	}
	return r.follow(ctx, byFollowing, others, nil)
}

func compareKeys(a, b model.CustomerKey) int {
	return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Value, b.Value))
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
		WHERE p.website_id = ?0 AND p.charge_id IN (?1) AND p.is_refund AND p.basis <> 'VISITOR_ID' AND NOT p.erased
			AND c.website_id = ?0 AND c.transaction_id = p.charge_id AND NOT c.is_refund
			AND c.visitor_id IS NOT NULL AND (p.visitor_id IS DISTINCT FROM c.visitor_id OR p.basis <> 'REFUNDED_PAYMENT')
			AND was.website_id = p.website_id AND was.id = p.id
		RETURNING `+movedColumns, r.site.ID, list(charges)))
}
