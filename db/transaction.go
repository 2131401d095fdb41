package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// rollbackTimeout is how long a transaction that has failed may take to be undone.
const rollbackTimeout = 5 * time.Second

// querier makes queries: on the database, or in a transaction.
type querier interface {
	NewSelect() *bun.SelectQuery
	NewInsert() *bun.InsertQuery
	NewUpdate() *bun.UpdateQuery
	NewDelete() *bun.DeleteQuery
	NewRaw(query string, args ...any) *bun.RawQuery
	NewValues(model any) *bun.ValuesQuery
}

// transaction is a transaction that waits for Postgres as seldom as it can. Statements that are queued are sent
// together, in one message, before the next query that is run at once: BEGIN goes with the first of them, and
// COMMIT with the last.
type transaction struct {
	store  *Store
	ctx    context.Context // in which it began, for the store's hook
	conn   bun.Conn
	queued []statement
	err    error // the first one: nothing is sent after it
	isLast bool  // what is queued ends with COMMIT
	// mayBeCommitted says that COMMIT was sent, and Postgres did not end before it.
	mayBeCommitted bool
}

// statement is a statement that is to be sent.
type statement struct {
	text   string
	args   []any       // of one that is kept
	isKept bool        // by the connection, for the next time: see keepable
	rows   any         // a pointer to the slice of rows that its rows are added to, or nil
	ended  func(error) // tells the store's hook, or nil
}

// begin begins a transaction. Whoever does so must end it. If the context has a deadline, the connection gets it:
// so a context that cannot be cancelled need not be watched.
func (s *Store) begin(ctx context.Context) (*transaction, error) {
	deadline, isLimited := ctx.Deadline()
	waiting, cancel := ctx, func() {}
	if isLimited { // to wait for a connection, or to make one, ends by a signal only
		waiting, cancel = context.WithDeadline(ctx, deadline)
	}
	conn, err := s.db.Conn(waiting)
	cancel()
	if err != nil {
		return nil, err
	}
	t := &transaction{store: s, ctx: ctx, conn: conn}
	if isLimited {
		if err := t.onConnection(func(conn *pgx.Conn) error { return conn.PgConn().Conn().SetDeadline(deadline) }); err != nil {
			t.end(ctx)
			return nil, err
		}
	}
	t.queue(kept("BEGIN"))
	return t, nil
}

// queue has a query run with those that follow. If it fails, so do they.
func (t *transaction) queue(query schema.QueryAppender) { t.queueInto(nil, query) }

// queueInto is queue for a query of which the rows are wanted: rows is a pointer to a slice of structs, to which
// they are added when they come.
func (t *transaction) queueInto(rows any, query schema.QueryAppender) {
	gen := t.store.db.QueryGen()
	s := statement{rows: rows}
	var err error
	if own, isKept := query.(keepable); isKept {
		s.isKept = true
		s.text, s.args, err = own.kept(gen)
	} else {
		var text []byte
		text, err = query.AppendQuery(gen, nil)
		s.text = string(text)
	}
	s.ended = t.tellHook(query, s)
	t.queued = append(t.queued, s)
	t.err = cmp.Or(t.err, err)
}

// tellHook tells the store's hook, if it has one, of a query that is queued: there it sees who has asked for it. It
// answers how to tell that the query has ended.
func (t *transaction) tellHook(query schema.QueryAppender, s statement) (ended func(error)) {
	hook := t.store.hook
	if hook == nil {
		return nil
	}
	event := &bun.QueryEvent{DB: t.store.db, Query: s.text, StartTime: time.Now()}
	if s.isKept {
		text, _ := query.AppendQuery(t.store.db.QueryGen(), nil)
		event.Query, event.Stash = string(text), map[any]any{KeptText: s.text}
	}
	ctx := hook.BeforeQuery(t.ctx, event)
	return func(err error) {
		event.Err = err
		hook.AfterQuery(ctx, event)
	}
}

// commit sends what is queued and ends the transaction.
func (t *transaction) commit(ctx context.Context) error {
	t.queue(kept("COMMIT"))
	t.isLast = true
	return t.send(ctx)
}

