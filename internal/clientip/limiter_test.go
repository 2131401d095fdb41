package clientip_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/clientip"
)

var noon = time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)

func TestLimiter_Admit(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("203.0.113.9")
	// admitted is how many of many requests at one time are.
	admitted := func(l *clientip.Limiter, address netip.Addr, at time.Time) (n int) {
		for range 1000 {
			if _, ok := l.Admit(address, at); ok {
				n++
			}
		}
		return n
	}

	t.Run("ten seconds' worth at once, then at the rate", func(t *testing.T) {
		t.Parallel()
		l := clientip.NewLimiter(5)
		require.Equal(t, 50, admitted(l, address, noon))
		wait, ok := l.Admit(address, noon)
		require.False(t, ok)
		require.Equal(t, 200*time.Millisecond, wait)
		require.Equal(t, 1, admitted(l, address, noon.Add(wait)), "what was refused does not count")
		require.Equal(t, 5, admitted(l, address, noon.Add(wait+time.Second)))
		require.Equal(t, 50, admitted(l, address, noon.Add(time.Hour)))
	})

	t.Run("each address for itself, and a network of IPv6 as one", func(t *testing.T) {
		t.Parallel()
		l := clientip.NewLimiter(5)
		require.Equal(t, 50, admitted(l, address, noon))
		require.Equal(t, 50, admitted(l, address.Next(), noon))
		require.Equal(t, 50, admitted(l, netip.MustParseAddr("2001:db8::1"), noon))
		require.Zero(t, admitted(l, netip.MustParseAddr("2001:db8::ffff:1"), noon))
		require.Equal(t, 50, admitted(l, netip.MustParseAddr("2001:db8:0:1::1"), noon))
	})

	t.Run("any number without a limit", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 1000, admitted(clientip.NewLimiter(0), address, noon))
	})

	t.Run("remembers those who ask among a flood of others", func(t *testing.T) {
		t.Parallel()
		l := clientip.NewLimiter(5)
		other := netip.MustParseAddr("10.0.0.0")
		for i := range 350_000 {
			if i%50_000 == 0 {
				admitted(l, address, noon)
			}
			other = other.Next()
			_, ok := l.Admit(other, noon)
			require.True(t, ok)
		}
		require.Zero(t, admitted(l, address, noon))
		require.Equal(t, 50, admitted(l, netip.MustParseAddr("10.0.0.1"), noon), "the first of the others is forgotten")
	})
}
