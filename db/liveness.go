package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// aliveMax is how long a connection may take to say that it is alive.
const aliveMax = 2 * time.Second

// liveness keeps a pool from connections that are lost though nobody has closed them: a firewall has forgotten
// them, or the machine is gone. To wait for an answer on each would take a transaction's whole time, again and
// again. So one that does not answer soon speaks for all that have not been used since.
type liveness struct {
	rest   time.Duration // for which a connection is not asked
	lostAt atomic.Int64  // when one was found to be lost, in nanoseconds since started
}

// started is what the times of connections are counted from, so that no change of the clock changes their order.
var started = time.Now()

// usedKey is where a connection has the time since started at which it was last taken from the pool.
const usedKey = "used"

// check says whether a connection that is taken from the pool can be used. It implements what pgx calls a reset of
// the session.
func (l *liveness) check(ctx context.Context, conn *pgx.Conn) error {
	now := time.Since(started)
	data := conn.PgConn().CustomData()
	used, _ := data[usedKey].(time.Duration)
	data[usedKey] = now
	switch {
	case used.Nanoseconds() <= l.lostAt.Load():
		return driver.ErrBadConn
	case now-used <= l.rest:
		return nil
	}
	asked, cancel := context.WithTimeout(ctx, aliveMax)
	defer cancel()
	err := conn.PgConn().Ping(asked)
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && errors.Is(asked.Err(), context.DeadlineExceeded):
		l.lostAt.Store(now.Nanoseconds())
	}
	return driver.ErrBadConn
}

// begin notes that a connection has been made.
func (l *liveness) begin(_ context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[usedKey] = time.Since(started)
	return nil
}
