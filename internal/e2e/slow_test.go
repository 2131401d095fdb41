package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
)

// drippers are clients that send a byte of a request now and then, and never all of it.
type drippers struct {
	cut   sync.WaitGroup // until the server has closed all connections
	conns []net.Conn
}

// hangUp closes the connections.
func (d *drippers) hangUp() {
	for _, conn := range d.conns {
		_ = conn.Close()
	}
	d.cut.Wait()
}

// drip opens so many connections that begin to send something. It returns when all of them have.
func (s *stack) drip(t testing.TB, connections int, begin string) *drippers {
	t.Helper()
	d := &drippers{}
	for range connections {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), patience)
		require.NoError(t, err)
		d.conns = append(d.conns, conn)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, begin)
		require.NoError(t, err)
		d.cut.Go(func() {
			_ = conn.SetReadDeadline(time.Now().Add(2 * patience))
			_, err := io.Copy(io.Discard, conn)
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Error("a client that drips was not cut off")
			}
			_ = conn.Close()
		})
		go func() {
			for range time.Tick(500 * time.Millisecond) {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}()
	}
	return d
}

const dripHeader = "POST /api/v1/payments HTTP/1.1\r\nHost: tributary\r\nX-Slow: "

// dripBody is a request of which all but the body has been sent.
func dripBody(path, token string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: tributary\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: 60000\r\n\r\n{", path, token)
}

// fresh records a payment on a connection of its own.
func (s *stack) fresh(t testing.TB, id string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(s.request(t, http.MethodPost, payments, payment("transaction_id", `"`+id+`"`)))
	require.NoError(t, err)
	return received(t, res).status
}

func TestSlowClients(t *testing.T) {
	t.Parallel()
	const each = 500
	s := start(t, options{
		Limits: server.Limits{Header: 10 * time.Second, Read: 15 * time.Second}, // in which the test has to open them all
		Server: server.Config{InFlight: 8},                                      // which those who drip do not take
	})
	begin := time.Now()
	slow := []*drippers{
		s.drip(t, each, dripHeader), s.drip(t, each, dripBody(payments, s.key)),
		s.drip(t, each, dripBody("/graphql", s.key)), s.drip(t, each, dripBody("/api/events", "")),
	}
	answered := 0
	for i := 0; i < 20 || time.Since(begin) < time.Second; i++ {
		require.Equal(t, http.StatusOK, s.fresh(t, fmt.Sprint("good-", i)))
		answered++
	}
	require.Equal(t, answered, s.count(t, "payments"))
	for _, d := range slow {
		d.cut.Wait()
	}
	require.Equal(t, http.StatusOK, s.fresh(t, "afterwards"))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := start(t, options{Limits: server.Limits{Write: time.Second, Idle: 200 * time.Millisecond}})
	dial := func(t *testing.T) net.Conn {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), patience)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		return conn
	}
	const document = "GET /openapi.json HTTP/1.1\r\nHost: tributary\r\n\r\n"

	t.Run("a client that fetches no answer is cut off", func(t *testing.T) {
		t.Parallel()
		conn := dial(t)
		var err error
		for err == nil { // the server reads on only as long as its answers find room
			_, err = io.WriteString(conn, document)
		}
		var netError net.Error
		require.False(t, errors.As(err, &netError) && netError.Timeout(), "it is still served")
	})

	t.Run("a connection that is not used is closed", func(t *testing.T) {
		t.Parallel()
		conn := dial(t)
		_, err := io.WriteString(conn, document)
		require.NoError(t, err)
		answer, err := io.ReadAll(conn) // up to its end
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(answer), "HTTP/1.1 200 OK"))
	})

	t.Run("a head that is too large is refused", func(t *testing.T) {
		t.Parallel()
		conn := dial(t)
		_, err := io.WriteString(conn, strings.Replace(document, "\r\n\r\n", "\r\nX-Large: "+strings.Repeat("x", 64<<10)+"\r\n\r\n", 1))
		require.NoError(t, err)
		answer := make([]byte, len("HTTP/1.1 431"))
		_, err = io.ReadFull(conn, answer)
		require.NoError(t, err)
		require.Equal(t, "HTTP/1.1 431", string(answer))
	})
}

func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	s := start(t, options{Limits: server.Limits{Connections: 20, Header: time.Hour, Read: time.Hour}})
	release := s.block(t)
	underWay := meanwhile(func() int { return s.fresh(t, "under way") })
	s.awaitBlocked(t)

	first := s.drip(t, 100, dripHeader)
	s.drip(t, 100, dripBody(payments, s.key))
	first.cut.Wait() // for those that came later
	release()
	require.Equal(t, http.StatusOK, underWay(), "a request that the server works on is not cut off")
	for i := range 50 {
		require.Equal(t, http.StatusOK, s.fresh(t, fmt.Sprint("good-", i)))
	}
	require.Equal(t, 51, s.count(t, "payments"))
}

// BenchmarkSlowClients measures how much slower payments are while 2,000 clients drip: dripped/alone is the payments per
// second with them over those without, of rounds in turns.
func BenchmarkSlowClients(b *testing.B) {
	const rounds = 4
	for b.Loop() {
		s := start(b, options{Limits: server.Limits{Header: time.Hour, Read: time.Hour}})
		var took [2]time.Duration
		n := 0
		for round := range rounds {
			var slow []*drippers
			if round%2 == 1 {
				slow = []*drippers{s.drip(b, 1000, dripHeader), s.drip(b, 1000, dripBody(payments, s.key))}
			}
			begin := time.Now()
			for range 2000 {
				n++
				require.Equal(b, http.StatusOK, s.fresh(b, fmt.Sprint("p", n)))
			}
			took[round%2] += time.Since(begin)
			for _, d := range slow {
				d.hangUp()
			}
		}
		b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "dripped/alone")
	}
}
