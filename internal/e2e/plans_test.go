package e2e_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/internal/statements"
)

// wholeLedger are the questions that may read all that there is of a website, and why. Nothing that is about
// somebody or something in particular is among them, and nothing about a month.
var wholeLedger = map[*regexp.Regexp]string{
	regexp.MustCompile(`^payments\(filter: .*\b(source|channel|referrer|utm\w+|landingPage|country|device|browser|os): `): "credits all payments to visits",
	regexp.MustCompile(`^revenueBy\(`):                                             "its groups have all visits, and credit all payments",
	regexp.MustCompile(`^revenue(OverTime)?\(.*filter: `):                          "credits all payments to visits",
	regexp.MustCompile(`^revenueByVisitor\(.*(filter|range): `):                    "adds up all payments, by visitor",
	regexp.MustCompile(`^revenueByVisitor\(orderBy: .*(GROSS|PAYMENTS|LAST_PAYM)`): "sorts all visitors: an index keeps them in the order of net revenue only",
	regexp.MustCompile(`^rollups (rebuild|verify)$`):                               "adds up all payments",
}

// namesOne finds an id of the website ID's own, other than that in a cursor.
var namesOne = regexp.MustCompile(`(= |\(|\[)'ID-`)

// mayReadAll says whether a statement may read all that there is of a website.
func mayReadAll(one statement) bool {
	if strings.Contains(one.asked, "from: ") || namesOne.MatchString(strings.ReplaceAll(one.text, one.site, "ID")) {
		return false // a month, or somebody
	}
	for question := range wholeLedger {
		if question.MatchString(one.asked) {
			return true
		}
	}
	return false
}

// unsent are the files of package db that no server sends statements of, and methods of Store.
var (
	unsentFiles = map[string]string{
		"migrate.go": "makes the tables", "distribute.go": "needs Citus", "replica.go": "asks how far servers are, and reads no table",
		"transaction.go": "sends what others have asked for", "kept.go": "forgets what connections keep",
		"quiet.go":   "sets up a connection, and reads no table",
		"samples.go": "asks what would be done, and reads as much of a table as is enough",
	}
	unsentMethods = map[string]string{
		"Close": "closes the connections", "Distribute": "needs Citus",
		"ObserveCommits": "tells of others' statements", "Pool": "counts connections", "Uncommitted": "counts what waits",
		"TakeSamples": "asks what would be done, and reads as much of a table as is enough",
	}
)

// inGroups are the methods whose statements are sent for several requests together, by another method.
var inGroups = map[string]string{
	"RecordPayment": "recordPayments", "RecordPayments": "recordPayments", "RecordVisit": "recordViews", "RecordEvent": "recordEvents",
}

// dispensable are the indexes without which nothing reads too much, and why they are there.
var dispensable = map[string]string{
	"visits_session_idx": "as a rule a visitor has few visits, but anybody can make thousands",
}

// planner explains statements on a large ledger.
type planner struct {
	*testing.T
	tx      pgx.Tx
	all     []statement
	columns map[string][]string // of the indexes of tenant tables, without queues
	known   map[string]plan     // with all indexes, by website and statement
}

// plan is what Postgres would do for a statement, as if it were about the website.
func (p planner) plan(one statement, site string) plan {
	p.Helper()
	if p.known == nil {
		return planFor(p, p.tx, one, site)
	}
	key := site + one.text
	if _, ok := p.known[key]; !ok {
		p.known[key] = planFor(p, p.tx, one, site)
	}
	return p.known[key]
}

