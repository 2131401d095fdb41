package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/internal/statements"
)

// plan is what Postgres would do for a statement.
type plan struct{ statements.Plan }

// planFor is the plan for a statement, as if it were about the website.
func planFor(t testing.TB, tx pgx.Tx, one statement, site string) plan {
	t.Helper()
	text := one.text
	if one.site != "" {
		text = strings.ReplaceAll(text, one.site, site)
	}
	found, err := statements.Explain(t.Context(), tx, text)
	require.NoError(t, err, "%s sends %s", one.sender, one.text)
	return plan{found}
}

// sequential are the tenant tables that are read from one end to the other.
func (p plan) sequential() (tables []string) {
	for _, scan := range p.Scans() {
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
		indexes = append(indexes, plan{below}.entire(columns)...)
	}
	return indexes
}

// stops says whether some node needs all rows below it before it gives one.
func (p plan) stops() (does bool) {
	p.Each(func(p statements.Plan) {
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
	p.Each(func(p statements.Plan) {
		if p.Index != "" && !slices.Contains(names, p.Index) {
			names = append(names, p.Index)
		}
	})
	return names
}
