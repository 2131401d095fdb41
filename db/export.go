package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"tributary/model"
)

// ownRows says which rows t of a table are a person's, in the order in which they are exported: ?1 are the e-mail
// addresses, ?2 the customer ids, ?3 the visitors, ?4 the payments.
var ownRows = map[string]string{
	"payments":          "t.id IN (SELECT o.id FROM (?4) AS o WHERE o.is_own) ORDER BY t.occurred_at, t.id",
	"customers":         "(t.basis, t.value) IN (SELECT 'EMAIL', unnest(?1::text[]) UNION ALL SELECT 'CUSTOMER_ID', unnest(?2::text[])) ORDER BY t.basis, t.value",
	"visitors":          "t.id = ANY (?3) ORDER BY t.id",
	"visits":            "t.visitor_id = ANY (?3) ORDER BY t.started_at, t.id",
	"events":            "t.visitor_id = ANY (?3) ORDER BY t.occurred_at, t.id",
	"visitor_rollups":   "t.visitor_id = ANY (?3) ORDER BY t.visitor_id",
	"payment_deletions": "t.visitor_id = ANY (?3) ORDER BY t.deleted_at, t.id",
	"erasures": `t.finished_at IS NULL AND (EXISTS (SELECT FROM json_array_elements_text(t.person -> 'emails') AS i (value) WHERE i.value = ANY (?1))
		OR EXISTS (SELECT FROM json_array_elements_text(t.person -> 'customer_ids') AS i (value) WHERE i.value = ANY (?2))
		OR EXISTS (SELECT FROM json_array_elements_text(t.person -> 'visitor_ids') AS i (value) WHERE i.value = ANY (?3))) ORDER BY t.begun_at, t.id`,
	"websites": "t.visitor_rollups_until = ANY (?3)",
}

// ExportPerson answers all that is kept of a person at one moment: who it is, and then, by write, each row of the
// tables that keep something of people, table after table, as a JSON object. Columns are named as in the
// schema; amounts are in minor units. What others have paid in the same browser is not the person's. Errors:
// CodeTooManyItems if the identifiers are too many for one person, and those of begin and write.
func (s *Store) ExportPerson(ctx context.Context, site model.Website, query model.PersonQuery, begin func(model.Person) error,
	write func(table string, row json.RawMessage) error,
) error {
	snapshot := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return translate(s.db.RunInTx(ctx, snapshot, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // as long as the person has rows
			return err
		}
		person, err := findPerson(ctx, tx, site.ID, query)
		if err == nil {
			err = begin(person)
		}
		if err != nil {
			return err
		}
		for _, table := range personal {
			if err := table.export(ctx, tx, site.ID, person, write); err != nil {
				return err
			}
		}
		return nil
	}))
}

// export writes the person's rows of the table.
func (t PersonalTable) export(ctx context.Context, db bun.Tx, websiteID string, person model.Person, write func(string, json.RawMessage) error) error {
	website := bun.Ident("website_id")
	if t.Table == "websites" {
		website = "id"
	}
	columns := bun.Safe("t." + strings.Join(slices.Concat(t.Identifies, t.Tells), ", t."))
	rows, err := db.QueryContext(ctx, db.NewRaw("SELECT row_to_json(r)::text FROM (SELECT ?5 FROM ?6 t WHERE t.?7 = ?0 AND "+ownRows[t.Table]+") AS r",
		websiteID, textArray(person.Emails), textArray(person.CustomerIDs), textArray(person.VisitorIDs), traces(db, websiteID, person, 0),
		columns, bun.Ident(t.Table), website).String())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // its error is that of rows.Err
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			return err
		}
		if err := write(t.Table, json.RawMessage(row)); err != nil {
			return err
		}
	}
	return rows.Err()
}
