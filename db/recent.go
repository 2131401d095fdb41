package db

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"tributary/model"
)

// maxRecent is how many values are remembered of a kind.
const maxRecent = 10_000

// maxStrange is how many keys that are not remembered are read at a time: a flood of tracking ids or tokens
// that somebody has made up must leave connections to those that there are.
const maxStrange = 4

// maxStrangers is how many reads of keys that are not remembered are under way or wait for that.
const maxStrangers = 1024

// recent remembers what was read a moment ago, so that not every request asks for it again. A change is
// noticed when that moment is over, whichever process has made it. In the second half of the moment one request
// reads it again, while the others go on with what is known: or all of them would read it at once when it is over.
type recent[V any] struct {
	moment    time.Duration       // 0 to remember nothing
	strange   *semaphore.Weighted // of those who read
	strangers *semaphore.Weighted // of those, and of those who wait for it

	mu     sync.Mutex
	values map[string]readValue[V]
}

func newRecent[V any](moment time.Duration) *recent[V] {
	return &recent[V]{
		moment: moment, strange: semaphore.NewWeighted(maxStrange), strangers: semaphore.NewWeighted(maxStrangers), values: map[string]readValue[V]{},
	}
}

type readValue[V any] struct {
	value     V
	at        time.Time
	isRenewed bool // somebody is reading it again
}

// get is the value of the key, read if it is not remembered. Errors, those of read, are not remembered;
// CodeUnavailable when the context ends before it can be read, and model.ErrOverloaded when too many wait for that.
func (r *recent[V]) get(ctx context.Context, key string, read func() (V, error)) (V, error) {
	if r.moment <= 0 {
		return read()
	}
	value, state := r.find(key)
	if state == unknown {
		if !r.strangers.TryAcquire(1) {
			return value, model.ErrOverloaded
		}
		defer r.strangers.Release(1)
		if err := r.strange.Acquire(ctx, 1); err != nil {
			return value, translate(err)
		}
		defer r.strange.Release(1)
		value, state = r.find(key) // others may have asked for it too
	}
	if state == fresh {
		return value, nil
	}
	at := time.Now() // before the read, or a change during it would be noticed too late
	value, err := read()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.values) >= maxRecent {
		r.values = map[string]readValue[V]{}
	}
	r.values[key] = readValue[V]{value: value, at: at}
	return value, nil
}

// What is known of a key.
const (
	unknown = iota
	old     // to be read again
	fresh
)

// find is what was read of a key, however long ago. Of those who find it in the second half of its moment, the
// first one is told that it is old.
func (r *recent[V]) find(key string) (value V, state int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.values[key]
	if !ok {
		return value, unknown
	}
	age := time.Since(known.at)
	if age < r.moment/2 || age < r.moment && known.isRenewed {
		return known.value, fresh
	}
	known.isRenewed = true
	r.values[key] = known
	return known.value, old
}
