package db

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

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
	r.tx.queueInto(&own, r.tx.NewRaw("SELECT "+keptColumns+", p.basis = 'VISITOR_ID' AS is_given FROM payments p WHERE p.website_id = ? AND p.visitor_id IN (?) ORDER BY p.recorded_at, p.id",
		r.site.ID, list(visitors)))
	if err := r.tx.send(ctx); err != nil {
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
		ORDER BY c.basis, c.value`, "?0", "$1"), r.site.ID, bases, values, visitors)
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
	// Their rows are locked: what is read here is so until it is written.
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
