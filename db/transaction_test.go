package db_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// wire stands between a store and its database, and knows what statements were sent.
type wire struct {
	dsn string

	mu       sync.Mutex
	messages []string
	cutAt    string // what ends so is delivered, but its answer is lost with the connection
	lost     int    // of the connections that were made, so many lose what is sent
	made     int
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{dsn: fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", config.User, config.Password, listener.Addr(), config.Database)}
	var group sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); group.Wait() })
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			network, address := pgconn.NetworkAddress(config.Host, config.Port)
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				return
			}
			group.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
			group.Go(func() { w.forward(client, server); _ = server.Close() })
		}
	})
	return w
}

// sent are the messages since it was asked before.
func (w *wire) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.messages
	w.messages = nil
	return sent
}

// cut has the answers to messages that end with at lost.
func (w *wire) cut(at string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cutAt = at
}

// lose has what is sent on the connections that there are lost, without a word of it.
func (w *wire) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = w.made
}

// forward delivers what a client sends, message by message.
func (w *wire) forward(client net.Conn, server io.Writer) {
	w.mu.Lock()
	w.made++
	number := w.made
	w.mu.Unlock()
	prepared, message := map[string]string{}, ""
	for kind := make([]byte, 0, 1); ; kind = make([]byte, 1) { // the first message has no kind
		head := make([]byte, len(kind)+4)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[len(kind):])-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		isSync := false
		if len(kind) > 0 {
			words := strings.Split(string(body), "\x00")
			switch head[0] {
			case 'Q':
				message, isSync = words[0], words[0] != "-- ping"
			case 'P': // parses a statement
				prepared[words[0]] = words[1]
			case 'B': // binds it
				message += prepared[words[1]] + ";"
			case 'S':
				isSync = message != ""
			}
		}
		w.mu.Lock()
		isCut := isSync && w.cutAt != "" && strings.HasSuffix(message, w.cutAt)
		if isSync {
			w.messages = append(w.messages, message)
			message = ""
		}
		isLost := number <= w.lost
		w.mu.Unlock()
		if isLost {
			continue
		}
		if isCut {
			_ = client.Close()
		}
		if _, err := server.Write(append(head, body...)); err != nil || isCut {
			return
		}
	}
}

