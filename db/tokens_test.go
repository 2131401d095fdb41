package db_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

func (b *bundle) token(t model.Token) (model.Token, error) {
	t.CreatedAt = now
	t, _ = model.NewToken(t)
	return b.CreateToken(context.Background(), t)
}

func TestStore_tokens(t *testing.T) {
	t.Parallel()

	t.Run("a key is found by its hash until it is revoked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		key, err := b.token(model.Token{Prefix: model.PrefixWebsiteKey, Name: "checkout", WebsiteID: b.site.ID})
		require.NoError(t, err)
		require.NotEmpty(t, key.ID)
		require.Equal(t, b.site.AccountID, key.AccountID)
		found, err := b.TokenByHash(t.Context(), key.Hash, now)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(key, found, cmpopts.EquateEmpty()))

		require.NoError(t, b.RevokeToken(t.Context(), key.Prefix, key.ID, now))
		require.NoError(t, b.RevokeToken(t.Context(), key.Prefix, key.ID, now.Add(time.Hour)), "again changes nothing")
		_, err = b.TokenByHash(t.Context(), key.Hash, now)
		requireCode(t, model.CodeUnauthorized, err)
		listed, err := b.Tokens(t.Context(), b.site.ID)
		require.NoError(t, err)
		require.Equal(t, now, *listed[0].RevokedAt)
		requireCode(t, model.CodeInvalidField, b.RevokeToken(t.Context(), model.PrefixAccountToken, key.ID, now))
		requireCode(t, model.CodeInvalidField, b.RevokeToken(t.Context(), key.Prefix, "none", now))
	})

	t.Run("an account token keeps its scopes, websites and end", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		end := now.Add(time.Hour)
		token, err := b.token(model.Token{
			Prefix: model.PrefixAccountToken, Scopes: []model.Scope{model.ScopePaymentsRead, model.ScopeAll}, WebsiteIDs: []string{b.site.ID}, ExpiresAt: &end,
		})
		require.NoError(t, err)
		found, err := b.TokenByHash(t.Context(), token.Hash, end.Add(-time.Microsecond))
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(token, found, cmpopts.EquateEmpty()))
		_, err = b.TokenByHash(t.Context(), token.Hash, end)
		requireCode(t, model.CodeUnauthorized, err)
		_, err = b.TokenByHash(t.Context(), []byte("unknown"), now)
		requireCode(t, model.CodeUnauthorized, err)

		listed, err := b.Tokens(t.Context(), "")
		require.NoError(t, err)
		require.Len(t, listed, 1)
		require.Equal(t, token.ID, listed[0].ID)
		keys, err := b.Tokens(t.Context(), b.site.ID)
		require.NoError(t, err)
		require.Empty(t, keys)
	})

	t.Run("the last use is kept to the minute", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		key, err := b.token(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: b.site.ID})
		require.NoError(t, err)
		for _, step := range []struct{ used, want time.Duration }{
			{0, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {30 * time.Second, time.Minute}, {time.Hour, time.Hour},
		} {
			_, err := b.TokenByHash(t.Context(), key.Hash, now.Add(step.used))
			require.NoError(t, err)
			listed, err := b.Tokens(t.Context(), b.site.ID)
			require.NoError(t, err)
			require.Equal(t, now.Add(step.want), *listed[0].LastUsedAt, step.used)
		}
	})

	t.Run("a token is for websites of one account", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		account, err := b.CreateAccount(t.Context(), model.Account{Name: "other", EventLimit: 5, CreatedAt: now})
		require.NoError(t, err)
		other, err := b.CreateWebsite(t.Context(), model.Website{AccountID: account.ID, Domain: "o.example", Timezone: "UTC", Currency: "EUR", CreatedAt: now})
		require.NoError(t, err)
		for _, token := range []model.Token{
			{Prefix: model.PrefixWebsiteKey, WebsiteID: "none"}, {Prefix: model.PrefixAccountToken, WebsiteIDs: []string{b.site.ID, "none"}},
			{Prefix: model.PrefixAccountToken, WebsiteIDs: []string{b.site.ID, other.ID}}, {Prefix: model.PrefixAccountToken, AccountID: account.ID, WebsiteIDs: []string{b.site.ID}},
		} {
			_, err := b.token(token)
			requireCode(t, model.CodeWebsiteNotFound, err)
		}
	})
}

