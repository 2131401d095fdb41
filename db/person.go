package db

import (
	"context"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"tributary/model"
)

// An e-mail address and a customer id are a person, and so are all that the same payments carry. A visitor is
// whoever used that browser: it leads to those who paid as it, and belongs to each of them; but who is
// reached by an e-mail address or a customer id does not lead through a shared browser to others.
//
// What a page alone says leads from a person to visitors, never from a visitor to a person: anybody can say it,
// and what is erased does not come back.

// findPerson finds the identifiers that a question about a person is about. Errors: CodeTooManyItems if they are too
// many.
func findPerson(ctx context.Context, db querier, websiteID string, query model.PersonQuery) (model.Person, error) {
	named, person := query.Person, query.Person
	if query.Only {
		return person, nil
	}
	if len(named.VisitorIDs) > 0 {
		payers, err := identifiers(ctx, db, websiteID, "p.visitor_id", named.VisitorIDs, "p.basis = 'VISITOR_ID'", "email_folded", "customer_id")
		if err != nil {
			return person, err
		}
		person = person.With(payers)
	}
	for fresh := person; fresh.Size() > 0 && person.Check() == nil; {
		ofEmails, err := identifiers(ctx, db, websiteID, "p.email_folded", fresh.Emails, "true", "customer_id")
		if err != nil {
			return person, err
		}
		ofCustomers, err := identifiers(ctx, db, websiteID, "p.customer_id", fresh.CustomerIDs, "true", "email_folded")
		if err != nil {
			return person, err
		}
		before := person
		person = person.With(ofEmails).With(ofCustomers)
		fresh = model.Person{Emails: besides(person.Emails, before.Emails), CustomerIDs: besides(person.CustomerIDs, before.CustomerIDs)}
	}
	visitors, err := visitorsOf(ctx, db, websiteID, person)
	if err != nil {
		return person, err
	}
	person = person.With(visitors)
	return person, person.Check()
}

// besides are the values that are not among others.
func besides(values, others []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(value string) bool { return slices.Contains(others, value) })
}

// identifiers are those in some columns of the payments p that have one of the values.
func identifiers(ctx context.Context, db querier, websiteID string, by bun.Safe, values []string, where bun.Safe, columns ...string) (model.Person, error) {
	if len(values) == 0 {
		return model.Person{}, nil
	}
	var union *bun.SelectQuery
	for _, column := range columns {
		q := db.NewSelect().Distinct().TableExpr("payments AS p").ColumnExpr("? AS kind, p.? AS value", column, bun.Ident(column)).
			Where("p.website_id = ? AND ? = ANY (?) AND ?", websiteID, by, textArray(values), where).Where("p.? IS NOT NULL", bun.Ident(column)).
			Limit(int64(model.MaxIdentifiers) + 1)
		if union == nil {
			union = q
		} else {
			union = union.UnionAll(q)
		}
	}
	return scanIdentifiers(ctx, db, union)
}

// visitorsOf are the visitors that a person paid as, or was as a page says.
func visitorsOf(ctx context.Context, db querier, websiteID string, person model.Person) (model.Person, error) {
	if len(person.Emails)+len(person.CustomerIDs) == 0 {
		return model.Person{}, nil
	}
	return scanIdentifiers(ctx, db, db.NewRaw(`(SELECT DISTINCT 'visitor_id' AS kind, p.visitor_id AS value FROM payments p
			WHERE p.website_id = ?0 AND p.email_folded = ANY (?1) AND p.visitor_id IS NOT NULL LIMIT ?3)
		UNION (SELECT DISTINCT 'visitor_id', p.visitor_id FROM payments p
			WHERE p.website_id = ?0 AND p.customer_id = ANY (?2) AND p.visitor_id IS NOT NULL LIMIT ?3)
		UNION (SELECT 'visitor_id', v.id FROM visitors v WHERE v.website_id = ?0 AND v.user_id = ANY (?2) LIMIT ?3)
		UNION (SELECT 'visitor_id', known.id FROM customers c CROSS JOIN LATERAL (VALUES (c.visitor_id), (c.claimant)) AS known (id)
			WHERE c.website_id = ?0 AND c.basis = 'EMAIL' AND c.value = ANY (?1) AND known.id IS NOT NULL)
		UNION (SELECT 'visitor_id', known.id FROM customers c CROSS JOIN LATERAL (VALUES (c.visitor_id), (c.claimant)) AS known (id)
			WHERE c.website_id = ?0 AND c.basis = 'CUSTOMER_ID' AND c.value = ANY (?2) AND known.id IS NOT NULL)`,
		websiteID, textArray(person.Emails), textArray(person.CustomerIDs), model.MaxIdentifiers+1))
}