// end gives the connection back, and undoes what was not committed.
func (t *transaction) end(ctx context.Context) {
	_ = t.onConnection(func(conn *pgx.Conn) error {
		pg := conn.PgConn()
		if err := pg.Conn().SetDeadline(time.Time{}); err != nil || pg.IsClosed() || pg.TxStatus() == 'I' {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		return pg.Exec(ctx, "ROLLBACK").Close()
	})
	_ = t.conn.Close()
}

// send sends what is queued, in one message, and reads the answers.
func (t *transaction) send(ctx context.Context) (err error) {
	statements := t.queued
	if len(statements) == 0 || t.err != nil {
		return t.err
	}
	t.queued = nil
	defer func() {
		t.err = err
		for _, s := range statements {
			if s.ended != nil {
				s.ended(err)
			}
		}
	}()
	return t.onConnection(func(conn *pgx.Conn) error {
		answered, err := t.exchange(ctx, conn, statements)
		var failed *pgconn.PgError
		if errors.As(err, &failed) && answered < len(statements)-1 {
			t.mayBeCommitted = false // of a message, nothing is run after what failed
		}
		if err != nil && failed == nil && conn.PgConn().IsClosed() && !errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%w: %w", driver.ErrBadConn, err)
		}
		return err
	})
}

// exchange sends statements in one message and reads the answers, of which it says how many came.
func (t *transaction) exchange(ctx context.Context, conn *pgx.Conn, statements []statement) (answered int, err error) {
	pg := conn.PgConn()
	own := keptBy(pg)
	hadSome, err := own.prepare(ctx, pg, statements)
	if err != nil {
		return 0, err
	}
	args, err := own.encode(conn.TypeMap(), statements)
	if err != nil {
		return 0, err
	}
	pipeline := pg.StartPipeline(ctx)
	defer func() { err = own.check(cmp.Or(err, pipeline.Close()), hadSome) }()
	t.mayBeCommitted = t.isLast
	before, err := own.send(pipeline, statements, args)
	if err != nil {
		return 0, err
	}
	var unread error
	for answered = -before; answered < len(statements); answered++ {
		result, err := pipeline.GetResults()
		if err != nil {
			return answered, err
		}
		reader := result.(*pgconn.ResultReader)
		if answered >= 0 && statements[answered].rows != nil && unread == nil {
			unread = t.scan(reader, statements[answered].rows)
		}
		tag, err := reader.Close()
		if err != nil {
			return answered, err
		}
		if t.isLast && answered == len(statements)-1 && tag.String() != "COMMIT" {
			return answered, fmt.Errorf("the transaction ended with %s", tag)
		}
	}
	return answered, unread
}

// scan adds the rows of a result to a slice, column by column as they are named. Columns that a later version
// has added are left out.
func (t *transaction) scan(result *pgconn.ResultReader, rows any) error {
	slice := reflect.ValueOf(rows).Elem()
	table := t.store.db.Table(slice.Type().Elem())
	for result.NextRow() {
		row := reflect.New(slice.Type().Elem()).Elem()
		for i, value := range result.Values() {
			field := table.LookupField(result.FieldDescriptions()[i].Name)
			if field == nil || value == nil {
				continue
			}
			if err := field.ScanValue(row, string(value)); err != nil {
				return err
			}
		}
		slice.Set(reflect.Append(slice, row))
	}
	return nil
}

// onConnection does something with the connection. One that is lost is not used again.
func (t *transaction) onConnection(do func(conn *pgx.Conn) error) error {
	var err error
	gone := t.conn.Raw(func(raw any) error {
		conn := raw.(*stdlib.Conn).Conn()
		if err = do(conn); conn.IsClosed() {
			return driver.ErrBadConn
		}
		return nil
	})
	return cmp.Or(err, gone)
}

// QueryContext implements bun.IConn, for queries that are run at once.
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.send(ctx); err != nil {
		return nil, err
	}
	return t.conn.Conn.QueryContext(ctx, query, args...)
}

// ExecContext implements bun.IConn, for queries that are run at once.
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.send(ctx); err != nil {
		return nil, err
	}
	return t.conn.Conn.ExecContext(ctx, query, args...)
}

// QueryRowContext implements bun.IConn, for queries that are run at once.
func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := t.send(ctx); err != nil {
		// A row cannot say so. With a context that has ended, the query is not run outside of the transaction.
		ended, cancel := context.WithCancelCause(ctx)
		cancel(err)
		ctx = ended
	}
	return t.conn.Conn.QueryRowContext(ctx, query, args...)
}

// The methods of querier make queries that are run in the transaction.

func (t *transaction) NewSelect() *bun.SelectQuery { return t.store.db.NewSelect().Conn(t) }
func (t *transaction) NewInsert() *bun.InsertQuery { return t.store.db.NewInsert().Conn(t) }
func (t *transaction) NewUpdate() *bun.UpdateQuery { return t.store.db.NewUpdate().Conn(t) }
func (t *transaction) NewDelete() *bun.DeleteQuery { return t.store.db.NewDelete().Conn(t) }
func (t *transaction) NewRaw(query string, args ...any) *bun.RawQuery {
	return t.store.db.NewRaw(query, args...).Conn(t)
}
func (t *transaction) NewValues(model any) *bun.ValuesQuery {
	return t.store.db.NewValues(model).Conn(t)
}
