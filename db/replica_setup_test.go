package db_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/graph"
	"tributary/internal/dbtest"
	"tributary/internal/logtest"
	"tributary/model"
)

// replicated is a bundle on a primary, and a store that reads its reports from the replica.
type replicated struct {
	*bundle // another process on the primary
	own     *db.Replicated
	pair    *dbtest.Pair
	replica *pgx.Conn // a superuser's
	log     *lines
	// What own has asked of each server.
	onPrimary, onReplica asked
}

func setupReplicated(t *testing.T) *replicated {
	t.Helper()
	b := &replicated{pair: dbtest.NewPair(t), log: &lines{}}
	b.replica = connect(t, b.pair.ReplicaAdminURL)
	b.bundle = &bundle{t: t, dsn: b.pair.URL}
	b.Store = b.another(db.Options{})
	b.site = b.website("USD")
	b.own = openReplica(t, b.another(db.Options{Hook: &b.onPrimary}), b.pair.ReplicaURL, db.Options{Hook: &b.onReplica}, b.log)
	b.log.next(t, "reports are read from the replica")
	return b
}

func openReplica(t *testing.T, primary *db.Store, dsn string, opts db.Options, log *lines) *db.Replicated {
	t.Helper()
	own, err := db.OpenReplicated(primary, dsn, opts, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Close()) })
	return own
}

// asked counts statements, and apart from them those of checks.
type asked struct{ reports, checks atomic.Int64 }

func (a *asked) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.Contains(event.Query, "pg_control_system") || strings.Contains(event.Query, "pg_current_xact_id") {
		a.checks.Add(1)
	} else {
		a.reports.Add(1)
	}
	return ctx
}

func (a *asked) AfterQuery(context.Context, *bun.QueryEvent) {}

// lines are those of a log, of which some were waited for already.
type lines struct {
	logtest.Buffer
	read int // bytes
}

// next waits for the next line, which must contain a text.
func (l *lines) next(t *testing.T, text string) {
	t.Helper()
	var line string
	require.Eventually(t, func() bool {
		var isWhole bool
		line, _, isWhole = strings.Cut(l.String()[l.read:], "\n")
		return isWhole
	}, 20*time.Second, 2*time.Millisecond, "the log does not say: %s", text)
	l.read += len(line) + 1
	require.Contains(t, line, text)
}

// from says who answers a question that nobody else asks at the time.
func (b *replicated) from(ask func()) string {
	b.t.Helper()
	primary, replica := b.onPrimary.reports.Load(), b.onReplica.reports.Load()
	ask()
	switch isPrimary, isReplica := b.onPrimary.reports.Load() > primary, b.onReplica.reports.Load() > replica; {
	case isPrimary && isReplica:
		return "both"
	case isPrimary:
		return "primary"
	case isReplica:
		return "replica"
	}
	return "nobody"
}

// pay records a payment by a store.
func (b *replicated) pay(by graph.Store, id, visitor string) {
	b.t.Helper()
	in := charge(id)
	in.VisitorID = &visitor
	p, err := in.Validate(b.site, now)
	require.NoError(b.t, err)
	_, err = by.RecordPayment(context.Background(), b.site, &p)
	require.NoError(b.t, err)
}

// charges is how many there are in a report of own, and who says so.
func (b *replicated) charges(site model.Website) (n int, from string) {
	b.t.Helper()
	from = b.from(func() {
		revenue, err := b.own.Revenue(context.Background(), site, model.RevenueQuery{})
		require.NoError(b.t, err)
		n = revenue.Charges
	})
	return n, from
}

// requireCharges checks how many there are, and who says so.
func (b *replicated) requireCharges(want int, wantFrom string) {
	b.t.Helper()
	n, from := b.charges(b.site)
	require.Equal(b.t, wantFrom, from)
	require.Equal(b.t, want, n)
}

// pause keeps the replica from showing what is committed from then on.
func (b *replicated) pause() {
	b.t.Helper()
	b.onReplicaRun("SELECT pg_wal_replay_pause()")
	require.Eventually(b.t, func() bool {
		return value[string](b.t, b.replica, "SELECT pg_get_wal_replay_pause_state()") == "paused"
	}, 20*time.Second, time.Millisecond)
}

func (b *replicated) resume() { b.onReplicaRun("SELECT pg_wal_replay_resume()") }

func (b *replicated) onReplicaRun(statement string) {
	b.t.Helper()
	_, err := b.replica.Exec(context.Background(), statement)
	require.NoError(b.t, err)
}