// scanIdentifiers reads what a query selects: kinds of identifiers, and their values.
func scanIdentifiers(ctx context.Context, db querier, query schema.QueryAppender) (model.Person, error) {
	var rows []struct{ Kind, Value string }
	if err := db.NewRaw("SELECT i.kind, i.value FROM (?) AS i", query).Scan(ctx, &rows); err != nil {
		return model.Person{}, translate(err)
	}
	var found model.Person
	for _, row := range rows {
		switch row.Kind {
		case "email_folded":
			found.Emails = append(found.Emails, row.Value)
		case "customer_id":
			found.CustomerIDs = append(found.CustomerIDs, row.Value)
		case "visitor_id":
			found.VisitorIDs = append(found.VisitorIDs, row.Value)
		}
	}
	return found, nil
}

// isOwn says of a payment p that carries one of a person's identifiers that it is the person's: it has the e-mail
// address or the customer id, or came with the visitor and nobody else's.
const isOwn = `(p.email_folded = ANY (?1) IS TRUE OR p.customer_id = ANY (?2) IS TRUE
	OR p.basis = 'VISITOR_ID' AND p.email_folded IS NULL AND p.customer_id IS NULL)`

// traces are the payments that carry one of a person's identifiers, at most so many by each kind of them if that is
// not 0, and the refunds of those that are the person's own.
func traces(db querier, websiteID string, person model.Person, atMost int64) *bun.RawQuery {
	by := func(column bun.Ident, values []string) *bun.SelectQuery {
		return db.NewSelect().TableExpr("payments AS p").Column("p.id").
			Where("p.website_id = ? AND p.? = ANY (?)", websiteID, column, textArray(values)).Limit(atMost)
	}
	return db.NewRaw(`WITH named AS (SELECT p.id, p.transaction_id, p.is_refund, `+isOwn+` AS is_own FROM payments p
			WHERE p.website_id = ?0 AND p.id = ANY (ARRAY(?3))),
		refunds AS (SELECT p.id, true AS is_own FROM payments p WHERE p.website_id = ?0 AND p.is_refund AND NOT p.erased
			AND p.charge_id = ANY (ARRAY(SELECT n.transaction_id FROM named n WHERE n.is_own AND NOT n.is_refund)))
		SELECT t.id, bool_or(t.is_own) AS is_own FROM (SELECT n.id, n.is_own FROM named n UNION ALL SELECT r.id, r.is_own FROM refunds r) AS t GROUP BY t.id`,
		websiteID, textArray(person.Emails), textArray(person.CustomerIDs),
		by("email_folded", person.Emails).UnionAll(by("customer_id", person.CustomerIDs)).UnionAll(by("visitor_id", person.VisitorIDs)))
}

// countPerson counts what there is of a person.
func (s *Store) countPerson(ctx context.Context, websiteID string, person model.Person) (model.PersonTraces, error) {
	var found model.PersonTraces
	err := s.db.NewRaw(`SELECT count(*) FILTER (WHERE t.is_own) AS payments, count(*) FILTER (WHERE NOT t.is_own) AS others_payments,
			(SELECT count(*) FROM visits v WHERE v.website_id = ?0 AND v.visitor_id = ANY (?2)) AS visits,
			(SELECT count(*) FROM events e WHERE e.website_id = ?0 AND e.visitor_id = ANY (?2)) AS events FROM (?1) AS t`,
		websiteID, traces(s.db, websiteID, person, 0), textArray(person.VisitorIDs)).Scan(ctx, &found)
	return found, translate(err)
}

// countUnproven counts the customers, other than the person's own, that only a page has said to be one of the
// person's visitors, and that have payments.
func (s *Store) countUnproven(ctx context.Context, websiteID string, person model.Person) (n int, err error) {
	const ofVisitors = "c.website_id = ?0 AND c.visitor_id = ANY (?1) AND c.claimed"
	err = s.db.NewRaw(`SELECT (SELECT count(*) FROM customers c WHERE `+ofVisitors+` AND c.basis = 'EMAIL' AND c.value <> ALL (?2)
				AND EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.email_folded = c.value))
			+ (SELECT count(*) FROM customers c WHERE `+ofVisitors+` AND c.basis = 'CUSTOMER_ID' AND c.value <> ALL (?3)
				AND EXISTS (SELECT FROM payments p WHERE p.website_id = ?0 AND p.customer_id = c.value))`,
		websiteID, textArray(person.VisitorIDs), textArray(person.Emails), textArray(person.CustomerIDs)).Scan(ctx, &n)
	return n, translate(err)
}

// textArray is an array for SQL, which has a type also if it is empty.
func textArray(values []string) any { return pgdialect.Array(append([]string{}, values...)) }