// TestPlans reads what Postgres would do for each statement that the store can send.
func TestPlans(t *testing.T) {
	t.Parallel()
	ledger := meanwhile(func() string { return newLedger(t) })
	sent := surface(t, dbtest.NewMigrated(t))
	conn, err := pgx.Connect(t.Context(), ledger())
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	// As on a disk without a head. Else a thousand look-ups would cost more than to read a table of this size.
	_, err = tx.Exec(t.Context(), "SET LOCAL random_page_cost = 1.1")
	require.NoError(t, err)
	p := planner{t, tx, sent.all(t), columnsOfIndexes(t, tx), map[string]plan{}}
	t.Logf("%d statements", len(p.all))

	require.Empty(t, sent.missing(t, unsentFiles), "nothing in surface_test.go makes these places send a statement")
	store := reflect.TypeFor[*db.Store]()
	for i := range store.NumMethod() {
		name := store.Method(i).Name
		by, inGroup := inGroups[name]
		_, unsent := unsentMethods[name]
		require.True(t, unsent || sent.methods[name] || inGroup && sent.methods[by], "nothing in surface_test.go calls Store.%s", name)
	}

	p.check()
	p.checkKept(sent)
	p.testExceptions()
	p.testFaults()
	p.testIndexes()
}

// testExceptions sees that nothing is excepted that is not there.
func (p planner) testExceptions() {
	asks := func(matches func(asked string) bool) bool {
		return slices.ContainsFunc(p.all, func(one statement) bool { return matches(one.asked) })
	}
	for question, why := range wholeLedger {
		require.True(p, asks(question.MatchString), "nothing asks %s: %s", question, why)
	}
}

// check finds what is read without need by each statement, about a website of many and a very large one.
func (p planner) check() {
	for _, one := range p.all {
		for _, site := range []string{typicalWebsite, bigWebsite} {
			for _, fault := range p.tooMuch(one, site) {
				p.Errorf("no more of a ledger is read than is asked for, but %s for %s, by %s: %.3000s", fault, one.asked, one.sender, one.text)
			}
		}
	}
}

// manyOfOne makes the ledger one of which most websites have one payment, so that all of a website seems to be as little as
// what is looked for.
const manyOfOne = `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, currency, amount_minor, occurred_at, recorded_at, basis)
	SELECT md5(i::text), gen_random_uuid(), 't' || i, CASE WHEN i % 50 = 0 THEN 'REFUND' ELSE 'CHARGE' END, false, 't' || i, 'USD', 1, now(), now(), 'NONE'
	FROM generate_series(1, 60000) AS i`

// checkKept finds what is read without need by the statements that connections keep, whatever their values are: as the
// ledger is, and where most websites have one row.
func (p planner) checkKept(sent *collector) {
	nested, err := p.tx.Begin(p.Context())
	require.NoError(p, err)
	defer func() { require.NoError(p, nested.Rollback(p.Context())) }()
	exec := func(text string) {
		_, err := nested.Exec(p.Context(), text)
		require.NoError(p, err, text)
	}
	found := func(text string) []string {
		found, err := statements.ExplainKept(p.Context(), nested, text)
		require.NoError(p, err, text)
		return append(plan{found}.sequential(), plan{found}.entire(p.columns)...)
	}
	var byID string // finds payments
	check := func() {
		kept := 0
		for text, one := range sent.kept {
			if text == "BEGIN" || text == "COMMIT" {
				continue
			}
			if strings.Contains(text, "p.transaction_id = sent.id") {
				byID = text
			}
			kept++
			require.Empty(p, found(text), "%s, by %s: %s", one.asked, one.sender, text)
		}
		require.Greater(p, kept, 10)
	}
	check()
	require.Equal(p, []string{"payments_pkey"}, found("SELECT FROM payments p WHERE p.website_id = $1 AND p.name = $2"))
	exec(manyOfOne)
	for _, table := range db.TenantTables() {
		if table != "payments" {
			exec("ALTER TABLE " + table + " ALTER website_id SET (n_distinct = -1)")
		}
		exec("ANALYZE " + table)
	}
	check()
	exec("ALTER TABLE payments ALTER website_id SET (n_distinct = -1); ANALYZE payments")
	require.Equal(p, []string{"payments_occurred_idx", "payments_refund_idx"}, found(byID), "the migration need not say anything of payments")
}

