package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

func TestServe(t *testing.T) {
	t.Parallel()

	t.Run("answers what it says it does", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		_, key := op.newWebsite("shop.example.com")
		server := op.serve()
		require.Equal(t, []string{"data_dir", "database", "docs", "graphql", "payments", "playground", "url", "version", "websites"}, server.place.names())
		require.Equal(t, "given", server.place["database"])
		require.Equal(t, 1.0, server.place["websites"])
		url := server.place.text("url")
		for _, path := range []string{"/", "/healthz", "/readyz", strings.TrimPrefix(server.place.text("playground"), url), strings.TrimPrefix(server.place.text("docs"), url)} {
			status, _ := server.send(http.MethodGet, path, "", "")
			require.Equal(t, http.StatusOK, status, path)
		}
		status, body := server.send(http.MethodPost, strings.TrimPrefix(server.place.text("payments"), url), key, payment("payment_456"))
		require.Equal(t, http.StatusOK, status)
		require.JSONEq(t, `{"message": "Payment recorded successfully", "transaction_id": "payment_456"}`, body)
		require.Contains(t, server.graphQL(key, `{ payments { edges { node { transactionId } } } }`), "payment_456")
		require.Contains(t, server.graphQL(key, `mutation { recordVisit(input: { visitorId: "v", url: "https://shop.example.com/",
			userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0" }) { visit { browser device os } } }`),
			`{"browser":"Firefox","device":"desktop","os":"Windows"}`)
	})

	t.Run("takes events, as many as one address may send", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		made := op.ask("website", "create", "--domain", "shop.example.com")
		send := func(server *running, from string) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.place.text("url")+"/api/events", strings.NewReader(event(made.text("tracking_id"), "https://shop.example.com/")))
			require.NoError(t, err)
			r.Header = http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {from}, "Cf-Ipcountry": {"FR"}}
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			return res.StatusCode, res.Header.Get("Retry-After")
		}
		// statuses are those of more events than an address may send at once, from two addresses in turn.
		statuses := func(server *running) (refused int) {
			for i := range 40 {
				status, retry := send(server, fmt.Sprintf("203.0.113.%d", i%2))
				if status == http.StatusTooManyRequests {
					refused++
					require.Equal(t, "1", retry)
				}
			}
			return refused
		}
		alone := op.serve("--event-rate", "1")
		require.Greater(t, statuses(alone), 25, "they come from one peer")
		require.Equal(t, 1, strings.Count(alone.log.String(), "name it with --trusted-proxy"))
		require.NotContains(t, alone.log.String(), "203.0.113")
		require.Contains(t, alone.graphQL(made.text("key"), `{ visitor(id: "v") { firstVisit { country } } }`), `"country":null`)
		behind := op.serve("--event-rate", "1", "--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "::1")
		require.Less(t, statuses(behind), 25)
		require.NotContains(t, behind.log.String(), "--trusted-proxy")
		early := op.serve()
		status, _ := send(early, "203.0.113.1")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, early.log.String(), "name it with --trusted-proxy", "at the first event, since it comes from this machine")
		require.Zero(t, statuses(op.serve("--event-rate", "0")))
	})

	t.Run("says what is wrong with a file of countries", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		o := op.try("serve", "--listen", "127.0.0.1:0", "--geoip", "serve_test.go")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "--geoip: serve_test.go cannot be read as a MaxMind database (.mmdb)")
		o = op.try("serve", "--trusted-proxy", "proxy.example.com")
		require.Equal(t, 2, o.code)
		require.Contains(t, o.stderr, "must be an address such as 10.0.0.7")
	})

	t.Run("shows its figures at an address of their own, if there is one", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		_, key := op.newWebsite("shop.example.com")
		server := op.serve("--metrics-listen", "127.0.0.1:0")
		require.Equal(t, http.StatusOK, server.pay(key, "payment_1", ""))
		at, text := server.figures()
		for _, figure := range []string{
			`tributary_http_request_duration_seconds_count{method="POST",route="/api/v1/payments",status="2xx"} 1`,
			`tributary_commit_batch_size_count{of="payments"} 1`,
			`tributary_db_connections_max{database="primary"} 20`,
		} {
			require.Contains(t, text, figure)
		}
		status, _ := server.send(http.MethodGet, "/metrics", "", "")
		require.Equal(t, http.StatusNotFound, status)
		o := op.try("serve", "--listen", "127.0.0.1:0", "--allow-unsafe-database", "--metrics-listen", strings.TrimSuffix(strings.TrimPrefix(at, "http://"), "/metrics"))
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "choose another address with --metrics-listen")
		server.stopped(server.signal())
		require.NotContains(t, server.log.String(), "not served to the end")
	})

	t.Run("logs JSON to what is no terminal", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		server := op.serve()
		server.stopped(server.signal())
		lines := strings.Split(strings.TrimSpace(server.log.String()), "\n")
		for _, line := range lines {
			require.Regexp(t, `^\{"time":.*,"level":"[A-Z]+","msg":.*\}$`, line)
		}
		require.Contains(t, lines[len(lines)-1], `"stopped"`)
	})

	t.Run("tells a person where everything is, and what to do first", func(t *testing.T) {
		t.Parallel()
		op, dsn := onDatabase(t)
		cmd := op.command("serve", "--listen", "127.0.0.1:0", "--allow-unsafe-database")
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		text := readUntil(t, stdout, "Ctrl-C stops")
		require.NoError(t, cmd.Process.Kill())
		_, _ = io.Copy(io.Discard, stdout)
		require.Error(t, cmd.Wait())
		require.Regexp(t, `(?s)Playground +http://127\.0\.0\.1:\d+/playground\n.*API docs +http.*/docs\n.*REST +http.*/api/v1/payments\n.*GraphQL +http.*/graphql\n`, text)
		given, err := pgx.ParseConfig(dsn)
		require.NoError(t, err)
		require.Contains(t, text, fmt.Sprintf("Postgres, %s at %s:%d\n", given.Database, given.Host, given.Port))
		require.Contains(t, text, "\n  "+binary+" website create --domain")
	})
}

