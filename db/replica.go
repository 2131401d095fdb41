package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/singleflight"

	"tributary/model"
)

const (
	checkEvery = time.Second     // a replica is asked how it is
	answerMax  = 2 * time.Second // it may take to say so
	lagMax     = 5 * time.Second // it may be behind the primary
	writeWait  = time.Second     // a report waits for what was recorded just before it
)

// silent is why a replica cannot be used that is down.
const silent = "it does not answer"

// Replicated is a Store that reads reports from a replica of its database, a streaming one, and does all else on
// the primary. What has been recorded or deleted by it with a token is in every report on that website which is
// asked for later. What others have done, trackers and other processes, is there at most 5 seconds later.
//
// While the replica cannot be used, reports are read from the primary, and the log says why.
type Replicated struct {
	*Store  // the primary
	replica *Store
	gauge   *Store // the replica by a connection that reports do not wait for
	log     *slog.Logger
	checks  singleflight.Group
	ctx     context.Context // ends when Close is called
	cancel  context.CancelFunc
	closed  sync.WaitGroup

	mu      sync.Mutex
	unfit   string               // why the replica cannot be used; "" if it can
	written map[string]time.Time // when websites were last written to whose reports the replica may be too old for
}

// OpenReplicated prepares reading the reports of a store from the replica that the DSN names. It does not wait for
// the replica, which is used once it answers. Close it before the primary.
func OpenReplicated(primary *Store, dsn string, opts Options, log *slog.Logger) (*Replicated, error) {
	if config, err := pgx.ParseConfig(dsn); err == nil && namesSeveral(config) {
		return nil, errors.New("the database URL names several servers: name one, since each is another way behind")
	}
	replica, err := Open(dsn, opts)
	if err != nil {
		return nil, err
	}
	opts.MaxConnections = 1
	gauge, err := Open(dsn, opts)
	if err != nil {
		return nil, err
	}
	r := &Replicated{
		Store: primary, replica: replica, gauge: gauge, log: log, unfit: "it has not been asked yet", written: map[string]time.Time{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.closed.Go(r.watch)
	return r, nil
}

func namesSeveral(config *pgx.ConnConfig) bool {
	for _, other := range config.Fallbacks { // the same server without TLS is one too
		if other.Host != config.Host || other.Port != config.Port {
			return true
		}
	}
	return false
}

// Close closes the connections to the replica. The primary stays open.
func (r *Replicated) Close() error {
	r.cancel()
	r.closed.Wait()
	return errors.Join(r.replica.Close(), r.gauge.Close())
}

// watch checks the replica until Close.
func (r *Replicated) watch() {
	every := time.NewTicker(checkEvery)
	defer every.Stop()
	for {
		<-r.check()
		select {
		case <-r.ctx.Done():
			return
		case <-every.C:
		}
	}
}

// check lets the replica catch up. Those who ask for it at the same time share one check.
func (r *Replicated) check() <-chan singleflight.Result {
	return r.checks.DoChan("", func() (any, error) { return nil, r.catchUp(r.ctx) })
}

// position is how far a server's log of changes is.
type position struct {
	Database   string // the same for a primary and its replicas
	InRecovery bool   // a replica
	Reached    int64
}

// position asks how far the log is. That of a primary is as far as replicas can be: what has been
// acknowledged is on its disk, unless it acknowledges without waiting for that.
func (s *Store) position(ctx context.Context) (p position, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	err = s.db.NewRaw(`SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS database,
			pg_is_in_recovery() AS in_recovery, (coalesce(CASE
				WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
				WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
				ELSE pg_current_wal_flush_lsn() END, '0/0') - '0/0')::bigint AS reached
		FROM pg_control_system()`).Scan(ctx, &p)
	return p, err
}

// catchUp waits until the replica shows all that was committed when catchUp was called, and notes whether it does.
// An error says that it does not, or that the primary did not answer.
func (r *Replicated) catchUp(ctx context.Context) error {
	begun := time.Now()
	primary, err := r.Store.position(ctx)
	if err != nil {
		return err // which says nothing of the replica
	}
	for try := 1; ; try++ {
		replica, err := r.gauge.position(ctx)
		switch {
		case err != nil:
			return r.note(silent, err)
		case replica.Database != primary.Database:
			return r.note("it is not a copy of this database", nil)
		case !replica.InRecovery:
			return r.note("it is not a replica (any more): it accepts writes", nil)
		case replica.Reached >= primary.Reached:
			return r.caughtUp(ctx, begun)
		case time.Since(begun) > lagMax:
			return r.note(fmt.Sprintf("it is more than %s behind", lagMax), nil)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(min(try, 50)) * time.Millisecond):
		}
		if try == 10 {
			// What is on the primary's disk may end within a change of a transaction that goes on, of which replicas do
			// not get the rest before something else is committed.
			_, _ = r.Store.db.NewRaw("SELECT pg_current_xact_id()").Exec(ctx) // its error is one of the next check
		}
	}
}

// caughtUp notes that the replica shows what was committed until then.
func (r *Replicated) caughtUp(ctx context.Context, until time.Time) error {
	r.mu.Lock()
	maps.DeleteFunc(r.written, func(_ string, at time.Time) bool { return at.Before(until) })
	wasFit := r.unfit == ""
	r.mu.Unlock()
	if wasFit {
		return nil
	}
	// Its role may see other tables than that of the primary.
	if err := r.gauge.Ping(ctx); err != nil {
		return r.note("its tables cannot be read", err)
	}
	return r.note("", nil)
}

// note keeps why the replica cannot be used, and logs it if that is news. It answers the reason as an error.
func (r *Replicated) note(unfit string, cause error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	isNews := unfit != r.unfit && r.ctx.Err() == nil
	r.unfit = unfit
	if unfit == "" {
		if isNews {
			r.log.Info("reports are read from the replica")
		}
		return nil
	}
	if isNews {
		attrs := []any{"reason", unfit}
		if cause != nil {
			attrs = append(attrs, "error", strings.Join(strings.Fields(cause.Error()), " "))
		}
		r.log.Warn("reports are read from the primary: the replica cannot be used, and is asked again every second", attrs...)
	}
	return errors.New(unfit)
}

// isCurrent says whether a report on a website can be read from the replica. It waits a moment for the replica to
// have what was written to the website.
func (r *Replicated) isCurrent(ctx context.Context, websiteID string) bool {
	ctx, cancel := context.WithTimeout(ctx, writeWait)
	defer cancel()
	for {
		r.mu.Lock()
		_, lacks := r.written[websiteID]
		isFit := r.unfit == ""
		r.mu.Unlock()
		if !isFit || !lacks {
			return isFit
		}
		// A check that others began before the write does not tell, the next one does.
		select {
		case done := <-r.check():
			if done.Err != nil {
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}

// wrote notes that a website has been written to. A page asks for no reports: its visits are not waited for, or
// every report on a website that is visited would wait.
func (r *Replicated) wrote(ctx context.Context, websiteID string) {
	if p, err := model.PrincipalFrom(ctx); err == nil && p.TrackingID != "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[websiteID] = time.Now()
}

// report reads from the replica, if that can be used for the website, and from the primary if not or if it fails.
func report[T any](ctx context.Context, r *Replicated, websiteID string, read func(from *Store) (T, error)) (T, error) {
	if r.isCurrent(ctx, websiteID) {
		if found, err := read(r.replica); ctx.Err() != nil || !r.isAtFault(err) {
			return found, err
		}
	}
	return read(r.Store)
}

// isAtFault says whether an error is the replica's, and the primary may do better. A report that takes too long or
// is one too many is not: that must not become load of the primary.
func (r *Replicated) isAtFault(err error) bool {
	var down *unavailableError
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, errTooLong):
		return false
	case errors.As(err, &down) && (isLost(err) || !errors.As(err, &pg)):
		_ = r.note(silent, err)
	}
	return down != nil || model.AsError(err) == nil
}
