package demo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/demo"
	"tributary/model"
)

func TestKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	website := func() model.Website {
		site, err := b.store.CreateWebsite(t.Context(), model.Website{Domain: demo.Domain, Name: "Demo", Timezone: "UTC", Currency: "USD", CreatedAt: now})
		require.NoError(t, err)
		return site
	}
	key := func(t *testing.T, dir string, site model.Website) string {
		secret, err := demo.Key(t.Context(), b.store, dir, site, now)
		require.NoError(t, err)
		token := b.token(t, secret)
		require.Equal(t, site.ID, token.WebsiteID)
		require.Equal(t, model.PrefixWebsiteKey, token.Prefix)
		return secret
	}
	site := website()

	for name, spoil := range map[string]func(t *testing.T, file, secret string){
		"lost": func(t *testing.T, file, _ string) { require.NoError(t, os.Remove(file)) },
		"broken": func(t *testing.T, file, secret string) {
			require.NoError(t, os.WriteFile(file, []byte(`{"website_id":"`+site.ID+`","key":"`+secret[:20]), 0o600))
		},
		"mistyped": func(t *testing.T, file, _ string) {
			require.NoError(t, os.WriteFile(file, []byte(`{"key":"df_1"}`), 0o600))
		},
		"revoked": func(t *testing.T, _, secret string) {
			require.NoError(t, b.store.RevokeToken(t.Context(), model.PrefixWebsiteKey, b.token(t, secret).ID, now))
		},
	} {
		t.Run("another one is made when it is "+name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			first := key(t, dir, site)
			require.Equal(t, first, key(t, dir, site), "it is kept")
			spoil(t, filepath.Join(dir, "demo.json"), first)
			second := key(t, dir, site)
			require.NotEqual(t, first, second)
			require.Equal(t, second, key(t, dir, site), "it is kept")
		})
	}

	t.Run("another one is made for another website", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NotEqual(t, key(t, dir, site), key(t, dir, website()))
	})

	t.Run("only its owner can read it", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		secret := key(t, dir, site)
		info, err := os.Stat(filepath.Join(dir, "demo.json"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		text, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		require.NoError(t, err)
		require.JSONEq(t, `{"website_id":"`+site.ID+`","key":"`+secret+`"}`, string(text))
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "nothing else is left there")
	})

	t.Run("file that cannot be written is an error, and no key is made", func(t *testing.T) {
		t.Parallel()
		other := website()
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := demo.Key(t.Context(), b.store, filepath.Join(file, "dir"), other, now)
		require.Error(t, err)
		tokens, err := b.store.Tokens(t.Context(), other.ID)
		require.NoError(t, err)
		require.Empty(t, tokens)
	})
}

// token is what the database knows of a secret.
func (b *bundle) token(t *testing.T, secret string) model.Token {
	t.Helper()
	hash, ok := model.HashToken(secret)
	require.True(t, ok)
	token, err := b.store.TokenByHash(t.Context(), hash, now)
	require.NoError(t, err)
	return token
}
