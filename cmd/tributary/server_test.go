package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/logtest"
)

// stopMax is how long the server may take to stop.
const stopMax = 2 * time.Second

// running is a server that answers.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	place object
	log   *logtest.Buffer
	done  chan struct{}
}

// serve starts a server on a free port, and waits until it says where it is.
func (op operator) serve(args ...string) *running {
	op.t.Helper()
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--allow-unsafe-database", "--log-level", "debug", "--json"}, args...)
	r := &running{t: op.t, cmd: op.command(args...), log: &logtest.Buffer{}, done: make(chan struct{})}
	r.cmd.Stderr = r.log
	stdout, stdoutWriter, err := os.Pipe()
	require.NoError(op.t, err)
	r.cmd.Stdout = stdoutWriter
	require.NoError(op.t, r.cmd.Start())
	_ = stdoutWriter.Close()
	go func() {
		defer close(r.done)
		_ = r.cmd.Wait()
	}()
	op.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
		if op.t.Failed() {
			op.t.Logf("the server's log:\n%s", r.log)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		<-r.done
		require.NoError(op.t, err, "the server did not start:\n%s", r.log)
	}
	r.place = decode(op.t, line)
	return r
}

// signal asks the server to stop, and answers when that was.
func (r *running) signal() time.Time {
	r.t.Helper()
	now := time.Now()
	require.NoError(r.t, r.cmd.Process.Signal(syscall.SIGTERM))
	return now
}

// stopped waits for the end of a server that was asked to stop.
func (r *running) stopped(since time.Time) {
	r.t.Helper()
	<-r.done
	took := time.Since(since)
	require.Zero(r.t, r.cmd.ProcessState.ExitCode(), "%s", r.log)
	require.Less(r.t, took, stopMax)
	r.t.Logf("stopped in %s", took)
}

// send makes a request and answers its status and body.
func (r *running) send(method, path, token, body string) (int, string) {
	r.t.Helper()
	status, text, err := r.trySend(method, path, token, body)
	require.NoError(r.t, err)
	return status, text
}

func (r *running) trySend(method, path, token, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.place.text("url")+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// figures are those for Prometheus of a server with --metrics-listen, and where they are.
func (r *running) figures() (url, text string) {
	r.t.Helper()
	url = regexp.MustCompile(`http://[^"]+/metrics`).FindString(r.log.String())
	res, err := http.Get(url)
	require.NoError(r.t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	return url, string(body)
}

// pay records a payment and answers the status.
func (r *running) pay(token, transaction, query string) int {
	r.t.Helper()
	status, _ := r.send(http.MethodPost, "/api/v1/payments"+query, token, payment(transaction))
	return status
}

func payment(transaction string) string {
	return `{"amount": 29.99, "currency": "USD", "transaction_id": "` + transaction + `"}`
}

// graphQL answers a query's response.
// event is a pageview of a page with a tracking id.
func event(trackingID, page string) string {
	return fmt.Sprintf(`{"websiteId": "%s", "visitorId": "v", "sessionId": "s", "type": "pageview", "href": "%s"}`, trackingID, page)
}

func (r *running) graphQL(token, query string) string {
	r.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	require.NoError(r.t, err)
	status, text := r.send(http.MethodPost, "/graphql", token, string(body))
	require.Equal(r.t, http.StatusOK, status, "%s", text)
	return text
}
