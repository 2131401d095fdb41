package db

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// The limits of a group.
const (
	maxGroup     = 500              // questions that are answered together
	maxWaiting   = 10_000           // questions that wait for that
	groupTimeout = 30 * time.Second // of a group, which is worked on for many requests, whatever becomes of one
)

// groups answers questions in groups, by a key: those that are asked while others with the same key are worked
// on are the next group. So one transaction, with its commit, serves many requests, and who is alone waits for
// nobody.
type groups[Q, A any] struct {
	// work answers a group, in its order.
	work func(ctx context.Context, questions []Q) []answer[A]

	mu      sync.Mutex
	waiting map[string][]question[Q, A] // a key that is there is worked on
}

type question[Q, A any] struct {
	asked  Q
	answer chan<- answer[A]
}

type answer[A any] struct {
	value A
	err   error
}

// ask waits for the answer to a question. The question is worked on even if the context ends before. Errors:
// CodeUnavailable if too many wait, or the context ends.
func (g *groups[Q, A]) ask(ctx context.Context, key string, asked Q) (A, error) {
	var none A
	answers := make(chan answer[A], 1)
	if !g.add(key, question[Q, A]{asked, answers}) {
		return none, unavailable("too many requests wait for the database; try again")
	}
	select {
	case got := <-answers:
		return got.value, got.err
	case <-ctx.Done():
		return none, translate(ctx.Err())
	}
}

// add hands a question over; false if too many wait.
func (g *groups[Q, A]) add(key string, q question[Q, A]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting, workedOn := g.waiting[key]
	if len(waiting) >= maxWaiting {
		return false
	}
	if g.waiting == nil {
		g.waiting = map[string][]question[Q, A]{}
	}
	g.waiting[key] = append(waiting, q)
	if !workedOn {
		go g.run(key)
	}
	return true
}

// run works on a key until nobody waits.
func (g *groups[Q, A]) run(key string) {
	for group := g.next(key); len(group) > 0; group = g.next(key) {
		asked := make([]Q, len(group))
		for i := range group {
			asked[i] = group[i].asked
		}
		for i, got := range g.workOn(asked) {
			group[i].answer <- got
		}
	}
}

// next takes the next group. When there is none, nobody works on the key any more.
func (g *groups[Q, A]) next(key string) []question[Q, A] {
	g.mu.Lock()
	defer g.mu.Unlock()
	waiting := g.waiting[key]
	n := min(len(waiting), maxGroup)
	if n == 0 {
		delete(g.waiting, key)
		return nil
	}
	g.waiting[key] = waiting[n:]
	return waiting[:n:n]
}

// workOn is work for one group.
func (g *groups[Q, A]) workOn(asked []Q) []answer[A] {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	answers, err := safely(func() ([]answer[A], error) { return g.work(ctx, asked), nil })
	if err != nil {
		return answersTo[A](len(asked), err)
	}
	return answers
}

// safely does what no request's own goroutine does: a panic becomes an error, for the log.
func safely[V any](do func() (V, error)) (value V, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return do()
}

// answersTo are so many answers with one error.
func answersTo[A any](n int, err error) []answer[A] {
	answers := make([]answer[A], n)
	for i := range answers {
		answers[i].err = err
	}
	return answers
}
