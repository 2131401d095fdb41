// Package ratelimit limits how often each of many may ask.
package ratelimit

import (
	"sync"
	"time"
)

// Window is for how long somebody may use up at once what is allowed.
const Window = 10 * time.Second

// maxRemembered is of how many keys each of the limiter's two generations knows.
const maxRemembered = 100_000

// Limiter limits how often each key may ask. It is safe for concurrent use, and remembers at most
// 200,000 keys: when there are more, those that have not asked lately start anew.
type Limiter[K comparable] struct {
	interval time.Duration // between two requests of a key in the long run; 0 means no limit

	mu sync.Mutex
	// busy and before say until when a key has used what it is allowed.
	busy, before map[K]time.Time
}

// New makes a limiter of so many requests a second for each key, in the mean of the window; 0 means any
// number.
func New[K comparable](perSecond uint32) *Limiter[K] {
	l := &Limiter[K]{busy: map[K]time.Time{}}
	if perSecond > 0 {
		l.interval = time.Second / time.Duration(perSecond)
	}
	return l
}

// Answer says whether a key may ask, and what it has left.
type Answer struct {
	OK bool
	// Wait is, when it may not ask, how long it should wait.
	Wait time.Duration
	// Left is how many requests it may make at once after this one.
	Left int
	// Reset is when it may make as many as at the beginning.
	Reset time.Duration
}

// Admit says whether a key may ask at a time. What is refused does not count.
func (l *Limiter[K]) Admit(key K, now time.Time) Answer {
	if l.interval == 0 {
		return Answer{OK: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	until, known := l.busy[key]
	if !known {
		until = l.before[key]
	}
	if until.Before(now) {
		until = now
	}
	busy := until.Add(l.interval).Sub(now)
	if busy > Window {
		return Answer{Wait: busy - Window, Reset: until.Sub(now)}
	}
	if !known && len(l.busy) >= maxRemembered {
		l.before, l.busy = l.busy, map[K]time.Time{}
	}
	l.busy[key] = now.Add(busy)
	return Answer{OK: true, Left: int((Window - busy) / l.interval), Reset: busy}
}
