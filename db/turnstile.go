package db

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"tributary/internal/span"
	"tributary/model"
)

// atOnce is how many connections a website has at a time from a turnstile: enough to share the waits for the
// disk, and few of all.
const atOnce = 4

// turnstile holds back what a website asks of the database, so that a website that is flooded, asks for a lot
// or waits for a lock leaves connections to others.
type turnstile struct {
	all *semaphore.Weighted // the connections that all websites have together

	mu    sync.Mutex
	gates map[string]*gate // of those that have or want a connection
}

type gate struct {
	places *semaphore.Weighted
	users  int // who have or want a place
}

func newTurnstile(connections int) *turnstile {
	return &turnstile{all: semaphore.NewWeighted(int64(max(1, connections))), gates: map[string]*gate{}}
}

// enter waits for a connection, first come, first served, among those with the same key and then among all. It
// answers how to leave; until then nobody may enter again. Errors: CodeUnavailable when the context ends
// before, and when too many wait.
func (t *turnstile) enter(ctx context.Context, key string) (leave func(), err error) {
	g, err := t.join(key)
	if err != nil {
		return nil, err
	}
	if err := g.places.Acquire(ctx, 1); err != nil {
		t.part(key, g)
		return nil, translate(err)
	}
	if err := t.all.Acquire(ctx, 1); err != nil {
		g.places.Release(1)
		t.part(key, g)
		return nil, translate(err)
	}
	return func() {
		t.all.Release(1)
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
		t.gates[key] = g
	}
	if g.users >= maxWaiting {
		return nil, unavailable("too much is waiting for its turn; try again")
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

// writing waits for the turn of a transaction that leaves connections to payments and pageviews. Those of an
// account with an event limit wait for one row, and so share their places.
func (s *Store) writing(ctx context.Context, site model.Website) (leave func(), err error) {
	if site.EventLimit > 0 {
		return s.writes.enter(ctx, site.AccountID)
	}
	return s.writes.enter(ctx, site.ID)
}

// inTurn is a commit that waits for its turn.
func inTurn[I, O any](s *Store, commit func(context.Context, model.Website, []I) ([]O, error)) func(context.Context, model.Website, []I) ([]O, error) {
	return func(ctx context.Context, site model.Website, items []I) ([]O, error) {
		leave, err := s.writing(ctx, site)
		if err != nil {
			return nil, err
		}
		defer leave()
		return commit(ctx, site, items)
	}
}

// reporting waits for the turn of a report, whose statements may read all of a website's payments and visits.
func (s *Store) reporting(ctx context.Context, site model.Website, report string) (leave func(), err error) {
	out, err := s.reports.enter(ctx, site.ID)
	if err != nil {
		return nil, err
	}
	end := span.Read(ctx, report)
	return func() {
		end()
		out()
	}, nil
}
