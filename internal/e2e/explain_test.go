package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
)

// plan is a node of what Postgres would do for a statement.
type plan struct {
	Node      string `json:"Node Type"`
	Operation string // of ModifyTable
	Relation  string `json:"Relation Name"`
	Alias     string
	Index     string `json:"Index Name"`

	IndexCond   string `json:"Index Cond"`
	RecheckCond string `json:"Recheck Cond"`
	Filter      string
	Plans       []plan
}

// planFor is the plan for a statement, as if it were about the website.
func planFor(t testing.TB, tx pgx.Tx, one statement, site string) plan {
	t.Helper()
	text := one.text
	if one.site != "" {
		text = strings.ReplaceAll(text, one.site, site)
	}
	var raw []byte
	err := tx.QueryRow(t.Context(), "EXPLAIN (VERBOSE, FORMAT JSON) "+text, pgx.QueryExecModeSimpleProtocol).Scan(&raw)
	require.NoError(t, err, "%s sends %s", one.sender, one.text)
	var plans []struct{ Plan plan }
	require.NoError(t, json.Unmarshal(raw, &plans))
	return plans[0].Plan
}

// each visits the node and all below it.
func (p plan) each(visit func(p plan)) {
	visit(p)
	for _, below := range p.Plans {
		below.each(visit)
	}
}

// scans are the nodes that read a tenant table.
func (p plan) scans() (scans []plan) {
	p.each(func(p plan) {
		if strings.Contains(p.Node, "Scan") && p.Node != "Bitmap Index Scan" && slices.Contains(db.TenantTables(), p.Relation) {
			scans = append(scans, p)
		}
	})
	return scans
}

// sequential are the tenant tables that are read from one end to the other.
func (p plan) sequential() (tables []string) {
	for _, scan := range p.scans() {
		if scan.Node == "Seq Scan" {
			tables = append(tables, scan.Relation+" "+scan.Alias)
		}
	}
	return tables
}

// entire are the indexes of which all of a website is read: those of which not both the website and the next column
// are looked up. To read one in order until there are enough rows is none of it.
func (p plan) entire(columns map[string][]string) (indexes []string) {
	if p.Node == "Limit" && !p.stops() {
		return nil
	}
	lookedUp := strings.Fields(strings.Map(letters, p.IndexCond))
	for _, column := range columns[p.Index][:min(2, len(columns[p.Index]))] {
		if !slices.Contains(lookedUp, column) && !slices.Contains(indexes, p.Index) {
			indexes = append(indexes, p.Index)
		}
	}
	for _, below := range p.Plans {
		indexes = append(indexes, below.entire(columns)...)
	}
	return indexes
}

// stops says whether some node needs all rows below it before it gives one.
func (p plan) stops() (does bool) {
	p.each(func(p plan) {
		does = does || slices.Contains([]string{"Sort", "Aggregate", "Hash", "WindowAgg", "Bitmap Heap Scan", "Incremental Sort"}, p.Node)
	})
	return does
}

// letters leaves the names of columns in a condition.
func letters(r rune) rune {
	if r == '_' || unicode.IsLetter(r) {
		return r
	}
	return ' '
}

// indexes are those that are used.
func (p plan) indexes() (names []string) {
	p.each(func(p plan) {
		if p.Index != "" && !slices.Contains(names, p.Index) {
			names = append(names, p.Index)
		}
	})
	return names
}

// strangers are the tenant tables that are read without naming the website by its id. That of another table's row
// is not enough: for Citus, each part of the statement says itself where its rows are.
func (p plan) strangers(site string) (tables []string) {
	for _, scan := range p.scans() {
		names := scan.Alias + ".website_id = '" + site + "'::text"
		if !strings.Contains(scan.IndexCond+" "+scan.RecheckCond+" "+scan.Filter, names) {
			tables = append(tables, scan.Relation+" "+scan.Alias)
		}
	}
	return tables
}

// inserts says whether rows of a tenant table are inserted.
func (p plan) inserts() (does bool) {
	p.each(func(p plan) {
		does = does || p.Operation == "Insert" && slices.Contains(db.TenantTables(), p.Relation)
	})
	return does
}