// readUntil reads lines up to the one that has the words.
func readUntil(t *testing.T, from io.Reader, words string) string {
	t.Helper()
	var text strings.Builder
	for lines := bufio.NewScanner(from); lines.Scan(); {
		fmt.Fprintln(&text, lines.Text())
		if strings.Contains(lines.Text(), words) {
			return text.String()
		}
	}
	t.Fatalf("%q was not written, only:\n%s", words, text.String())
	return ""
}

func TestServe_stop(t *testing.T) {
	t.Parallel()

	t.Run("requests under way are answered, and none that was acknowledged is lost", func(t *testing.T) {
		t.Parallel()
		op, dsn := onDatabase(t)
		website, key := op.newWebsite("shop.example.com")
		server := op.serve()
		slow := beginPayment(t, server, key, "slow")

		var acknowledged atomic.Int64
		var group, warm sync.WaitGroup
		for worker := range 8 {
			warm.Add(1)
			group.Go(func() {
				for n := 0; ; n++ {
					status, body, err := server.trySend(http.MethodPost, "/api/v1/payments", key, payment(fmt.Sprintf("t-%d-%d", worker, n)))
					if n == 0 {
						warm.Done()
					}
					if err != nil {
						return // the server has stopped
					}
					if status != http.StatusOK {
						t.Errorf("%d: %s", status, body)
						return
					}
					acknowledged.Add(1)
				}
			})
		}
		warm.Wait()
		since := server.signal()
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", slow.conn.RemoteAddr().String())
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		}, stopMax, time.Millisecond, "connections are still accepted")
		require.Equal(t, http.StatusOK, slow.finish())
		server.stopped(since)
		group.Wait()

		store, err := db.Open(dsn, db.Options{})
		require.NoError(t, err)
		defer func() { _ = store.Close() }()
		site, err := store.Website(t.Context(), website)
		require.NoError(t, err)
		revenue, err := store.Revenue(t.Context(), site, model.RevenueQuery{})
		require.NoError(t, err)
		// The answer to a payment may get lost on the way, its record may not.
		require.GreaterOrEqual(t, int64(revenue.Charges), acknowledged.Load()+1)
		require.LessOrEqual(t, int64(revenue.Charges), acknowledged.Load()+1+8)
	})

	t.Run("a request that never ends does not hold it up", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		_, key := op.newWebsite("shop.example.com")
		server := op.serve()
		beginPayment(t, server, key, "endless")
		server.stopped(server.signal())
		require.Contains(t, server.log.String(), "requests were still under way")
	})
}

// slowPayment is a request whose body has not been sent to its end.
type slowPayment struct {
	t    *testing.T
	conn net.Conn
	read *bufio.Reader
	rest string
}

// beginPayment sends a payment up to the middle of its body, which the server is then reading.
func beginPayment(t *testing.T, server *running, key, transaction string) *slowPayment {
	t.Helper()
	body := payment(transaction)
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.place.text("url"), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "POST /api/v1/payments HTTP/1.1\r\nHost: tributary\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", key, len(body))
	require.NoError(t, err)
	s := &slowPayment{t, conn, bufio.NewReader(conn), body[10:]}
	line, err := s.read.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue")
	_, err = s.read.ReadString('\n')
	require.NoError(t, err)
	_, err = io.WriteString(conn, body[:10])
	require.NoError(t, err)
	return s
}

// finish sends what is left of the body, and answers the status.
func (s *slowPayment) finish() int {
	s.t.Helper()
	_, err := io.WriteString(s.conn, s.rest)
	require.NoError(s.t, err)
	res, err := http.ReadResponse(s.read, nil)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

func TestServe_localPostgres(t *testing.T) {
	t.Parallel()
	op, dir := onDataDir(t)
	first := op.serve()
	require.Equal(t, "local", first.place["database"])
	require.Equal(t, dir, first.place["data_dir"])
	_, key := op.newWebsite("shop.example.com") // beside the server
	second := op.ask("key", "create").text("key")
	require.Equal(t, http.StatusOK, first.pay(key, "t1", ""))
	require.Equal(t, http.StatusOK, first.pay(second, "t2", ""))
	first.stopped(first.signal())
	require.NoFileExists(t, filepath.Join(dir, "postgres", "postmaster.pid"), "Postgres was not stopped in order")

	require.Len(t, op.ask("key", "list").list("keys"), 2, "without a server")
	began := time.Now()
	again := op.serve()
	t.Logf("started in %s", time.Since(began))
	require.Contains(t, again.graphQL(key, "{ revenue { charges } }"), `"charges":2`)
	again.stopped(again.signal())
}
