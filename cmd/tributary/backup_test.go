package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/dbtest"
)

// totals is all that the tests of backups ask a server for.
const totals = `{ website { domain timezone currency }
	revenue { gross { amount } refunded { amount } charges renewals refunds freeTrials byCurrency { currency net { amount } } unconverted { amount } }
	revenueByVisitor { edges { node { visitor { id seen } revenue { net { amount } } } } }
	payments { edges { node { transactionId kind amount { amount currency } occurredAt visitorId attribution email } } } }`

// backupCommands are the commands that OPERATIONS.md has for pg_dump and pg_restore: those for a Postgres of
// Tributary's own, and those for one that is given by its URL.
func backupCommands(t *testing.T) (own, given struct{ dump, restore string }) {
	t.Helper()
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(name); err != nil && os.Getenv("CI") == "" {
			t.Skipf("%s is not installed", name)
		}
	}
	for _, block := range codeBlocks(t, "docs/OPERATIONS.md") {
		commands := &own
		if strings.Contains(block.text, "$DATABASE_URL") {
			commands = &given
		}
		switch {
		case strings.HasPrefix(block.text, "pg_dump "):
			commands.dump = block.text
		case strings.HasPrefix(block.text, "pg_restore "):
			commands.restore = block.text
		}
	}
	for _, command := range []string{own.dump, own.restore, given.dump, given.restore} {
		require.NotEmpty(t, command, "OPERATIONS.md lacks it")
	}
	return own, given
}

// sell records payments and visits of a website, and answers its key and a token of its account.
func sell(op operator, server *running) (website, key, token string) {
	op.t.Helper()
	website, key = op.newWebsite("shop.example.com")
	token = op.ask("token", "create", "--scope", "*").text("token")
	page := event(op.ask("website", "list").list("websites")[0].text("tracking_id"), "https://shop.example.com/?utm_source=news")
	status, body := server.send(http.MethodPost, "/api/events", "", page)
	require.Equal(op.t, http.StatusOK, status, body)
	for _, payment := range []string{
		`{"amount": 29.99, "currency": "USD", "transaction_id": "t1", "datafast_visitor_id": "v", "email": "Ada@example.com"}`,
		`{"amount": 5, "currency": "USD", "transaction_id": "t2", "email": "ada@example.com", "renewal": true}`,
		`{"amount": 1.50, "currency": "USD", "transaction_id": "r1", "refunded": true, "refund_of": "t1"}`,
		`{"amount": 700, "currency": "JPY", "transaction_id": "t3"}`,
	} {
		status, body := server.send(http.MethodPost, "/api/v1/payments", key, payment)
		require.Equal(op.t, http.StatusOK, status, body)
	}
	return website, key, token
}

// requireRestored checks that a restored server is as the one of the backup was: totals, keys, tokens, and what is
// a duplicate.
func requireRestored(op operator, server *running, want, website, key, token string) {
	op.t.Helper()
	require.Equal(op.t, want, server.graphQL(key, totals))
	require.Contains(op.t, server.graphQL(token, `{ website(id: "`+website+`") { domain } }`), "shop.example.com")
	require.Contains(op.t, op.run("rollups", "verify"), ", 0 wrong\n")
	_, body := server.send(http.MethodPost, "/api/v1/payments", key, `{"amount": 29.99, "currency": "USD", "transaction_id": "t1"}`)
	require.Contains(op.t, body, "Payment already recorded")
	require.Equal(op.t, http.StatusOK, server.pay(key, "new", ""))
	require.Contains(op.t, op.run("rollups", "verify"), ", 0 wrong\n")
}

// TestBackup runs the commands of OPERATIONS.md on a server that is in use, and restores what they give.
func TestBackup(t *testing.T) {
	t.Parallel()
	commands, _ := backupCommands(t)
	op, dir := onDataDir(t)
	server := op.serve()
	website, key, token := sell(op, server)
	want := server.graphQL(key, totals)

	desk := t.TempDir() // where the operator sits
	place := filepath.Join(desk, ".tributary")
	require.NoError(t, os.Symlink(dir, place))
	op.shell(desk, commands.dump)
	require.Equal(t, http.StatusOK, server.pay(key, "after the dump", ""))

	other, otherDir := onDataDir(t)
	restored := other.serve()
	require.NoError(t, os.Remove(place))
	require.NoError(t, os.Symlink(otherDir, place))
	other.shell(desk, commands.restore)
	requireRestored(other, restored, want, website, key, token)
	restored.stopped(restored.signal())
	restored = other.serve()
	require.Contains(t, restored.graphQL(key, `{ revenue { charges } }`), `"charges":3`)
}

func TestBackup_givenDatabase(t *testing.T) {
	t.Parallel()
	_, commands := backupCommands(t)
	op, dsn := onDatabase(t)
	server := op.serve()
	website, key, token := sell(op, server)
	want := server.graphQL(key, totals)

	desk := t.TempDir()
	op.env = append(op.env, "DATABASE_URL="+dsn)
	op.shell(desk, commands.dump)
	empty := dbtest.New(t)
	other := operator{t: t, flags: []string{"--data-dir", t.TempDir(), "--database-url", empty}, env: []string{"DATABASE_URL=" + empty}}
	other.shell(desk, commands.restore)
	requireRestored(other, other.serve(), want, website, key, token)
}
