package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/server/pages"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	// padded is a good payment of so many bytes.
	padded := func(bytes int) string {
		body := payment("", "")
		return body + strings.Repeat(" ", bytes-len(body))
	}

	t.Run("64 KB are accepted", func(t *testing.T) {
		t.Parallel()
		s.posted(t, padded(64<<10))
	})

	t.Run("a byte more is not, declared or chunked", func(t *testing.T) {
		t.Parallel()
		declared := s.request(t, http.MethodPost, payments, padded(64<<10+1))
		chunked := s.request(t, http.MethodPost, payments, padded(64<<10+1))
		chunked.ContentLength = -1
		deletion := s.request(t, http.MethodDelete, payments, padded(64<<10+1))
		for _, r := range []*http.Request{declared, chunked, deletion} {
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.True(t, res.Close, "the connection is closed")
			got := received(t, res)
			got.refused(t, http.StatusRequestEntityTooLarge, "payload_too_large")
			conform(t, r, nil, got)
		}
	})

	t.Run("an endless body ends with the limit", func(t *testing.T) {
		t.Parallel()
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), patience)
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: tributary\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", payments, s.key)
		require.NoError(t, err)
		sent := make(chan int, 1)
		go func() { // until the server hangs up
			chunk := "1000\r\n" + strings.Repeat(" ", 0x1000) + "\r\n"
			chunks := 0
			for ; ; chunks++ {
				if _, err := io.WriteString(conn, chunk); err != nil {
					break
				}
			}
			sent <- chunks
		}()
		reader := bufio.NewReader(conn)
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.True(t, res.Close)
		got := received(t, res)
		got.refused(t, http.StatusRequestEntityTooLarge, "payload_too_large")
		begin := time.Now()
		_, err = reader.ReadByte()
		require.Error(t, err, "the connection is closed")
		require.Less(t, time.Since(begin), patience/2)
		<-sent
	})
}

func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	const deadPort = "postgres://tributary@127.0.0.1:1/tributary"
	unavailable := func(t *testing.T, s *stack) {
		t.Helper()
		for _, r := range []*http.Request{
			s.request(t, http.MethodPost, payments, payment("", "")),
			s.request(t, http.MethodDelete, payments+"?tx_id=t1", ""),
			s.request(t, http.MethodGet, "/readyz", ""),
		} {
			got := s.do(t, r)
			fault := got.refused(t, http.StatusServiceUnavailable, "unavailable")
			require.NotEmpty(t, got.header.Get("Retry-After"))
			require.NotContains(t, fault.Message, "127.0.0.1")
		}
		require.Equal(t, http.StatusOK, s.do(t, s.request(t, http.MethodGet, "/healthz", "")).status, "the process is alive")
		failed := s.graphqlAs(t, s.key, `{ revenue { charges } }`, nil)
		require.Equal(t, "UNAVAILABLE", failed.Errors[0].Extensions.Code)
	}

	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		require.NoError(t, s.store.Close())
		unavailable(t, s)
	})

	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := open(t, options{DSN: deadPort})
		s.key = start(t, options{}).key
		s.serve(t, s.handler(pages.Config{}))
		unavailable(t, s)
	})

	t.Run("its disk is full", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		s.exec(t, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`)
		s.exec(t, `CREATE TRIGGER full_disk BEFORE INSERT ON payments EXECUTE FUNCTION full_disk()`)
		got := s.post(t, payment("", ""))
		got.refused(t, http.StatusServiceUnavailable, "unavailable")
		require.NotEmpty(t, got.header.Get("Retry-After"))
		require.Zero(t, s.count(t, "payments"))
		s.exec(t, `DROP TRIGGER full_disk ON payments`)
		require.Equal(t, "Payment recorded successfully", s.posted(t, payment("", "")), "a retry succeeds")
	})
}

// hurry gives requests that ask for it little time.
func hurry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Hurry") != "" {
			ctx, cancel := context.WithTimeout(r.Context(), 200*time.Millisecond)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

func TestPoolFull(t *testing.T) {
	t.Parallel()
	s := start(t, options{Database: db.Options{MaxConnections: 1}, Wrap: hurry})
	release := s.block(t)
	held := meanwhile(func() answer { return s.post(t, payment("", "")) })
	s.awaitBlocked(t)

	r := s.request(t, http.MethodPost, payments, payment("transaction_id", `"t2"`))
	r.Header.Set("Hurry", "yes")
	got := s.do(t, r)
	got.refused(t, http.StatusServiceUnavailable, "unavailable")
	require.NotEmpty(t, got.header.Get("Retry-After"))

	release()
	require.Equal(t, http.StatusOK, held().status)
	require.Equal(t, 1, s.count(t, "payments"))
	s.posted(t, payment("transaction_id", `"t2"`))
}

func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	s := start(t, options{})
	release := s.block(t)
	ctx, leave := context.WithCancel(t.Context())
	r := s.request(t, http.MethodPost, payments, payment("", "")).WithContext(ctx)
	gone := meanwhile(func() error {
		_, err := http.DefaultClient.Do(r)
		return err
	})
	s.awaitBlocked(t)
	leave()
	require.ErrorIs(t, gone(), context.Canceled)
	release()

	require.Contains(t, []string{"Payment recorded successfully", "Payment already recorded"}, s.posted(t, payment("", "")))
	require.Equal(t, "Payment already recorded", s.posted(t, payment("", "")))
	require.Equal(t, 1, s.count(t, "payments"))
}

// meanwhile does something beside the test, and gives a function that waits for its result. It is the
// zero value if the test has failed there.
func meanwhile[T any](do func() T) (result func() T) {
	done := make(chan T, 1)
	go func() {
		defer close(done)
		done <- do()
	}()
	return func() T { return <-done }
}

// block locks the ledger against everyone else, until release is called.
func (s *stack) block(t testing.TB) (release func()) {
	t.Helper()
	tx, err := s.sql.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.ExecContext(t.Context(), "LOCK TABLE payments IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback()) }
}

// awaitBlocked waits until a request waits for the lock of block.
func (s *stack) awaitBlocked(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		return s.count(t, "pg_locks WHERE NOT granted AND relation = 'payments'::regclass") > 0
	}, patience, 5*time.Millisecond)
}
