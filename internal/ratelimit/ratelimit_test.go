package ratelimit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/ratelimit"
)

var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

func TestLimiter_Admit(t *testing.T) {
	t.Parallel()
	// admitted is how many of many requests at one time are.
	admitted := func(l *ratelimit.Limiter[int], key int, at time.Time) (n int) {
		for range 1000 {
			if l.Admit(key, at).OK {
				n++
			}
		}
		return n
	}

	t.Run("ten seconds' worth at once, then at the rate", func(t *testing.T) {
		t.Parallel()
		l := ratelimit.New[int](5)
		require.Equal(t, 50, admitted(l, 1, noon))
		got := l.Admit(1, noon)
		require.Equal(t, ratelimit.Answer{Wait: 200 * time.Millisecond, Reset: 10 * time.Second}, got)
		require.Equal(t, 1, admitted(l, 1, noon.Add(got.Wait)), "what was refused does not count")
		require.Equal(t, 5, admitted(l, 1, noon.Add(got.Wait+time.Second)))
		require.Equal(t, 50, admitted(l, 1, noon.Add(time.Hour)))
	})

	t.Run("says what is left", func(t *testing.T) {
		t.Parallel()
		l := ratelimit.New[int](2)
		require.Equal(t, ratelimit.Answer{OK: true, Left: 19, Reset: 500 * time.Millisecond}, l.Admit(1, noon))
		require.Equal(t, ratelimit.Answer{OK: true, Left: 18, Reset: time.Second}, l.Admit(1, noon))
		require.Equal(t, ratelimit.Answer{OK: true, Left: 18, Reset: 900 * time.Millisecond}, l.Admit(1, noon.Add(600*time.Millisecond)))
		require.Equal(t, 18, admitted(l, 1, noon.Add(600*time.Millisecond)))
	})

	t.Run("each key for itself", func(t *testing.T) {
		t.Parallel()
		l := ratelimit.New[int](5)
		require.Equal(t, 50, admitted(l, 1, noon))
		require.Equal(t, 50, admitted(l, 2, noon))
	})

	t.Run("any number without a limit", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 1000, admitted(ratelimit.New[int](0), 1, noon))
	})

	t.Run("remembers those who ask among a flood of others", func(t *testing.T) {
		t.Parallel()
		l := ratelimit.New[int](5)
		for other := range 350_000 {
			if other%50_000 == 0 {
				admitted(l, -1, noon)
			}
			require.True(t, l.Admit(other, noon).OK)
		}
		require.Zero(t, admitted(l, -1, noon))
		require.Equal(t, 50, admitted(l, 1, noon), "the first of the others is forgotten")
	})
}