func TestStore_websites(t *testing.T) {
	t.Parallel()

	t.Run("the first ones share one account, also when they are made at once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := connect(t, b.dsn).Exec(t.Context(), `TRUNCATE accounts CASCADE`)
		require.NoError(t, err)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() { b.website("USD") })
		}
		wait.Wait()
		accounts, err := b.Accounts(t.Context())
		require.NoError(t, err)
		require.Len(t, accounts, 1)
		websites, err := b.Websites(t.Context(), accounts[0].ID)
		require.NoError(t, err)
		require.Len(t, websites, 8)
	})

	t.Run("are found with their account's limit", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.Regexp(t, `^[0-9a-f]{24}$`, b.site.ID)
		require.Regexp(t, `^dfid_.{12}$`, b.site.TrackingID)
		require.NoError(t, b.LimitAccount(t.Context(), b.site.AccountID, 7))
		require.NoError(t, b.SuspendWebsite(t.Context(), b.site.ID, true))
		found, err := b.Website(t.Context(), b.site.ID)
		require.NoError(t, err)
		want := b.site
		want.EventLimit, want.Suspended = 7, true
		require.Equal(t, want, found)
		all, err := b.Websites(t.Context(), "")
		require.NoError(t, err)
		require.Equal(t, []model.Website{want}, all)
	})

	t.Run("that do not exist", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, err := b.Website(t.Context(), "none")
		requireCode(t, model.CodeWebsiteNotFound, err)
		requireCode(t, model.CodeWebsiteNotFound, b.SuspendWebsite(t.Context(), "none", true))
		requireCode(t, model.CodeInvalidField, b.LimitAccount(t.Context(), "none", 1))
		none, err := b.Websites(t.Context(), "none")
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestOptions_Remember(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, text := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey, WebsiteID: b.site.ID, CreatedAt: now, ExpiresAt: ptr(now.Add(time.Hour))})
	token, err := b.CreateToken(t.Context(), secret)
	require.NoError(t, err)
	hash, ok := model.HashToken(text)
	require.True(t, ok)
	remembers := func(moment time.Duration) *db.Store { return b.another(db.Options{Remember: moment}) }
	long, short, none := remembers(time.Hour), remembers(10*time.Millisecond), remembers(0)
	for _, server := range []*db.Store{long, short, none} {
		_, err := server.TokenByHash(t.Context(), hash, now)
		require.NoError(t, err)
		_, err = server.Website(t.Context(), b.site.ID)
		require.NoError(t, err)
	}
	_, err = long.TokenByHash(t.Context(), hash, now.Add(time.Hour))
	requireCode(t, model.CodeUnauthorized, err)

	require.NoError(t, b.RevokeToken(t.Context(), model.PrefixWebsiteKey, token.ID, now))
	require.NoError(t, b.SuspendWebsite(t.Context(), b.site.ID, true))
	valid := func(server *db.Store) bool {
		_, err := server.TokenByHash(t.Context(), hash, now)
		if err != nil {
			requireCode(t, model.CodeUnauthorized, err)
		}
		site, siteErr := server.Website(t.Context(), b.site.ID)
		require.NoError(t, siteErr)
		require.Equal(t, err != nil, site.Suspended)
		return err == nil
	}
	require.False(t, valid(none), "nothing is remembered")
	require.True(t, valid(long), "what was read a moment ago counts")
	require.Eventually(t, func() bool {
		_, err := short.TokenByHash(t.Context(), hash, now)
		return err != nil
	}, 20*time.Second, time.Millisecond, "until that moment is over")
}

func TestOptions_Remember_strangers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := b.another(db.Options{MaxConnections: 6, Remember: time.Hour})
	block, err := connect(t, b.dsn).Begin(t.Context())
	require.NoError(t, err)
	_, err = block.Exec(t.Context(), "LOCK TABLE websites")
	require.NoError(t, err)
	var ended sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		ended.Go(func() { _, errs[i] = server.WebsiteByTrackingID(context.Background(), fmt.Sprint("dfid_", i)) })
	}
	waiting(t, b.dsn, 4)
	require.NoError(t, server.Ping(t.Context()), "tracking ids that nobody knows leave connections to others")
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, err = server.WebsiteByTrackingID(gone, "dfid_none")
	requireCode(t, model.CodeUnavailable, err)
	require.NoError(t, block.Rollback(t.Context()))
	ended.Wait()
	for _, err := range errs {
		requireCode(t, model.CodeWebsiteNotFound, err)
	}
}
