package db

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"tributary/model"
)

// atOnce is how many transactions a turnstile lets a website have at a time: enough to share the waits for
// the disk, and few of all connections.
const atOnce = 4

// turnstile holds back the transactions of one website that are no committer's, or its reports, so that many of
// them, or those that wait for a lock, leave connections to others. The zero value is ready.
type turnstile struct {
	mu    sync.Mutex
	gates map[string]*gate // of those that have or want transactions
}

type gate struct {
	places *semaphore.Weighted
	users  int // who have or want a place
}

// enter waits for a place, first come, first served, and answers how to leave it. Those of an account with an
// event limit wait for one row, and so share their places. Errors: CodeUnavailable when the context ends
// before, and when too many wait.
func (t *turnstile) enter(ctx context.Context, site model.Website) (leave func(), err error) {
	key := site.ID
	if site.EventLimit > 0 {
		key = site.AccountID
	}
	g, err := t.join(key)
	if err != nil {
		return nil, err
	}
	if err := g.places.Acquire(ctx, 1); err != nil {
		t.part(key, g)
		return nil, translate(err)
	}
	return func() {
		g.places.Release(1)
		t.part(key, g)
	}, nil
}

func (t *turnstile) join(key string) (*gate, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.gates[key]
	if g == nil {
		g = &gate{places: semaphore.NewWeighted(atOnce)}
		if t.gates == nil {
			t.gates = map[string]*gate{}
		}
		t.gates[key] = g
	}
	if g.users >= maxWaiting {
		return nil, unavailable("too much is waiting to be recorded; try again")
	}
	g.users++
	return g, nil
}

func (t *turnstile) part(key string, g *gate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.users--; g.users == 0 {
		delete(t.gates, key)
	}
}

// inTurn is onLedger for transactions that are no committer's.
func (s *Store) inTurn(ctx context.Context, site model.Website, isAlone bool, do func(ctx context.Context, r recorder) error) error {
	leave, err := s.turns.enter(ctx, site)
	if err != nil {
		return err
	}
	defer leave()
	return s.onLedger(ctx, site, isAlone, do)
}

// report reads into rows what may be all of a website's ledger and visits, and so take long. Those of a
// website wait for each other, and leave connections to those who record. Errors: CodeUnavailable.
func (s *Store) report(ctx context.Context, site model.Website, query interface {
	Scan(ctx context.Context, dest ...any) error
}, rows any,
) error {
	leave, err := s.reports.enter(ctx, site)
	if err != nil {
		return err
	}
	defer leave()
	return translate(query.Scan(ctx, rows))
}
