package db

import (
	"context"
	"database/sql"
	"strings"

	"github.com/uptrace/bun"

	"tributary/model"
)

// maxFaults is how many faults a check tells of one by one.
const maxFaults = 20

// VerifyRollups compares the rollups of a website with its ledger, as they are at one moment. Errors:
// CodeWebsiteNotFound.
func (s *Store) VerifyRollups(ctx context.Context, websiteID string) (model.RollupCheck, error) {
	var check model.RollupCheck
	err := s.db.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.ExecContext(ctx, "SET LOCAL statement_timeout = 0"); err != nil { // it reads the whole ledger
			return err
		}
		extent, err := readExtent(ctx, tx, websiteID)
		if err != nil {
			return err
		}
		check = model.RollupCheck{IsComplete: extent == rollupExtent{}}
		// What is there of former rollups, before they are built, is about to be cleared.
		if extent.RollupsUntil == nil || extent.RollupsUntil.After(model.EarliestPayment) {
			entries := extent.ofSpans(ledger(tx, websiteID))
			part := rollupPart{"rollups", ledgerRollups(tx, websiteID, entries), rollupColumns[1:6], rollupColumns[6:]}
			if err := part.verify(ctx, tx, websiteID, &check); err != nil {
				return err
			}
		}
		if extent.VisitorRollupsUntil == nil || *extent.VisitorRollupsUntil != "" {
			entries := extent.ofVisitors(ledger(tx, websiteID))
			part := rollupPart{"visitor_rollups", ledgerVisitorRollups(tx, websiteID, entries), visitorRollupColumns[1:2], visitorRollupColumns[2:]}
			return part.verify(ctx, tx, websiteID, &check)
		}
		return nil
	})
	return check, translate(err)
}

// rollupPart is one of the tables of rollups.
type rollupPart struct {
	table  string
	ledger *bun.SelectQuery // what it should hold
	keys   []string
	sums   []string
}

// verify adds to a check what is found.
func (p rollupPart) verify(ctx context.Context, tx bun.Tx, websiteID string, check *model.RollupCheck) error {
	keys := strings.Join(p.keys, ", ")
	var rows []struct {
		model.RollupFault
		Compared int
		Wrong    int
	}
	err := tx.NewRaw(`WITH ledger AS (?1),
		compared AS (SELECT concat_ws(' ', `+keys+`) AS of, `+p.text("k")+` AS kept, `+p.text("l")+` AS ledger
			FROM (SELECT * FROM ?2 WHERE website_id = ?0) AS k FULL JOIN ledger AS l USING (website_id, `+keys+`)),
		wrong AS (SELECT * FROM compared WHERE kept <> ledger)
		SELECT n.*, w.* FROM (SELECT (SELECT count(*) FROM compared) AS compared, (SELECT count(*) FROM wrong) AS wrong) AS n
		LEFT JOIN (SELECT * FROM wrong ORDER BY of LIMIT ?3) AS w ON true`,
		websiteID, p.ledger, bun.Ident(p.table), maxFaults).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	check.Compared += rows[0].Compared
	check.Others += rows[0].Wrong
	for _, row := range rows[:min(len(rows), rows[0].Wrong)] {
		check.Faults = append(check.Faults, row.RollupFault)
		check.Others--
	}
	return nil
}

// text is the sums of a row, for people; empty if there is no row.
func (p rollupPart) text(row string) string {
	values := make([]string, len(p.sums))
	for i, column := range p.sums {
		values[i] = "'" + column + " ' || " + row + "." + column
	}
	return "CASE WHEN " + row + ".website_id IS NULL THEN '' ELSE concat_ws(', ', " + strings.Join(values, ", ") + ") END"
}
