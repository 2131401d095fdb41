package main_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"tributary/internal/tracetest"
)

// canaries are what only the answer to somebody who may ask for it shows: what a person is known by, and what a client
// says of itself. The tokens come besides.
var canaries = []string{"canary@example.com", "Canary Person", "canary_customer", "canary_visitor", "canary_metadata", "canary_agent"}

// canaryPayment is a payment with all of them, of which each has another id.
const canaryPayment = `{"amount": 5, "currency": "USD", "transaction_id": "NEW", "datafast_visitor_id": "canary_visitor", "customer_id": "canary_customer",
	"email": "Canary@example.com", "name": "Canary Person", "metadata": {"plan": "canary_metadata"}}`

// canaryRun is a server with a person in its requests, on whose Postgres the test is a superuser.
type canaryRun struct {
	*testing.T
	server    *running
	collector *tracetest.Collector
	admin     string // URL of the superuser
	site      object

	mu      sync.Mutex
	answers strings.Builder // to what was refused; of all, the headers
}

func newCanaryRun(t *testing.T, op operator, admin string) *canaryRun {
	t.Helper()
	collector := tracetest.New(t)
	server := op.serve("--traces", collector.URL)
	return &canaryRun{T: t, server: server, collector: collector, admin: admin, site: op.ask("website", "create", "--domain", "shop.example.com")}
}

// run does it all, and answers the entries of logs in which something was found.
func (r *canaryRun) run(postgresLog string) (found []string) {
	r.Helper()
	r.admin = strings.Replace(r.admin, "/postgres?", "/tributary?", 1)
	r.accepted()
	r.refused()
	r.violations()
	r.interruptions()
	r.server.stopped(r.server.signal())
	log, err := os.ReadFile(postgresLog)
	require.NoError(r, err)
	for _, happened := range []string{"the database cannot answer", "SQLSTATE 22P02", "SQLSTATE 23514", "SQLSTATE 23505"} {
		require.Contains(r, r.server.log.String(), happened)
	}
	key := r.site.text("key")
	secrets := append([]string{key[3:20], key[20:]}, canaries...)
	for name, text := range map[string]string{"server": r.server.log.String(), "Postgres": strings.ReplaceAll(string(log), "\n\t", " "), "answer": r.answers.String()} {
		found = append(found, search(name, text, secrets)...)
	}
	return append(found, r.inTraces(secrets)...)
}

// inTraces is what is found in spans, in which there is nothing either that leads to somebody or tells of what was asked.
func (r *canaryRun) inTraces(secrets []string) []string {
	r.Helper()
	trees := r.collector.Tree()
	for _, recorded := range []string{
		"POST /api/v1/payments ", "POST /api/events ", "POST /graphql ", "POST /api/ ", "POST / ", "mutation recordPayment ", "query payments ", "read payments ",
		"commit payments STATUS_CODE_ERROR ", "commit pageviews ", "commit events ", "error.type=INVALID_JSON", "error.type=INTERNAL", "error.type=UNAVAILABLE",
	} {
		require.Contains(r, trees, recorded)
	}
	traceID := regexp.MustCompile(`"the database cannot answer",.*"trace_id":"([0-9a-f]{32})"`).FindStringSubmatch(r.server.log.String())
	require.Len(r, traceID, 2)
	require.True(r, slices.ContainsFunc(r.collector.Spans(), func(span *trace.Span) bool { return hex.EncodeToString(span.TraceId) == traceID[1] }))
	return search("traces", r.collector.Text(), append(secrets, "canary", "new-", "mozilla", "127.0.0.1", "select ", "insert ", "sqlstate", "shop.example",
		r.site.text("id"), r.site.text("tracking_id")))
}

// search is what is found of secrets in lines of text.
func search(name, text string, secrets []string) (found []string) {
	for line := range strings.Lines(text) {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(line), strings.ToLower(secret)) {
				found = append(found, fmt.Sprintf("%s: %s: %.300s", secret, name, line))
				break
			}
		}
	}
	return found
}

