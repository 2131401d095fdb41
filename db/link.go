package db

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// linking is how customers c of the website ?0 become known by the visitor of l.
type linking struct {
	may      string // whether one does
	claimed  string // whether only a page says so then
	claimant string // whom a page has named
}

var (
	// byClaim is that of the visitor of an event, which takes a customer from nobody.
	byClaim = linking{may: "c.visitor_id IS NULL", claimed: "true", claimant: "l.visitor_id"}
	// byPayment is that of a payment that came with its visitor, which takes a customer also from whom only a page has
	// named.
	byPayment = linking{may: isBetter + " OR c.claimed AND " + isSeen("l"), claimed: "false", claimant: "c.claimant"}
	// byFollowing is that of a payment that found its visitor by its charge or customer: it does not prove what a page
	// has said.
	byFollowing = linking{may: isBetter, claimed: "c.claimed AND c.visitor_id IS NOT DISTINCT FROM l.visitor_id", claimant: "c.claimant"}
)

// isBetter says that nobody is known, or one who was not seen, and the other was.
var isBetter = "c.visitor_id IS NULL OR c.visitor_id = l.visitor_id OR NOT " + isSeen("c") + " AND " + isSeen("l")

// linkedRow is a customer that becomes known by a visitor.
type linkedRow struct {
	customerRow
	Claims bool // it has payments that move to the visitor
}

// linked asks which customers become known by visitors, and as what. Each is found by its key, and so are its payments.
func (r recorder) linked(by linking, bases, values, visitors []string) keepable {
	return kept(strings.ReplaceAll(`SELECT c.*,
			c.basis = 'CUSTOMER_ID' AND EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.customer_id = c.value AND `+claimable+`)
			OR c.basis = 'EMAIL' AND EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.email_folded = c.value AND `+claimable+`) AS claims
		FROM (SELECT ?0::text AS website_id, l.basis, l.value, l.visitor_id, q.claimed, q.claimant
			FROM unnest($2::text[], $3::text[], $4::text[]) AS l (basis, value, visitor_id)
			CROSS JOIN LATERAL (SELECT `+by.claimed+` AS claimed, `+by.claimant+` AS claimant FROM customers c
				WHERE c.website_id = ?0 AND c.basis = l.basis AND c.value = l.value AND (`+by.may+`) OFFSET 0) AS q) AS c
		ORDER BY c.basis, c.value COLLATE "C"`, "?0", "$1"), r.site.ID, bases, values, visitors)
}

// knowsCustomers is how an INSERT changes customers that are there.
const knowsCustomers = `ON CONFLICT (website_id, basis, value) DO UPDATE SET
	visitor_id = EXCLUDED.visitor_id, claimed = EXCLUDED.claimed, claimant = EXCLUDED.claimant
	WHERE (customers.visitor_id, customers.claimed, customers.claimant) IS DISTINCT FROM (EXCLUDED.visitor_id, EXCLUDED.claimed, EXCLUDED.claimant)`

// link makes customers known by visitors, if they may be, and moves the customers' unattributed payments there.
func (r recorder) link(ctx context.Context, by linking, links map[model.CustomerKey]string) ([]movedRow, error) {
	if len(links) == 0 {
		return nil, nil
	}
	var missing []customerRow
	var bases, values, visitors []string
	for _, key := range slices.SortedFunc(maps.Keys(links), compareKeys) {
		bases, values, visitors = append(bases, string(key.Basis)), append(values, key.Value), append(visitors, links[key])
		if _, isLocked := r.locked[key]; !isLocked {
			missing = append(missing, customerRow{WebsiteID: r.site.ID, Basis: string(key.Basis), Value: key.Value})
		}
	}
	if len(missing) > 0 {
		r.tx.queue(r.lockedCustomers(missing))
	}
	if by == byClaim {
		// Whom a page names is remembered also of a customer who is known by payments: these may be deleted.
		r.tx.queue(r.tx.NewRaw(`UPDATE customers c SET claimant = l.visitor_id FROM unnest(?1::text[], ?2::text[], ?3::text[]) AS l (basis, value, visitor_id)
			WHERE c.website_id = ?0 AND c.basis = l.basis AND c.value = l.value AND c.visitor_id IS NOT NULL AND c.claimant IS NULL`,
			r.site.ID, pgdialect.Array(bases), pgdialect.Array(values), pgdialect.Array(visitors)))
	}
	// The customers are locked: what is read of them is so until it is written.
	var linked []linkedRow
	r.tx.queueInto(&linked, r.linked(by, bases, values, visitors))
	if err := r.tx.send(ctx); err != nil || len(linked) == 0 {
		return nil, err
	}
	known := make([]customerRow, len(linked))
	for i, row := range linked {
		known[i] = row.customerRow
	}
	r.tx.queue(insertion(known, knowsCustomers))
	var moved []movedRow
	for _, row := range linked {
		if !row.Claims {
			continue
		}
		if err := r.mustBeAlone(); err != nil {
			return nil, err
		}
		claimed, err := r.move(ctx, r.tx.NewRaw(`UPDATE payments p SET visitor_id = c.visitor_id, basis = c.basis FROM customers c, payments was
			WHERE c.website_id = ?0 AND c.basis = ?1 AND c.value = ?2 AND p.website_id = ?0 AND p.?3 = c.value AND `+claimable+`
				AND was.website_id = p.website_id AND was.id = p.id
			RETURNING `+movedColumns, r.site.ID, row.Basis, row.Value, keyColumn(model.AttributionBasis(row.Basis))))
		if err != nil {
			return nil, err
		}
		moved = append(moved, claimed...)
	}
	return moved, nil
}

// keyColumn is the column of payments that holds a customer key.
func keyColumn(basis model.AttributionBasis) bun.Ident {
	if basis == model.BasisEmail {
		return "email_folded"
	}
	return "customer_id"
}
