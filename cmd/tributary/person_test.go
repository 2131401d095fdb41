package main_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// paidBy is a payment of 10 USD with all that can be known of who paid.
func paidBy(id, who string) string {
	return `{"amount":10,"currency":"USD","transaction_id":"` + id + `","datafast_visitor_id":"` + who + `-visitor","datafast_session_id":"` + who + `-session","customer_id":"` + who +
		`-customer","email":"` + who + `-mail@shop.example","name":"` + who + `-name","metadata":{"note":"` + who + `-note"}}`
}

// remember records two payments of somebody, a visit, and events that say who it is.
func remember(t *testing.T, server *running, key, who string) {
	t.Helper()
	for _, id := range []string{"1", "2"} {
		status, body := server.send(http.MethodPost, "/api/v1/payments", key, paidBy(who+id, who))
		require.Equal(t, http.StatusOK, status, "%s", body)
	}
	of := `visitorId: "` + who + `-visitor", sessionId: "` + who + `-session", url: "https://shop.example/` + who + `-page"`
	require.NotContains(t, server.graphQL(key, `mutation { recordVisit(input: {`+of+`, referrer: "https://`+who+`-referrer.example/"}) { __typename }
		identify: recordEvent(input: {`+of+`, type: IDENTIFY, userId: "`+who+`-customer", name: "`+who+`-name", image: "https://shop.example/`+who+`-image"}) { __typename }
		custom: recordEvent(input: {`+of+`, type: CUSTOM, name: "`+who+`-event", properties: {note: "`+who+`-note"}}) { __typename } }`), `"errors"`)
}

func TestPerson(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	site, key := op.newWebsite("shop.example")
	server := op.serve()
	remember(t, server, key, "ada")
	remember(t, server, key, "bob")
	const net = `{ revenue { net { amount } charges } }`
	before := server.graphQL(key, net)

	who := []string{"--website", "shop.example", "--email", "Ada-Mail@shop.example"}
	export := decode(t, strings.ReplaceAll(op.run(append([]string{"person", "export"}, who...)...), "\n", "")+"\n")
	require.Equal(t, object{"emails": []any{"ada-mail@shop.example"}, "customer_ids": []any{"ada-customer"}, "visitor_ids": []any{"ada-visitor"}}, object(export["person"].(map[string]any)))
	for table, n := range map[string]int{"payments": 2, "visits": 1, "events": 2, "visitors": 1, "customers": 2, "visitor_rollups": 1} {
		require.Len(t, export.list(table), n, table)
	}
	payment := export.list("payments")[0]
	require.Equal(t, []any{"ada-mail@shop.example", "ada-name", 1000.0, "ada1", map[string]any{"note": "ada-note"}},
		[]any{payment["email"], payment["name"], payment["amount_minor"], payment["transaction_id"], payment["metadata"]})
	require.NotContains(t, op.run(append([]string{"person", "export"}, who...)...), "bob")
	file := filepath.Join(t.TempDir(), "ada.json")
	require.Empty(t, op.run(append([]string{"person", "export", "--output", file}, who...)...))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.Contains(t, op.try(append([]string{"person", "export", "--output", file}, who...)...).stderr, "--output: open")

	would := op.run(append([]string{"person", "erase", "--dry-run"}, who...)...)
	require.Equal(t, `Would forget 1 e-mail, 1 customer id and 1 visitor:
  E-mail      ada-mail@shop.example
  Customer    ada-customer
  Visitor     ada-visitor
  2 payments  anonymous
  1 visit     deleted
  2 events    deleted
`, would)
	did := op.ask(append([]string{"person", "erase", "--yes"}, who...)...)
	require.Equal(t, []any{site, false, nil, 2.0, 1.0, 2.0}, []any{did["website_id"], did["dry_run"], did["person"], did["payments"], did["visits"], did["events"]})
	require.NotEmpty(t, did["id"])
	require.Equal(t, before, server.graphQL(key, net))
	op.run("rollups", "verify")
	left := decode(t, op.run(append([]string{"person", "export"}, who...)...))
	require.Equal(t, []string{"domain", "exported_at", "person", "website_id"}, left.names(), "nothing is kept")
	require.Contains(t, op.try(append([]string{"person", "export"}, who...)...).stderr, "nothing is kept of this person: see that the identifier is written as it was recorded")
	again := op.run(append([]string{"person", "erase", "--yes"}, who...)...)
	require.Contains(t, again, "No payment, visit or event is theirs")
	require.Regexp(t, `This erasure is [0-9a-f-]{36}: note it`, again)
	require.Contains(t, op.run("person", "export", "--website", site, "--visitor", "bob-visitor"), "bob-mail@shop.example")
	require.Equal(t, "Nothing that was erased is left in the files of the tables and indexes.\n", op.run("person", "scrub", "--rewrite"))
	require.Contains(t, op.try("person", "erase", "--website", "other.example", "--email", "a@b", "--yes").stderr, "website not found")
}