// tooMuch are the tables, and their indexes, that a statement reads without need. One of a website of many reads no
// table from one end to the other, whatever it asks: that would be the rows of all the others. One of a website that
// has half of all rows reads not even all of its own, but for questions that are about all of them.
func (p planner) tooMuch(one statement, site string) []string {
	plan := p.plan(one, site)
	switch {
	case site == typicalWebsite:
		return plan.sequential()
	case mayReadAll(one):
		return nil
	}
	return append(plan.sequential(), plan.entire(p.columns)...)
}

// testFaults plants statements that the checks have to find.
func (p planner) testFaults() {
	for text, want := range map[string][]string{
		"SELECT FROM payments p WHERE p.website_id = 'ID' AND p.transaction_id = 'x'":                                        nil,
		"SELECT FROM payments p WHERE p.transaction_id = 'x'":                                                                {"payments_website_transaction_key"},
		"SELECT FROM payments p WHERE p.name = 'x'":                                                                          {"payments p"},
		"SELECT FROM payments p JOIN visitors v ON v.id = p.visitor_id WHERE p.website_id = 'ID' AND p.transaction_id = 'x'": {"visitors_pkey"},
		"SELECT FROM payments p WHERE p.website_id = 'ID' AND p.name = 'x'":                                                  {"payments p"},
	} {
		one := statement{text: strings.ReplaceAll(text, "ID", bigWebsite), site: bigWebsite, asked: "a planted statement"}
		require.Equal(p, want, p.tooMuch(one, bigWebsite), text)
	}
}

// queues are the indexes of which all is read, since all that is in them waits for that.
var queues = []string{"payments_waiting_idx", "erasures_unfinished_idx"}

// columnsOfIndexes are the columns of the indexes of tenant tables, but for queues.
func columnsOfIndexes(t *testing.T, tx pgx.Tx) map[string][]string {
	t.Helper()
	rows, err := tx.Query(t.Context(), `SELECT i.indexrelid::regclass::text, array_agg(a.attname ORDER BY k.n)
		FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, n) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid::regclass::text = ANY($1) AND i.indexrelid::regclass::text <> ALL ($2) GROUP BY 1`, db.TenantTables(), queues)
	require.NoError(t, err)
	columns := map[string][]string{}
	var name string
	var names []string
	_, err = pgx.ForEachRow(rows, []any{&name, &names}, func() error {
		columns[name] = names
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, columns)
	return columns
}

// testIndexes drops one index after the other: some statement then has to read too much.
func (p planner) testIndexes() {
	users := map[string][]statement{} // of the indexes
	for _, one := range p.all {
		for _, site := range []string{typicalWebsite, bigWebsite} {
			for _, index := range p.plan(one, site).indexes() {
				if !slices.ContainsFunc(users[index], func(other statement) bool { return other.text == one.text }) {
					users[index] = append(users[index], one)
				}
			}
		}
	}
	rows, err := p.tx.Query(p.Context(), `SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text = ANY($1) AND NOT indisunique ORDER BY 1`, db.TenantTables())
	require.NoError(p, err)
	indexes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(p, err)
	for index := range dispensable {
		require.Contains(p, indexes, index)
	}
	for _, index := range indexes {
		found := p.without(index, users[index])
		if dispensable[index] == "" {
			require.NotEmpty(p, found, "without the index %s nothing reads too much: drop it, or say in dispensable what it is for", index)
		} else {
			require.Empty(p, found, "the index %s is not dispensable", index)
		}
	}
}

// without is what the first of an index' users reads too much without it.
func (p planner) without(index string, users []statement) []string {
	nested, err := p.tx.Begin(p.Context())
	require.NoError(p, err)
	defer func() { require.NoError(p, nested.Rollback(p.Context())) }()
	_, err = nested.Exec(p.Context(), "DROP INDEX "+index)
	require.NoError(p, err)
	p.known = nil
	for _, one := range users {
		for _, site := range []string{typicalWebsite, bigWebsite} {
			if found := p.tooMuch(one, site); len(found) > 0 {
				return found
			}
		}
	}
	return nil
}
