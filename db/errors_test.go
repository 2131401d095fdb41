package db_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://user:secret@host:port/name", "secret"} {
		_, err := db.Open(dsn, db.Options{})
		require.ErrorContains(t, err, "postgres://user:password@host:port/name")
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestStore_errors(t *testing.T) {
	t.Parallel()
	// unavailable wants an error that a client may see, with its cause for the log.
	says := func(t *testing.T, err error, message, cause string) {
		t.Helper()
		requireCode(t, model.CodeUnavailable, err)
		require.Equal(t, message, model.AsError(err).Message)
		require.ErrorContains(t, err, cause)
	}
	unavailable := func(t *testing.T, err error, cause string) {
		t.Helper()
		says(t, err, "the database cannot answer now; try again", cause)
	}

	t.Run("connection refused", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		store, err := db.Open("postgres://user:secret@"+listener.Addr().String()+"/name", db.Options{})
		require.NoError(t, err)
		defer store.Close()
		_, err = store.Website(t.Context(), "x")
		unavailable(t, err, "refused")
		unavailable(t, store.Ping(t.Context()), "refused")
		_, err = store.RecordPayment(t.Context(), model.Website{}, &model.NewPayment{})
		unavailable(t, err, "refused")
		require.NotContains(t, err.Error(), "secret")
	})

	t.Run("statement timeout", func(t *testing.T) {
		t.Parallel()
		const tooLong = "this took too long; try again, or ask for less at once, such as a shorter range"
		b := setupWith(t, db.Options{StatementTimeout: 50 * time.Millisecond})
		tx, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `LOCK TABLE websites, payments`)
		require.NoError(t, err)
		_, err = b.Website(t.Context(), b.site.ID)
		says(t, err, tooLong, "statement timeout")
		_, err = b.record(charge("t1"))
		says(t, err, tooLong, "statement timeout")
		require.NoError(t, tx.Rollback(t.Context()))
		_, err = b.record(charge("t1"))
		require.NoError(t, err)
	})

	t.Run("a context that has ended", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.Websites(ctx, "")
		unavailable(t, err, "context canceled")
	})

	t.Run("a deadline that passes while a transaction waits", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		tx, err := connect(t, b.dsn).Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `LOCK TABLE websites`)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = b.CreateWebsite(ctx, model.Website{Domain: "x.example", Timezone: "UTC", Currency: "USD", CreatedAt: now})
		says(t, err, "this took too long; try again, or ask for less at once, such as a shorter range", "timeout")
		require.NoError(t, tx.Rollback(t.Context()))
		b.website("USD")
	})

	t.Run("a session that is ended by the server", func(t *testing.T) {
		t.Parallel()
		b := setupWith(t, db.Options{MaxConnections: 1})
		conn := connect(t, b.dsn)
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), `LOCK TABLE payments`)
		require.NoError(t, err)
		answered := make(chan error, 1)
		go func() {
			_, err := b.Revenue(context.Background(), b.site, model.RevenueQuery{})
			answered <- err
		}()
		waiting(t, b.dsn, 1)
		_, err = connect(t, b.dsn).Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		require.NoError(t, err)
		unavailable(t, <-answered, "terminating connection")
		require.NoError(t, tx.Rollback(t.Context()))
		_, err = b.record(charge("t1"))
		require.NoError(t, err, "the next one finds another session")
	})

	t.Run("a constraint that means something to clients", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.CreateWebsite(t.Context(), model.Website{AccountID: "none", Domain: "x.example", Timezone: "UTC", Currency: "USD", CreatedAt: now})
		requireCode(t, model.CodeInvalidField, err)
		require.Equal(t, "account", model.AsError(err).Field)
		account, _ := model.NewToken(model.Token{Prefix: model.PrefixAccountToken, AccountID: "none", CreatedAt: now})
		_, err = b.CreateToken(t.Context(), account)
		requireCode(t, model.CodeInvalidField, err)
	})

	t.Run("a constraint of another machine of a cluster", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := connect(t, b.dsn).Exec(t.Context(), `ALTER TABLE tokens RENAME CONSTRAINT tokens_account_id_fkey TO tokens_account_id_fkey_102008;
			CREATE SEQUENCE inserts;
			CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF nextval('inserts') = 1 THEN
					RAISE unique_violation USING MESSAGE = 'duplicate key value violates unique constraint "payments_website_transaction_key_102009"';
				END IF;
				RETURN NEW;
			END $$;
			CREATE TRIGGER refuse BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION refuse()`)
		require.NoError(t, err)
		account, _ := model.NewToken(model.Token{Prefix: model.PrefixAccountToken, AccountID: "none", CreatedAt: now})
		_, err = b.CreateToken(t.Context(), account)
		requireCode(t, model.CodeInvalidField, err)
		_, err = b.record(charge("t1"))
		require.NoError(t, err, "the transaction is run again")
	})

	t.Run("a constraint that nobody should meet stays as it is, to be masked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		err := b.LimitAccount(t.Context(), b.site.AccountID, -1)
		require.ErrorContains(t, err, "accounts_event_limit_check")
		require.Nil(t, model.AsError(err))
	})
}
