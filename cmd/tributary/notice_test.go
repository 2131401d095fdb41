package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// noticeMax is how long after a change was committed a server may go on as before.
const noticeMax = time.Second

// answerChange is a command that changes what a server answers to a request.
type answerChange struct {
	command           []string
	path, token, body string // NEW in the body is another id each time
	before, after     int    // the statuses
	committed         string // a query that says whether the change was committed
}

// TestServe_notices has two servers asked without a pause while a third process changes what they may answer. Neither
// answers as before to a request that begins after the command has ended, or a second after the change.
func TestServe_notices(t *testing.T) {
	t.Parallel()
	op, dsn := onDatabase(t)
	made := op.ask("website", "create", "--domain", "shop.example.com")
	servers := []*running{op.serve("--event-rate", "0"), op.serve("--event-rate", "0")}
	site, key := made.text("id"), made.text("key")
	account := op.ask("account", "list").list("accounts")[0].text("id")
	revoked, token := op.ask("key", "create"), op.ask("token", "create", "--scope", "*")
	const payments = "/api/v1/payments"
	question := `{"query": "{ revenue(websiteId: \"` + site + `\") { charges } }"}`
	pageview := event(made.text("tracking_id"), "https://shop.example.com/")

	for _, c := range []answerChange{
		{[]string{"key", "revoke", revoked.text("id")}, payments, revoked.text("key"), payment("NEW"), 200, 401, "SELECT bool_or(revoked_at IS NOT NULL) FROM tokens WHERE prefix = 'df_'"},
		{[]string{"token", "revoke", token.text("id")}, "/graphql", token.text("token"), question, 200, 401, "SELECT bool_or(revoked_at IS NOT NULL) FROM tokens WHERE prefix = 'dft_'"},
		{[]string{"website", "suspend", site}, payments, key, payment("NEW"), 200, 403, "SELECT suspended FROM websites"},
		{[]string{"website", "resume", site}, "/api/events", "", pageview, 403, 200, "SELECT NOT suspended FROM websites"},
	} {
		c.notice(t, op, dsn, servers)
	}
	op.run("account", "limit", account, "1")
	limited := answerChange{[]string{"account", "limit", account, "0"}, payments, key, payment("NEW"), 429, 200, "SELECT event_limit = 0 FROM accounts"}
	status, _, err := limited.send(servers[0])
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "the one that the limit allows")
	limited.notice(t, op, dsn, servers)
}

// newIDs counts the ids that were sent.
var newIDs atomic.Int64

func (c answerChange) send(server *running) (int, string, error) {
	body := strings.ReplaceAll(c.body, "NEW", fmt.Sprint("new-", newIDs.Add(1)))
	return server.trySend(http.MethodPost, c.path, c.token, body)
}

// notice runs the command, and fails if a server does not notice in time.
func (c answerChange) notice(t *testing.T, op operator, dsn string, servers []*running) {
	t.Helper()
	for _, server := range servers {
		status, body, err := c.send(server)
		require.NoError(t, err)
		require.Equal(t, c.before, status, "before %s: %s", c.command, body)
	}
	var ended atomic.Bool
	var asking sync.WaitGroup
	last := make([]time.Time, len(servers)) // begin of the last request that was answered as before
	for i, server := range servers {
		asking.Go(func() {
			for !ended.Load() {
				begin := time.Now()
				status, body, err := c.send(server)
				if status == c.before {
					last[i] = begin
				} else if err != nil || status != c.after {
					t.Errorf("during %s: %d %s %v", c.command, status, body, err)
					return
				}
			}
		})
	}
	var committed time.Time
	asking.Go(func() { committed = c.commitTime(t, dsn, &ended) })
	op.run(c.command...)
	returned := time.Now()
	for _, server := range servers {
		status, body, err := c.send(server)
		require.NoError(t, err)
		require.Equal(t, c.after, status, "after %s: %s", c.command, body)
	}
	ended.Store(true)
	asking.Wait()
	require.False(t, committed.IsZero(), "%s changed nothing", c.command)
	for _, at := range last {
		require.False(t, at.IsZero(), "nobody asked before %s", c.command)
		require.Less(t, at.Sub(committed), noticeMax, "%s was not noticed in time", c.command)
		require.True(t, at.Before(returned), "%s says that it holds, and it did not", c.command)
	}
	t.Logf("%s was noticed %s and %s after it was committed", c.command, last[0].Sub(committed), last[1].Sub(committed))
}

// commitTime waits for the change to be committed, and answers when it was seen to be.
func (c answerChange) commitTime(t *testing.T, dsn string, ended *atomic.Bool) time.Time {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Error(err)
		return time.Time{}
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for isDone := false; !ended.Load(); {
		if err := conn.QueryRow(t.Context(), c.committed).Scan(&isDone); err != nil {
			t.Error(err)
			return time.Time{}
		}
		if isDone {
			return time.Now()
		}
	}
	return time.Time{}
}