// send sends a request, and answers the status and whether it was a success.
func (r *canaryRun) send(path, token, contentType, body string) (status int, ok bool) {
	r.Helper()
	body = strings.ReplaceAll(body, "NEW", fmt.Sprint("new-", newIDs.Add(1)))
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.server.place.text("url")+path, strings.NewReader(body))
	if err != nil {
		r.Error(err)
		return 0, false
	}
	req.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Content-Type": {contentType}, "User-Agent": {"Mozilla/5.0 canary_agent"},
		"Tracestate": {"vendor=canary_agent"}, "Baggage": {"email=canary@example.com"}, "X-Request-Id": {"canary_agent"},
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Error(err)
		return 0, false
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Error(err)
	}
	ok = res.StatusCode == http.StatusOK && !strings.Contains(string(text), `"errors"`)
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = res.Header.Write(&r.answers)
	if !ok {
		r.answers.Write(append(text, '\n'))
	}
	return res.StatusCode, ok
}

func (r *canaryRun) pay() (status int, ok bool) {
	return r.send("/api/v1/payments", r.site.text("key"), "application/json", canaryPayment)
}

// payGraphQL is pay by the other way.
func (r *canaryRun) payGraphQL() (status int, ok bool) {
	return r.send("/graphql", r.site.text("key"), "application/json", `{"query": "mutation { recordPayment(input: {transactionId: \"NEW\", amount: 5, currency: \"USD\",`+
		` email: \"canary@example.com\", name: \"Canary Person\", customerId: \"canary_customer\", visitorId: \"canary_visitor\"}) { outcome } }"}`)
}

// forget deletes the payments of the person's visitor.
func (r *canaryRun) forget() (status int, ok bool) {
	return r.send("/graphql", r.site.text("key"), "application/json", `{"query": "mutation { deletePayments(input: {visitorId: \"canary_visitor\"}) { deletedCount } }"}`)
}

// accepted sends what is recorded and answered.
func (r *canaryRun) accepted() {
	r.Helper()
	tracked := `{"websiteId": "` + r.site.text("tracking_id") + `", "visitorId": "canary_visitor", "sessionId": "s", "href": "https://shop.example.com/?email=canary@example.com", "type": "%s", "extraData": %s}`
	for body, path := range map[string]string{
		canaryPayment:                          "/api/v1/payments",
		fmt.Sprintf(tracked, "pageview", `{}`): "/api/events",
		fmt.Sprintf(tracked, "identify", `{"user_id": "canary_customer", "name": "Canary Person", "email": "canary@example.com"}`): "/api/events",
		`{"query": "{ payments(filter: {customerId: \"canary_customer\"}) { edges { node { email name } } } }"}`:                   "/graphql",
	} {
		_, ok := r.send(path, r.site.text("key"), "application/json", body)
		require.True(r, ok, body)
	}
}

// refused sends what is wrong, and has people in it all the same.
func (r *canaryRun) refused() {
	r.Helper()
	key, person := r.site.text("key"), `canary@example.com Canary Person canary_customer`
	for _, body := range []string{
		`{"amount": 5, "email": "canary@example.com`, `{"email": "canary@example.com", "email": "canary@example.com"}`, `{"canary@example.com": 1} x`,
		`{"amount": "canary@example.com", "currency": "canary@example.com", "transaction_id": "canary@example.com\u0000", "timestamp": "canary@example.com", "email": "canary@example.com "}`,
		`{"query": "{ nothing(email: \"canary@example.com\") { id } }"}`, `{"query": "{ payments(filter: {kinds: canary_customer}, first: \"Canary Person\", after: \"canary@example.com\") { x } }"}`,
		`{"query": "query($x: Decimal) { payments(first: $x) { pageInfo { hasNextPage } } }", "variables": {"x": "canary@example.com"}}`, `{"query": "canary@example.com`,
		`{"query": "{ revenue(websiteId: \"canary@example.com\") { charges } }"}`, `{"query": "{ revenue { charges } }", "operationName": "canary_customer"}`,
		person,
	} {
		for _, path := range []string{"/api/v1/payments", "/graphql", "/api/events", "/api/v1/payments?email=canary@example.com", "/api/canary@example.com", "/canary@example.com"} {
			for _, contentType := range []string{"application/json", "text/canary_customer"} {
				for _, token := range []string{key, key[:len(key)-1] + "!", "canary@example.com"} {
					_, ok := r.send(path, token, contentType, body)
					require.False(r, ok, "%s %s", path, body)
				}
			}
		}
	}
}

