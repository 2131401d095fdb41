package main_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServe_demo(t *testing.T) {
	t.Parallel()
	op, dir := onDataDir(t)
	cmd := op.command("serve", "--demo", "--listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text := readUntil(t, stdout, "Ctrl-C stops")

	commands := regexp.MustCompile(`(?m)^curl (?:.*\\\n)+.*$`).FindAllString(text, -1)
	require.Len(t, commands, 2)
	paid := regexp.MustCompile(`"transaction_id": "(demo_\d{8}_\d{6})"`).FindStringSubmatch(commands[0])
	require.NotNil(t, paid, "the id is another at each start")
	require.JSONEq(t, `{"message": "Payment recorded and attributed successfully", "transaction_id": "`+paid[1]+`"}`, op.shell(dir, commands[0]))
	shown := op.shell(dir, commands[1])
	require.Contains(t, shown, `"transactionId":"`+paid[1]+`","amount":{"amount":"29.99","currency":"USD"}`)
	require.Contains(t, shown, `"firstVisit":{"source":"`)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, stdout)
	require.NoError(t, cmd.Wait())

	file := filepath.Join(dir, "demo.json")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	again := op.serve("--demo")
	key := again.demoKey()
	require.Contains(t, text, key, "a second start has the same key")
	require.Len(t, op.ask("website", "list").list("websites"), 1, "and the same website")
	require.Contains(t, again.graphQL(key, `{ payments(filter: {transactionId: "`+paid[1]+`"}) { edges { node { kind } } } }`), "CHARGE")
	status, page := again.send(http.MethodGet, "/playground", "", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, key)
	require.Contains(t, page, "RevenueBySource")
	_, docs := again.send(http.MethodGet, "/docs/", "", "")
	require.Contains(t, docs, key)
	again.stopped(again.signal())
	require.NotContains(t, again.log.String(), key[len("df_"):])

	require.NoError(t, os.Remove(file))
	last := op.serve("--demo")
	require.NotEqual(t, key, last.demoKey(), "a lost key is replaced")
	require.Contains(t, last.graphQL(last.demoKey(), "{ website { domain } }"), "demo.example")
	last.stopped(last.signal())

	without := op.serve()
	require.NotContains(t, without.place.names(), "demo")
	_, page = without.send(http.MethodGet, "/playground", "", "")
	require.False(t, strings.Contains(page, last.demoKey()), "only --demo shows the key")
}

// demoKey is the key that the server says its demo has.
func (r *running) demoKey() string {
	r.t.Helper()
	demo, _ := r.place["demo"].(map[string]any)
	require.NotEmpty(r.t, object(demo).text("key"))
	return object(demo).text("key")
}
