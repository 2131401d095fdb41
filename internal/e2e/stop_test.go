package e2e_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/server"
	"tributary/internal/server/pages"
)

// stoppable serves a stack at another address until stop is called; stopped waits for that, and says
// how long it took since stop.
func (s *stack) stoppable(t *testing.T, grace time.Duration) (stop func(), stopped func() time.Duration) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	var begin time.Time
	served := meanwhile(func() error {
		return server.Serve(ctx, listener, s.handler(pages.Config{}), server.Limits{Grace: grace}, slog.New(slog.DiscardHandler))
	})
	return func() {
			begin = time.Now()
			cancel()
		}, func() time.Duration {
			require.NoError(t, served())
			return time.Since(begin)
		}
}

// awaitRefused waits until connections are refused.
func (s *stack) awaitRefused(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", s.url[len("http://"):], patience)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, time.Millisecond)
}

func TestServe_stops(t *testing.T) {
	t.Parallel()

	t.Run("after the requests under way", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		stop, stopped := s.stoppable(t, patience)
		require.Equal(t, "Payment recorded successfully", s.posted(t, payment("transaction_id", `"before"`)))
		release := s.block(t)
		under := meanwhile(func() answer { return s.post(t, payment("transaction_id", `"under way"`)) })
		s.awaitBlocked(t)

		stop()
		s.awaitRefused(t)
		release()
		got := under()
		require.Equal(t, http.StatusOK, got.status, got.body)
		require.Less(t, stopped(), patience, "it does not wait for the grace time to end")
		require.Equal(t, 2, s.count(t, "payments"))
	})

	t.Run("with the grace time at the latest", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		stop, stopped := s.stoppable(t, 100*time.Millisecond)
		release := s.block(t)
		under := meanwhile(func() error {
			_, err := http.DefaultClient.Do(s.request(t, http.MethodPost, payments, payment("", "")))
			return err
		})
		s.awaitBlocked(t)

		stop()
		require.Less(t, stopped(), patience/2)
		require.Error(t, under(), "the client is told nothing, and sends it again")
		release()
	})

	t.Run("at once when there is nothing to do", func(t *testing.T) {
		t.Parallel()
		s := start(t, options{})
		stop, stopped := s.stoppable(t, patience)
		s.posted(t, payment("", "")) // leaves an idle connection
		stop()
		require.Less(t, stopped(), patience/2)
	})

	t.Run("with the error of a listener that fails", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		require.ErrorIs(t, server.Serve(t.Context(), listener, http.NotFoundHandler(), server.Limits{}, slog.New(slog.DiscardHandler)), net.ErrClosed)
	})
}