// violations has Postgres refuse what the program accepts.
func (r *canaryRun) violations() {
	r.Helper()
	admin := connect(r.T, r.admin)
	for _, one := range [][2]string{
		{"ALTER TABLE payments ADD CONSTRAINT planted CHECK (customer_id !~ '^canary') NOT VALID", "ALTER TABLE payments DROP CONSTRAINT planted"},
		{"ALTER TABLE payments ADD CONSTRAINT planted CHECK (name::int > 0) NOT VALID", "ALTER TABLE payments DROP CONSTRAINT planted"},
		{"CREATE UNIQUE INDEX planted ON payments (website_id, email_folded)", "DROP INDEX planted"},
	} {
		_, err := admin.Exec(r.Context(), one[0])
		require.NoError(r, err)
		for _, pay := range []func() (int, bool){r.pay, r.payGraphQL} {
			_, ok := pay()
			require.False(r, ok, one[0])
		}
		_, err = admin.Exec(r.Context(), one[1])
		require.NoError(r, err)
	}
}

// interruptions has statements end that are under way: they are cancelled, meet a deadlock, lose their connection, and
// their Postgres.
func (r *canaryRun) interruptions() {
	r.Helper()
	holder := connect(r.T, r.admin)
	for _, one := range []struct {
		send func() (int, bool)
		end  func(pid int)
	}{
		{r.pay, func(pid int) { r.exec(connect(r.T, r.admin), "SELECT pg_cancel_backend($1)", pid) }},
		{r.payGraphQL, func(pid int) { r.exec(connect(r.T, r.admin), "SELECT pg_cancel_backend($1)", pid) }},
		{r.pay, func(int) { _, _ = holder.Exec(r.Context(), "LOCK TABLE customers IN ACCESS EXCLUSIVE MODE") }}, // a deadlock, of which one is the victim
		{r.forget, func(pid int) { r.exec(connect(r.T, r.admin), "SELECT pg_cancel_backend($1)", pid) }},
		{r.forget, func(pid int) { // another deadlock, over the lock of the website
			_, _ = holder.Exec(r.Context(), "SELECT pg_advisory_xact_lock(classid::bigint << 32 | objid::bigint) FROM pg_locks WHERE pid = $1 AND locktype = 'advisory'", pid)
		}},
		{r.pay, func(pid int) { r.exec(connect(r.T, r.admin), "SELECT pg_terminate_backend($1)", pid) }},
		{r.forget, func(pid int) { require.NoError(r, syscall.Kill(pid, syscall.SIGKILL)) }},
	} {
		r.exec(holder, "BEGIN")
		r.exec(holder, "LOCK TABLE payments IN EXCLUSIVE MODE")
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			one.send()
		}()
		one.end(r.waiting())
		_, _ = holder.Exec(r.Context(), "ROLLBACK") // fails if its connection is lost too
		<-ended
	}
	require.Eventually(r, func() bool { _, ok := r.pay(); return ok }, patience, 50*time.Millisecond, "Postgres comes back")
}

func (r *canaryRun) exec(conn *pgx.Conn, statement string, args ...any) {
	r.Helper()
	_, err := conn.Exec(r.Context(), statement, args...)
	require.NoError(r, err, statement)
}

// waiting is the process of the session that waits to insert a payment or to delete those of the person, once one does.
func (r *canaryRun) waiting() (pid int) {
	r.Helper()
	conn := connect(r.T, r.admin)
	require.Eventually(r, func() bool {
		return conn.QueryRow(r.Context(), `SELECT pid FROM pg_stat_activity WHERE application_name = 'tributary' AND wait_event_type = 'Lock' AND (query LIKE 'INSERT INTO "payments"%' OR query LIKE '%canary%')`).Scan(&pid) == nil
	}, patience, 5*time.Millisecond)
	return pid
}
