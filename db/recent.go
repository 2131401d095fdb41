package db

import (
	"sync"
	"time"
)

// maxRecent is how many values are remembered of a kind.
const maxRecent = 10_000

// recent remembers what was read a moment ago, so that not every request asks for it again. A change is
// noticed when that moment is over, whichever process has made it.
type recent[V any] struct {
	moment time.Duration // 0 to remember nothing

	mu     sync.Mutex
	values map[string]readValue[V]
}

type readValue[V any] struct {
	value V
	at    time.Time
}

// get is the value of the key, read if it is not remembered. Errors, those of read, are not remembered.
func (r *recent[V]) get(key string, read func() (V, error)) (V, error) {
	if r.moment <= 0 {
		return read()
	}
	// The time before the read, or a change during it would be noticed too late.
	at := time.Now()
	r.mu.Lock()
	known, ok := r.values[key]
	r.mu.Unlock()
	if ok && at.Sub(known.at) < r.moment {
		return known.value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values == nil || len(r.values) >= maxRecent {
		r.values = map[string]readValue[V]{}
	}
	r.values[key] = readValue[V]{value, at}
	return value, nil
}
