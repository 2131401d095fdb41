package db

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"tributary/internal/span"
	"tributary/model"
)

const (
	// lanes is how many transactions of a committer a website has at most at a time: while one waits for the disk,
	// the other keeps Postgres at work.
	lanes = 2
	// maxBatch is how many items one transaction has at most, unless a single write has more.
	maxBatch = 1000
	// maxWaiting is how many items may wait for a transaction, over all websites.
	maxWaiting = 20_000
	// commitTimeout is how long a transaction may take, whoever still waits for it.
	commitTimeout = 30 * time.Second
)

// committer is group commit. Writes to a website that arrive while a transaction on it is under way
// form the next one together, and each is answered only after its own transaction has committed. So
// nothing is less durable, a single client waits for nobody, and under load many share one commit.
//
// Each website has at most one transaction of a committer at a time in each of its lanes. Most of what would have to
// wait for each other is in the same lane, and one website that is held up does not hold up others.
type committer[I, O any] struct {
	// commit writes the items of one website in one transaction. Each item has its own result; an error
	// means that none is written.
	commit func(ctx context.Context, site model.Website, items []I) ([]O, error)
	of     string         // what the items are: of CommitKinds
	lane   func(I) uint64 // of an item, modulo lanes
	tell   func(Commit)   // of each transaction, or nil

	mu      sync.Mutex
	queues  map[ledgerKey][]*pendingWrite[I, O] // of the ledgers that are at work
	waiting int
}

// ledgerKey is what writes of one transaction have in common: their lane, and of the website, as the requests have
// read it, all that a transaction does not read itself.
type ledgerKey struct {
	website, account, timezone string
	eventLimit                 int64
	lane                       uint64
}

// pendingWrite is a write that waits for its transaction.
type pendingWrite[I, O any] struct {
	ctx     context.Context
	site    model.Website
	items   []I
	results []O
	err     error
	done    chan struct{}
}

func newCommitter[I, O any](of string, lane func(I) uint64, commit func(context.Context, model.Website, []I) ([]O, error)) *committer[I, O] {
	return &committer[I, O]{of: of, lane: lane, commit: commit, queues: map[ledgerKey][]*pendingWrite[I, O]{}}
}

// write answers the results of the items after they have been committed, and CodeUnavailable when too
// much is waiting. One whose context ends before its turn is not written.
func (c *committer[I, O]) write(ctx context.Context, site model.Website, items []I) ([]O, error) {
	w := &pendingWrite[I, O]{ctx: ctx, site: site, items: items, done: make(chan struct{})}
	if err := c.enqueue(w); err != nil {
		return nil, err
	}
	select {
	case <-w.done:
		return w.results, w.err
	case <-ctx.Done():
		return nil, translate(ctx.Err())
	}
}

func (c *committer[I, O]) enqueue(w *pendingWrite[I, O]) error {
	key := ledgerKey{w.site.ID, w.site.AccountID, w.site.Timezone, w.site.EventLimit, c.lane(w.items[0]) % lanes}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting > 0 && c.waiting+len(w.items) > maxWaiting {
		return unavailable("too much is waiting to be recorded; try again")
	}
	queue, atWork := c.queues[key]
	c.queues[key] = append(queue, w)
	c.waiting += len(w.items)
	if !atWork {
		go c.work(key)
	}
	return nil
}

// isAtWork says whether writes to a website are under way.
func (c *committer[I, O]) isAtWork(website string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.queues {
		if key.website == website {
			return true
		}
	}
	return false
}

// work commits what waits for a ledger, until nothing does.
func (c *committer[I, O]) work(key ledgerKey) {
	for batch := c.next(key); batch != nil; batch = c.next(key) {
		c.commitBatch(batch)
	}
}

// next takes the writes of the next transaction: nil, and the ledger is no longer at work, when there
// are none.
func (c *committer[I, O]) next(key ledgerKey) []*pendingWrite[I, O] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var batch []*pendingWrite[I, O]
	queue, size := c.queues[key], 0
	for len(queue) > 0 {
		w := queue[0]
		if len(batch) > 0 && size+len(w.items) > maxBatch {
			break
		}
		queue[0], queue = nil, queue[1:]
		c.waiting -= len(w.items)
		if w.ctx.Err() == nil {
			batch, size = append(batch, w), size+len(w.items)
		}
	}
	if batch == nil {
		delete(c.queues, key)
	} else {
		c.queues[key] = queue
	}
	return batch
}

// commitBatch writes a batch. An error that may be the fault of one of its writes stays with that one.
func (c *committer[I, O]) commitBatch(batch []*pendingWrite[I, O]) {
	var items []I
	for _, w := range batch {
		items = append(items, w.items...)
	}
	results, err := c.try(batch, items)
	if err != nil && len(batch) > 1 && model.AsError(err) == nil {
		for _, w := range batch {
			c.commitBatch([]*pendingWrite[I, O]{w})
		}
		return
	}
	for _, w := range batch {
		if w.err = err; err == nil {
			w.results, results = results[:len(w.items):len(w.items)], results[len(w.items):]
		}
		close(w.done)
	}
}

// patient is a context that nobody can cancel, with a deadline for transactions. It has no signal: to watch one
// takes a goroutine for each message to Postgres, a twentieth of the time of a payment that comes alone.
type patient struct {
	context.Context
	deadline time.Time
}

// Deadline implements context.Context.
func (p patient) Deadline() (time.Time, bool) { return p.deadline, true }

// try commits, for as long as it takes: the clients of all wait for it, not only that of the first.
func (c *committer[I, O]) try(batch []*pendingWrite[I, O], items []I) (results []O, err error) {
	began, first := time.Now(), batch[0]
	var requests span.Shared
	for _, w := range batch {
		requests.Add(w.ctx)
	}
	ctx, committed := requests.Commit(patient{context.WithoutCancel(first.ctx), began.Add(commitTimeout)}, c.of, len(items))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("recording panicked: %v\n%s", cause, debug.Stack())
		}
		committed.End(span.Code(err))
		if c.tell != nil {
			c.tell(Commit{Of: c.of, Items: len(items), Took: time.Since(began), Err: err})
		}
	}()
	return c.commit(ctx, first.site, items)
}

// recordOne records one of the things that count towards an account's limit. With a limit it is not recorded
// together with others, of which some might pass the limit and some not.
func recordOne[I, O any](
	ctx context.Context, c *committer[I, O], alone func(context.Context, model.Website, []I) ([]O, error), site model.Website, item I,
) (payload O, err error) {
	record := c.write
	if site.EventLimit > 0 {
		record = alone
	}
	payloads, err := record(ctx, site, []I{item})
	if err != nil {
		return payload, err
	}
	return payloads[0], nil
}
