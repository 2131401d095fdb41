// Package db keeps the ledger in Postgres. Each exported method of Store is one transaction; rows
// and SQL stay inside.
package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// Options tune a Store. The zero value is right for a server.
type Options struct {
	// MaxConnections limits the connections to Postgres; 0 means 20.
	MaxConnections int
	// StatementTimeout ends a statement that takes longer, and a transaction that is silent for longer: what it has
	// locked must not wait for a machine that is gone. 0 means 30 s, NoTimeout no limit.
	StatementTimeout time.Duration
	// Remember is for how long websites and tokens are remembered after they were read, in which a change
	// of them goes unnoticed; 0 means not at all.
	Remember time.Duration
	// Rest is for how long a connection may not have been used before it is asked whether it is alive; 0 means 1 s.
	Rest time.Duration
	// ApplicationName is what Postgres calls the sessions; "" means tributary.
	ApplicationName string
	// Hook, if set, sees every statement.
	Hook bun.QueryHook
}

// NoTimeout lets statements take as long as they need.
const NoTimeout time.Duration = -1

// Store is the database. It is safe for concurrent use.
type Store struct {
	db       *bun.DB
	hook     bun.QueryHook
	payments *committer[*model.NewPayment, model.RecordPaymentResult]
	views    *committer[pageview, *model.RecordVisitPayload]
	events   *committer[happening, *model.RecordEventPayload]
	writes   *turnstile // of deletions, events that are no pageviews, and what an account with a limit records
	reports  *turnstile
	tokens   *recent[model.Token]   // by hash
	websites *recent[model.Website] // by what they were asked for
	growth   *growth
}

// Open prepares a store. It connects when it is first used: see Ping.
func Open(dsn string, opts Options) (*Store, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error of pgx quotes the DSN, which may hold a password.
		return nil, errors.New("the database URL is not valid: expected postgres://user:password@host:port/name")
	}
	if opts.MaxConnections == 0 {
		opts.MaxConnections = 20
	}
	if opts.StatementTimeout == 0 {
		opts.StatementTimeout = 30 * time.Second
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	// Bun writes the arguments into the statement, so that one round trip does.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	limit := fmt.Sprint(max(0, opts.StatementTimeout.Milliseconds()))
	for name, value := range map[string]string{
		"application_name":                    cmp.Or(opts.ApplicationName, "tributary"),
		"client_encoding":                     "UTF8",
		"standard_conforming_strings":         "on",
		"timezone":                            "UTC",
		"default_transaction_isolation":       "read committed",
		"jit":                                 "off",
		"plan_cache_mode":                     "force_generic_plan",
		"statement_timeout":                   limit,
		"idle_in_transaction_session_timeout": limit,
		"log_parameter_max_length_on_error":   "0",
	} {
		config.RuntimeParams[name] = value
	}
	alive := &liveness{rest: cmp.Or(opts.Rest, time.Second)}
	begin := func(ctx context.Context, conn *pgx.Conn) error {
		if err := keepQuiet(ctx, conn); err != nil {
			return err
		}
		return alive.begin(ctx, conn)
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(begin), stdlib.OptionResetSession(alive.check),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
	pool.SetMaxOpenConns(opts.MaxConnections)
	pool.SetMaxIdleConns(opts.MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	// Columns that a later version has added do not disturb this one.
	bunDB := bun.NewDB(pool, pgdialect.New(), bun.WithDiscardUnknownColumns())
	if opts.Hook != nil {
		bunDB = bunDB.WithQueryHook(opts.Hook)
	}
	s := &Store{db: bunDB, hook: opts.Hook, growth: newGrowth()}
	s.tokens, s.websites = newRecent[model.Token](opts.Remember), newRecent[model.Website](opts.Remember)
	s.writes, s.reports = newTurnstile(opts.MaxConnections*2/5), newTurnstile(opts.MaxConnections*3/10)
	s.payments, s.views, s.events = newCommitter(ofPayments, laneOfPayment, s.recordPayments), newCommitter(ofPageviews, laneOfView, s.recordViews),
		newCommitter(ofEvents, laneOfEvent, inTurn(s, s.recordEvents))
	return s, nil
}

// Close closes the connections.
func (s *Store) Close() error { return s.db.Close() }

// Ping says whether the database answers and has this program's schema. Errors: CodeUnavailable.
func (s *Store) Ping(ctx context.Context) error {
	pending, err := pendingMigrations(ctx, s.db)
	if err != nil {
		return translate(err)
	}
	if len(pending) > 0 {
		return unavailable("the database has not been migrated")
	}
	return nil
}

// errNotAlone ends a transaction that found that it has to change entries of others; it is tried again
// by a recorder that is alone.
var errNotAlone = errors.New("the ledger has to be changed alone")

// maxTries is how often a transaction is tried that met a deadlock or conflict, or lost its connection.
const maxTries = 10

// write runs a transaction, again if it fell victim to a concurrent one or lost its connection before
// it was committed. One that is lost while it is committed may have been: its client has to ask again.
func (s *Store) write(ctx context.Context, do func(ctx context.Context, tx *transaction) error) error {
	for try := 1; ; try++ {
		mayBeCommitted, err := s.try(ctx, do)
		if err == nil || try == maxTries || !isRetryable(err) && (mayBeCommitted || !isLost(err)) {
			return translate(err)
		}
		// The pause, longer with each try, lets others finish.
		if err := pause(ctx, time.Duration(rand.Int64N(int64(try)*int64(2*time.Millisecond)))); err != nil {
			return err
		}
	}
}

// try runs a transaction. If it fails, it answers whether it may have been committed all the same.
func (s *Store) try(ctx context.Context, do func(ctx context.Context, tx *transaction) error) (mayBeCommitted bool, err error) {
	tx, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.end(ctx)
	if err := do(ctx, tx); err != nil {
		return false, err
	}
	err = tx.commit(ctx)
	return tx.mayBeCommitted, err
}

// list is a slice for SQL's IN.
func list[T any](values []T) any { return bun.List(values) }