func TestStore_transaction(t *testing.T) {
	t.Parallel()

	t.Run("a payment takes two messages, and whatever is in a batch no more of them", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w := newWire(t, b.dsn)
		b.Store = w.store(t)
		_, err := b.record(charge("first"))
		require.NoError(t, err)
		w.sent()
		in := charge("t1")
		in.VisitorID = ptr("v")
		_, err = b.record(in)
		require.NoError(t, err)
		sent := w.sent()
		require.Equal(t, 2, len(sent))
		require.Regexp(t, "^BEGIN;", sent[0])
		require.Regexp(t, ";COMMIT;$", sent[1])
		var inputs []model.RecordPaymentInput
		for i := range 100 {
			in.TransactionID = fmt.Sprint("b", i)
			inputs = append(inputs, in, refund(fmt.Sprint("r", i), in.TransactionID))
		}
		_, err = b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
		require.NoError(t, err)
		require.Equal(t, 2, len(w.sent()))
	})

	t.Run("an entry that appears meanwhile is found as a duplicate", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		tx := b.appearing("r")
		recorded := make(chan *model.RecordPaymentPayload, 1)
		go func() {
			payload, err := b.record(refund("r", "t2")) // of another charge, which has another lock
			must(t, err)
			recorded <- payload
		}()
		waiting(t, b.dsn, 1)
		require.NoError(t, tx.Commit(context.Background()))
		payload := <-recorded
		require.Equal(t, model.OutcomeDuplicate, payload.Outcome)
		require.Equal(t, []string{"refundOf"}, payload.Differences)
		require.NoError(t, b.RebuildRollups(t.Context(), b.site.ID, nil))
	})

	t.Run("a connection that is ended before the commit is replaced, although that was sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		tx := b.appearing("r")
		recorded := make(chan error, 1)
		go func() { _, err := b.record(refund("r", "t2")); recorded <- err }()
		waiting(t, b.dsn, 1)
		require.Equal(t, 1, value[int](t, connect(t, b.dsn), `SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`))
		waiting(t, b.dsn, 1) // again
		require.NoError(t, tx.Rollback(context.Background()))
		require.NoError(t, <-recorded)
		require.Equal(t, 2, value[int](t, connect(t, b.dsn), `SELECT count(*)::int FROM payments`))
	})

	t.Run("one that is lost with the answer to the commit says so, and a retry tells", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w := newWire(t, b.dsn)
		b.Store = w.store(t)
		_, err := b.record(charge("first"))
		require.NoError(t, err)
		w.cut("COMMIT;")
		_, err = b.record(charge("t1"))
		requireCode(t, model.CodeUnavailable, err)
		w.cut("")
		payload, err := b.record(charge("t1"))
		require.NoError(t, err)
		require.Equal(t, model.OutcomeDuplicate, payload.Outcome)
	})

	t.Run("one that is lost before is replaced", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w := newWire(t, b.dsn)
		b.Store = w.store(t)
		b.view("v")
		conn := connect(t, b.dsn)
		_, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tributary'`)
		require.NoError(t, err)
		_, err = b.record(charge("t1"))
		require.NoError(t, err)
	})

	t.Run("all that were lost without a word are replaced when one of them is found", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		w := newWire(t, b.dsn)
		var err error
		b.Store, err = db.Open(w.dsn, db.Options{Rest: time.Nanosecond})
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close() })
		const connections = 4
		locked, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = locked.Exec(t.Context(), "LOCK TABLE rollups")
		require.NoError(t, err)
		reports := make(chan error, connections)
		for range connections {
			go func() { _, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{}); reports <- err }()
		}
		waiting(t, b.dsn, connections)
		require.NoError(t, locked.Rollback(t.Context()))
		for range connections {
			require.NoError(t, <-reports)
		}
		w.lose()
		_, err = b.record(charge("t1"))
		require.NoError(t, err)
		for range connections {
			_, err := b.Revenue(t.Context(), b.site, model.RevenueQuery{})
			require.NoError(t, err)
		}
	})

	t.Run("columns that a later version has added do not disturb", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := connect(t, b.dsn).Exec(t.Context(), `ALTER TABLE payments ADD COLUMN later text NOT NULL DEFAULT 'x';
			ALTER TABLE visits ADD COLUMN later text NOT NULL DEFAULT 'x'; ALTER TABLE visitors ADD COLUMN later text NOT NULL DEFAULT 'x'`)
		require.NoError(t, err)
		for range 2 {
			b.view("v")
			in := charge("t1")
			in.VisitorID = ptr("v")
			payload, err := b.record(in)
			require.NoError(t, err)
			require.Equal(t, "v", *payload.Payment.VisitorID)
		}
	})
}

// store is a store that is connected by the wire.
func (w *wire) store(t *testing.T) *db.Store {
	t.Helper()
	store, err := db.Open(w.dsn, db.Options{MaxConnections: 1})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// appearing has another transaction under way that has written a refund of the charge t1.
func (b *bundle) appearing(id string) pgx.Tx {
	b.t.Helper()
	_, err := b.record(refund("of", "t1"))
	require.NoError(b.t, err)
	tx, err := connect(b.t, b.dsn).Begin(context.Background())
	require.NoError(b.t, err)
	_, err = tx.Exec(context.Background(), `INSERT INTO payments (website_id, id, transaction_id, kind, renewal, charge_id, refund_of, currency,
			amount_minor, reporting_minor, reporting_currency, occurred_at, recorded_at, basis)
		SELECT website_id, gen_random_uuid(), $1, kind, renewal, charge_id, refund_of, currency,
			amount_minor, reporting_minor, reporting_currency, occurred_at, recorded_at, basis FROM payments`, id)
	require.NoError(b.t, err)
	return tx
}
