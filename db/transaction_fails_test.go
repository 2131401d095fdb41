package db_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

// A store with one connection needs it again after whatever goes wrong in a transaction.
func TestStore_transactionFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spoil, mend, says string }{
		"a statement in the middle of a message": {
			"ALTER TABLE payments ADD CONSTRAINT refused CHECK (transaction_id <> 'bad')", "ALTER TABLE payments DROP CONSTRAINT refused", "refused",
		},
		"the commit": {
			`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''refused''; END';
			CREATE CONSTRAINT TRIGGER refusing AFTER INSERT ON payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`,
			"DROP TRIGGER refusing ON payments", "refused",
		},
		"a row that cannot be read": {
			"ALTER TABLE websites ALTER rollups_until TYPE text USING 'never'", "ALTER TABLE websites ALTER rollups_until TYPE timestamptz USING NULL", "never",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, db.Options{MaxConnections: 1})
			conn := connect(t, b.dsn)
			_, err := conn.Exec(t.Context(), c.spoil)
			require.NoError(t, err)
			_, err = b.record(charge("bad"))
			require.ErrorContains(t, err, c.says)
			require.Nil(t, model.AsError(err))
			require.Zero(t, value[int](t, conn, "SELECT count(*)::int FROM payments"))
			require.Zero(t, value[int](t, conn, `SELECT count(*)::int FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'`))
			_, err = conn.Exec(t.Context(), c.mend)
			require.NoError(t, err)
			_, err = b.record(charge("bad"))
			require.NoError(t, err)
		})
	}

	t.Run("a client that goes away", func(t *testing.T) {
		t.Parallel()
		b := setupWith(t, db.Options{MaxConnections: 1})
		tx, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), "LOCK TABLE payments")
		require.NoError(t, err)
		ctx, leave := context.WithCancel(t.Context())
		answered := make(chan error, 1)
		go func() {
			_, err := b.DeletePayments(ctx, b.site, "", model.Deletion{VisitorID: ptr("v")}, now)
			answered <- err
		}()
		waiting(t, b.dsn, 1)
		leave()
		requireCode(t, model.CodeUnavailable, <-answered)
		require.NoError(t, tx.Rollback(t.Context()))
		_, err = b.record(charge("t"))
		require.NoError(t, err)
	})

	t.Run("texts come back as they were", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		texts := []string{`it's`, `a"b`, `\`, `\"`, `{a,b}`, `{}`, `NULL`, `null`, `;COMMIT;--`, `?0 ?`, `$1`, `E'\\x'`, `é😀`}
		payments := make([]*model.NewPayment, len(texts))
		for i, text := range texts {
			in := charge("t" + text)
			in.Name, in.CustomerID, in.Metadata = ptr(text), ptr(text), model.Metadata{}
			require.NoError(t, in.Metadata.Set("k", text))
			checked, err := in.Validate(b.site, now)
			require.NoError(t, err, text)
			payments[i] = &checked
		}
		_, err := b.RecordPayments(t.Context(), b.site, payments)
		require.NoError(t, err)
		again, err := b.RecordPayments(t.Context(), b.site, payments)
		require.NoError(t, err)
		for i, result := range again {
			require.Nil(t, result.Error)
			require.Equal(t, model.OutcomeDuplicate, result.Payload.Outcome)
			require.Empty(t, result.Payload.Differences, texts[i])
			require.Equal(t, payments[i].Name, result.Payload.Payment.Name)
			require.Equal(t, payments[i].Metadata, result.Payload.Payment.Metadata)
		}
	})
}
