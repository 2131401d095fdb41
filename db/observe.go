package db

import (
	"database/sql"
	"time"
)

// What transactions that several writes share are of.
const (
	ofPayments  = "payments"
	ofPageviews = "pageviews"
	ofEvents    = "events"
)

// CommitKinds lists what a Commit may be of.
var CommitKinds = []string{ofPayments, ofPageviews, ofEvents}

// Commit is a transaction in which writes were recorded that arrived at the same time.
type Commit struct {
	Of    string // of CommitKinds
	Items int
	Took  time.Duration
	Err   error // nil if it was committed
}

// ObserveCommits has each such transaction told to a function, which may be called by several goroutines at once. It
// is called before the store is used.
func (s *Store) ObserveCommits(tell func(Commit)) {
	s.payments.tell, s.views.tell, s.events.tell = tell, tell, tell
}

// Pool tells how the store's connections are used.
func (s *Store) Pool() sql.DBStats { return s.db.DB.Stats() }

// Uncommitted tells how many items wait for a transaction, by CommitKinds.
func (s *Store) Uncommitted() map[string]int {
	return map[string]int{ofPayments: s.payments.load(), ofPageviews: s.views.load(), ofEvents: s.events.load()}
}

// ReplicaPool is Pool of the replica, without the connection that it is watched by.
func (r *Replicated) ReplicaPool() sql.DBStats { return r.replica.Pool() }

// ReplicaUsed says whether reports are read from the replica.
func (r *Replicated) ReplicaUsed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unfit == ""
}

func (c *committer[I, O]) load() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}
