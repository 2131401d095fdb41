package db_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"tributary/db"
	"tributary/model"
)

// freezer holds a server still, once, after it has deleted payments and before its next statement.
type freezer struct {
	once         sync.Once
	frozen, thaw chan struct{}
}

func (f *freezer) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (f *freezer) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if strings.Contains(event.Query, "DELETE FROM payments") {
		f.once.Do(func() {
			close(f.frozen)
			<-f.thaw
		})
	}
}

// A server whose machine stands still, or has left the network, keeps no website from the others.
func TestStore_silentTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.record(charge("t1"))
	require.NoError(t, err)
	f := &freezer{frozen: make(chan struct{}), thaw: make(chan struct{})}
	still := b.another(db.Options{Hook: f, StatementTimeout: 500 * time.Millisecond})
	deleted := make(chan error, 1)
	go func() {
		_, err := still.DeletePayments(context.Background(), b.site, "token", model.Deletion{TransactionID: ptr("t1")}, now)
		deleted <- err
	}()
	<-f.frozen
	_, err = b.record(charge("t2"))
	close(f.thaw)
	require.NoError(t, err)
	require.NoError(t, <-deleted, "it is run again")
	require.Equal(t, "t2", value[string](t, connect(t, b.dsn), "SELECT string_agg(transaction_id, ' ') FROM payments"))
}
