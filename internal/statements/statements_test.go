package statements_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/internal/dbtest"
	"tributary/internal/statements"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestSplit(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"BEGIN", `SELECT 'a;''b', "c;"`, "SELECT 1 -- ;", "SELECT $x$;$x$ /* ; */"},
		statements.Split(`BEGIN;SELECT 'a;''b', "c;";SELECT 1 -- ;`+"\n;;SELECT $x$;$x$ /* ; */;"))
	require.Empty(t, statements.Split(""))
}

func TestShape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT 'it''s', 12.5, v2 FROM t1 WHERE a IN (1, 2, 3)":      "SELECT ?, v2 FROM t1 WHERE a IN (?)",
		"INSERT INTO t (a) VALUES ('x', NULL, 1), ('y', TRUE, 2)":    "INSERT INTO t (a) VALUES (?)",
		`SELECT "a'b" FROM t WHERE x = 'SELECT 1; (2)' AND y = null`: `SELECT "a'b" FROM t WHERE x = ? AND y = ?`,
	} {
		require.Equal(t, want, statements.Shape(text))
	}
}

// TestWebsites asks of statements with and without faults which websites they name.
func TestWebsites(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.NewMigrated(t))
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	a, b := strings.Repeat("a", 24), strings.Repeat("b", 24)
	inserted := []string{"inserted customers"}
	for text, want := range map[string]struct{ websites, strangers []string }{
		"SELECT FROM payments WHERE website_id = 'A'":                                                                                 {[]string{a}, nil},
		"SELECT FROM payments p, websites w WHERE p.website_id = 'A' AND w.id = 'B' AND p.name = 'x'":                                 {[]string{a}, nil},
		"SELECT FROM payments p, payments q WHERE p.website_id = 'A' AND q.website_id = p.website_id AND p.is_refund AND q.id = p.id": {[]string{a}, nil},
		"SELECT FROM payments p WHERE p.transaction_id = 'x'":                                                                         {nil, []string{"payments p"}},
		"SELECT FROM payments p WHERE p.website_id = 'A' OR p.amount_minor > 5":                                                       {nil, []string{"payments p"}},
		"SELECT FROM payments p WHERE NOT (p.website_id = 'A')":                                                                       {nil, []string{"payments p"}},
		"SELECT FROM payments p WHERE p.website_id IN ('A', 'B')":                                                                     {nil, []string{"payments p"}},
		"SELECT FROM payments p WHERE p.website_id >= 'A'":                                                                            {nil, []string{"payments p"}},
		"SELECT FROM payments p WHERE p.name = $$x AND (p.website_id = 'A'::text)$$":                                                  {nil, []string{"payments p"}},
		"SELECT FROM payments p JOIN visitors v ON v.id = p.visitor_id WHERE p.website_id = 'A'":                                      {[]string{a}, []string{"visitors v"}},
		"SELECT FROM payments p JOIN visitors v ON v.website_id = 'B' WHERE p.website_id = 'A'":                                       {[]string{a, b}, nil},
		"SELECT FROM visits v WHERE website_id = 'A' AND EXISTS (SELECT FROM events e WHERE e.visit_id = v.id)":                       {[]string{a}, []string{"events e"}},
		"WITH gone AS (DELETE FROM events RETURNING id) SELECT FROM gone":                                                             {nil, []string{"events events"}},
		"UPDATE visits SET pageviews = 2 WHERE website_id = 'A' AND visitor_id = 'x'":                                                 {[]string{a}, nil},
		"UPDATE visits t SET pageviews = 2 FROM (VALUES ('A'), ('B')) AS s (a) WHERE t.website_id = s.a":                              {nil, []string{"visits t"}},
		"INSERT INTO customers (website_id, basis, value) VALUES ('A', 'EMAIL', 'x')":                                                 {[]string{a}, nil},
		"INSERT INTO customers (website_id, basis, value) VALUES ('A', 'EMAIL', 'x'), ('A', 'EMAIL', '(''B')":                         {[]string{a}, nil},
		"INSERT INTO customers (website_id, basis, value) VALUES ('A', 'EMAIL', 'x'), ('B', 'EMAIL', 'y')":                            {[]string{a, b}, nil},
		"INSERT INTO customers (basis, website_id, value) VALUES ('EMAIL', 'A', 'x'), ('EMAIL', 'A', 'y')":                            {nil, inserted},
		"INSERT INTO customers (website_id, basis, value) SELECT 'A', 'EMAIL', n FROM unnest('{x}'::text[]) n":                        {[]string{a}, nil},
		"INSERT INTO customers (website_id, basis, value) SELECT id, 'EMAIL', 'x' FROM websites":                                      {nil, inserted},
		"SELECT FROM tokens WHERE website_id = 'A'":                                                                                   {nil, nil},
	} {
		text = strings.NewReplacer("'A'", "'"+a+"'", "'B'", "'"+b+"'").Replace(text)
		plan, err := statements.Explain(t.Context(), conn, text)
		require.NoError(t, err, text)
		websites, strangers := statements.Websites(text, plan)
		require.Equal(t, fmt.Sprint(want.websites, want.strangers), fmt.Sprint(websites, strangers), text)
	}
}
