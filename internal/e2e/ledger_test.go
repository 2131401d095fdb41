package e2e_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
)

// The websites of a ledger that plans are made for: one of many, and one that has half of all rows.
const (
	smallWebsites  = 300
	typicalWebsite = "000000000000000000000007"
	bigWebsite     = "bbbbbbbbbbbbbbbbbbbbbbbb"
)

// newLedger makes a database with so many rows of so many websites that what Postgres does with them is what it
// would do with more, and answers its URL.
func newLedger(t *testing.T) string {
	t.Helper()
	dsn := dbtest.NewMigrated(t)
	s := open(t, options{DSN: dsn})
	s.sql.SetMaxOpenConns(1) // which has the script's temporary table
	script, err := os.ReadFile("testdata/ledger.sql")
	require.NoError(t, err)
	s.exec(t, strings.NewReplacer(
		":account", "'ledger'", ":small", fmt.Sprint(smallWebsites), ":largest", "'"+bigWebsite+"'",
		":noon", "'"+noon.Format("2006-01-02 15:04:05Z07:00")+"'::timestamptz", ":visits", "100000", ":payments", "60000",
	).Replace(string(script)))
	for _, table := range db.TenantTables() {
		require.Greater(t, s.count(t, table), 15_000, "fill the table %s in testdata/ledger.sql: a plan for a small table says nothing", table)
		require.Greater(t, s.count(t, table+" WHERE website_id = $1", typicalWebsite), 10, table)
	}
	s.exec(t, "VACUUM ANALYZE")
	return dsn
}