func TestPerson_interrupted(t *testing.T) {
	t.Parallel()
	op, dsn := onDatabase(t)
	site, key := op.newWebsite("shop.example")
	server := op.serve()
	remember(t, server, key, "ada")
	server.stopped(server.signal())
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	// As it is after a kill between two steps: the payments are anonymous, and lead nowhere any more.
	_, err = conn.Exec(t.Context(), `INSERT INTO erasures (website_id, id, token_id, person, begun_at) VALUES
		($1, gen_random_uuid(), '', '{"emails": ["ada-mail@shop.example"], "customer_ids": ["ada-customer"], "visitor_ids": ["ada-visitor"]}', now())`, site)
	require.NoError(t, err)
	server = op.serve()
	require.Eventually(t, func() bool { return strings.Contains(server.log.String(), "finished erasing people") }, patience, 10*time.Millisecond)
	left := op.run("person", "export", "--website", site, "--visitor", "ada-visitor")
	require.Equal(t, 2, strings.Count(left, "ada-visitor")+strings.Count(left, "\n"), "%s", left)
}

// TestPerson_files looks for a person in all files of a database, once it is erased and scrubbed.
func TestPerson_files(t *testing.T) {
	t.Parallel()
	op, dir := onDataDir(t)
	site, key := op.newWebsite("shop.example")
	server := op.serve()
	remember(t, server, key, "canary")
	for i := range 20 {
		remember(t, server, key, "other"+strconv.Itoa(i))
	}
	socket := filepath.Join(dir, "postgres")
	conn, err := pgx.Connect(t.Context(), "postgres://tributary@/tributary?host="+socket)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "ANALYZE")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	server.stopped(server.signal())
	logged := server.log.String()

	left := func() (files []string) {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() == "pg_wal" {
				return fs.SkipDir // the log is overwritten in time
			}
			if !entry.Type().IsRegular() {
				return nil
			}
			content, err := os.ReadFile(path)
			if strings.Contains(string(content), "canary-") {
				files = append(files, path)
			}
			return err
		}))
		return files
	}
	require.Greater(t, len(left()), 10, "in tables, indexes and statistics")
	op.run("person", "erase", "--website", site, "--visitor", "canary-visitor", "--yes")
	t.Logf("after an erasure, bytes are left in %d files", len(left()))
	op.run("person", "scrub", "--rewrite")
	require.Empty(t, left())

	server = op.serve()
	dump := exec.CommandContext(t.Context(), "pg_dump", "--host", socket, "--username", "tributary", "tributary")
	text, err := dump.CombinedOutput()
	require.NoError(t, err, "%s", text)
	require.Contains(t, string(text), "other1-visitor")
	require.NotContains(t, string(text), "canary-")
	require.NotContains(t, logged+server.log.String(), "canary-")
	require.NotContains(t, logged, "other1-")
	var revenue struct {
		Data struct {
			Revenue struct{ Charges int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(server.graphQL(key, `{ revenue { charges } }`)), &revenue))
	require.Equal(t, 42, revenue.Data.Revenue.Charges)
}

func TestServe_keepVisits(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	_, key := op.newWebsite("shop.example")
	server := op.serve()
	for name, days := range map[string]int{"old": 50, "young": 1} {
		at := time.Now().AddDate(0, 0, -days).UTC().Format(time.RFC3339)
		require.NotContains(t, server.graphQL(key, `mutation { recordVisit(input: {visitorId: "`+name+`", url: "https://shop.example/", occurredAt: "`+at+`"}) { __typename } }`), `"errors"`)
	}
	server.stopped(server.signal())
	server = op.serve("--keep-visits", "30d")
	require.Eventually(t, func() bool {
		return strings.Contains(server.graphQL(key, `{ visitor(id: "old") { id } }`), `"visitor":null`)
	}, patience, 10*time.Millisecond)
	require.Contains(t, server.graphQL(key, `{ visitor(id: "young") { visitCount } }`), `"visitCount":1`)
}
