package main

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What goes wrong beside the ledger is found too, and nothing is where nothing is wrong.
func TestHealth(t *testing.T) {
	t.Parallel()
	r := testRig(t, nil)
	found := func(kind breachKind, what string) {
		t.Helper()
		require.NotZero(t, r.report.broken()[kind], what)
		r.anew(t)
	}
	nothing := func() {
		t.Helper()
		require.Empty(t, r.report.breaches)
	}

	r.exec(t, `ALTER TABLE payments RENAME COLUMN currency TO money`)
	r.writers[0].charge(t.Context())
	r.exec(t, `ALTER TABLE payments RENAME COLUMN money TO currency`)
	found(wrong, "an internal error, by its answer")
	require.NoError(t, r.checkLogs())
	found(wrong, "an internal error, by the log")
	require.NoError(t, r.checkLogs())
	nothing()

	require.NoError(t, r.recover(t.Context(), time.Now(), backMax))
	nothing()
	require.NoError(t, r.recover(t.Context(), time.Now().Add(-backMax), backMax))
	found(late, "a server that is not back in time")

	r.quietMax = time.Second
	conn, err := r.cluster.connect(t.Context(), r.database)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `SET application_name = tributary; BEGIN`)
	require.NoError(t, err)
	require.ErrorContains(t, r.quiet(t.Context()), "idle in transaction")
	require.NoError(t, conn.Close(t.Context()))
	r.quietMax = quietMax
	require.NoError(t, r.quiet(t.Context()))

	require.NoError(t, r.cluster.create(t.Context(), "changed", "template0"))
	require.NoError(t, command(t.Context(), r.binary, databaseURL(r.back, "changed"), nil, "migrate"))
	require.NoError(t, r.checkSchema(t.Context(), "changed", false))
	nothing()
	r.execOn(t, "changed", `DROP INDEX payments_occurred_idx`)
	require.NoError(t, r.checkSchema(t.Context(), "changed", false))
	found(wrong, "a schema that is not all there")

	r.checkFiles()
	nothing()
	for range 2 * maxFiles {
		conn, err := net.Dial("tcp", r.servers[0].address)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: tributary\r\n\r\n") // and the connection stays
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1)) // the server has taken it
		require.NoError(t, err)
	}
	r.checkFiles()
	found(wrong, "connections that stay open")

	e := &entry{id: "turned", kind: kindCharge, minor: 1}
	require.NoError(t, r.servers[0].turn(-48*time.Hour))
	require.True(t, r.writers[0].record(t.Context(), r.servers[:1], e))
	require.NoError(t, r.servers[0].turn(0))
	require.EqualValues(t, 1, r.exec(t, `DELETE FROM payments WHERE transaction_id = 'turned' AND recorded_at < now() - interval '47 hours'`), "a clock cannot be turned")

	r.checkProcesses()
	nothing()
	p := r.servers[0].running()
	p.signal(syscall.SIGKILL)
	<-p.Done
	r.checkProcesses()
	require.NotZero(t, r.report.broken()[wrong], "a server that ended by itself")
}

// execOn runs SQL on a database.
func (r *rig) execOn(t *testing.T, database, sql string) int64 {
	t.Helper()
	conn, err := r.cluster.connect(t.Context(), database)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	tag, err := conn.Exec(t.Context(), sql)
	require.NoError(t, err)
	return tag.RowsAffected()
}
