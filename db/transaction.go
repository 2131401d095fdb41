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
	"strings"
	"time"

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
	// mayBeCommitted says that COMMIT was sent, and Postgres did not end before it.
	mayBeCommitted bool
}

// statement is a statement that is to be sent.
type statement struct {
	text  string
	rows  any         // a pointer to the slice of rows that its rows are added to, or nil
	ended func(error) // tells the store's hook, or nil
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
		if err := t.onConnection(func(pg *pgconn.PgConn) error { return pg.Conn().SetDeadline(deadline) }); err != nil {
			t.end(ctx)
			return nil, err
		}
	}
	t.add(nil, "BEGIN")
	return t, nil
}

// add adds a statement to those that are queued. The store's hook sees it there, and so who has asked for it.
func (t *transaction) add(rows any, text string) {
	var ended func(error)
	if hook := t.store.hook; hook != nil {
		event := &bun.QueryEvent{DB: t.store.db, Query: text, StartTime: time.Now()}
		ctx := hook.BeforeQuery(t.ctx, event)
		ended = func(err error) {
			event.Err = err
			hook.AfterQuery(ctx, event)
		}
	}
	t.queued = append(t.queued, statement{text, rows, ended})
}

// queue has a query run with those that follow. If it fails, so do they.
func (t *transaction) queue(query schema.QueryAppender) { t.queueInto(nil, query) }

// queueInto is queue for a query of which the rows are wanted: rows is a pointer to a slice of structs, to which
// they are added when they come.
func (t *transaction) queueInto(rows any, query schema.QueryAppender) {
	text, err := query.AppendQuery(t.store.db.QueryGen(), nil)
	t.add(rows, string(text))
	t.err = cmp.Or(t.err, err)
}

// commit sends what is queued and ends the transaction.
func (t *transaction) commit(ctx context.Context) error {
	t.add(nil, "COMMIT")
	t.mayBeCommitted = true
	return t.send(ctx)
}

// end gives the connection back, and undoes what was not committed.
func (t *transaction) end(ctx context.Context) {
	_ = t.onConnection(func(pg *pgconn.PgConn) error {
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
	var message strings.Builder
	for _, s := range statements {
		message.WriteString(s.text)
		message.WriteByte(';')
	}
	return t.onConnection(func(pg *pgconn.PgConn) error {
		results, n := pg.Exec(ctx, message.String()), 0
		var unread error
		for ; results.NextResult(); n++ {
			if rows := statements[n].rows; rows != nil && unread == nil {
				unread = t.scan(results.ResultReader(), rows)
			}
			_, _ = results.ResultReader().Close() // its error is that of all results
		}
		err := results.Close()
		var failed *pgconn.PgError
		if errors.As(err, &failed) && n < len(statements)-1 {
			t.mayBeCommitted = false // of a message, nothing is run after what failed
		}
		if err != nil && failed == nil && pg.IsClosed() && !errors.Is(err, os.ErrDeadlineExceeded) {
			err = fmt.Errorf("%w: %w", driver.ErrBadConn, err)
		}
		return cmp.Or(err, unread)
	})
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
func (t *transaction) onConnection(do func(pg *pgconn.PgConn) error) error {
	var err error
	gone := t.conn.Raw(func(conn any) error {
		pg := conn.(*stdlib.Conn).Conn().PgConn()
		if err = do(pg); pg.IsClosed() {
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
