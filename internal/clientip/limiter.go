package clientip

import (
	"net/netip"
	"sync"
	"time"
)

// burst is for how long an address may use up at once what it is allowed.
const burst = 10 * time.Second

// maxRemembered is of how many addresses each of the limiter's two generations knows.
const maxRemembered = 100_000

// networkBits is the part of an IPv6 address that a client cannot choose.
const networkBits = 64

// Limiter limits how often each address may ask. It is safe for concurrent use, and remembers at most
// 200,000 addresses: when there are more, those that have not asked lately start anew.
type Limiter struct {
	interval time.Duration // between two requests of an address in the long run; 0 means no limit

	mu sync.Mutex
	// busy and before say until when an address has used what it is allowed.
	busy, before map[netip.Addr]time.Time
}

// NewLimiter makes a limiter of so many requests a second for each address, in the mean of ten seconds; 0
// means any number.
func NewLimiter(perSecond uint32) *Limiter {
	l := &Limiter{busy: map[netip.Addr]time.Time{}}
	if perSecond > 0 {
		l.interval = time.Second / time.Duration(perSecond)
	}
	return l
}

// Admit says whether an address may ask at a time; if not, how long it should wait. IPv6 addresses of one
// /64 network count as one.
func (l *Limiter) Admit(address netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if l.interval == 0 {
		return 0, true
	}
	if address.Is6() {
		network, _ := address.Prefix(networkBits)
		address = network.Addr()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	until, known := l.busy[address]
	if !known {
		until = l.before[address]
	}
	if until.Before(now) {
		until = now
	}
	if until = until.Add(l.interval); until.Sub(now) > burst {
		return until.Sub(now) - burst, false
	}
	if !known && len(l.busy) >= maxRemembered {
		l.before, l.busy = l.busy, map[netip.Addr]time.Time{}
	}
	l.busy[address] = until
	return 0, true
}
