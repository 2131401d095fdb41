package model_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestNewToken(t *testing.T) {
	t.Parallel()
	made := map[string]bool{}
	for _, prefix := range []string{model.PrefixWebsiteKey, model.PrefixAccountToken} {
		for range 100 {
			token, secret := model.NewToken(model.Token{Prefix: prefix, AccountID: "a", WebsiteID: "w"})
			require.Regexp(t, `^`+prefix+`[0-9A-Za-z]{38}$`, secret)
			hash := sha256.Sum256([]byte(secret))
			require.Equal(t, model.Token{Prefix: prefix, AccountID: "a", WebsiteID: "w", Hash: hash[:], LastFour: secret[len(secret)-4:]}, token)
			found, ok := model.HashToken(secret)
			require.True(t, ok)
			require.Equal(t, token.Hash, found)
			require.False(t, made[secret])
			made[secret] = true
		}
	}
}

func TestHashToken(t *testing.T) {
	t.Parallel()
	const good = "df_000000000000000000000000000000000G2s8s" // its checksum is not
	_, secret := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey})
	for _, text := range []string{
		"", "df_", "dft_", good, "Bearer " + secret, secret + " ", " " + secret, secret[:len(secret)-1], secret + "0", "dft_" + secret[3:], strings.ToUpper(secret),
		"df_" + strings.Repeat("!", 38), "df_" + strings.Repeat("é", 19), strings.Repeat("x", 1<<20),
	} {
		_, ok := model.HashToken(text)
		require.False(t, ok, text[:min(len(text), 50)])
	}
	for at := len("df_"); at < len(secret); at++ { // one letter mistyped, two swapped
		other := byte('x')
		if secret[at] == other {
			other = 'y'
		}
		_, ok := model.HashToken(secret[:at] + string(other) + secret[at+1:])
		require.False(t, ok, at)
		if at+1 < len(secret) && secret[at] != secret[at+1] {
			_, ok := model.HashToken(secret[:at] + secret[at+1:at+2] + secret[at:at+1] + secret[at+2:])
			require.False(t, ok, at)
		}
	}
}

func TestToken_Principal(t *testing.T) {
	t.Parallel()
	token := model.Token{ID: "t", AccountID: "a", WebsiteID: "w", Scopes: []model.Scope{model.ScopeAll}, WebsiteIDs: []string{"x"}, Name: "n"}
	require.Equal(t, &model.Principal{TokenID: "t", AccountID: "a", WebsiteID: "w", Scopes: []model.Scope{model.ScopeAll}, WebsiteIDs: []string{"x"}}, token.Principal())
}

func BenchmarkHashToken(b *testing.B) {
	_, secret := model.NewToken(model.Token{Prefix: model.PrefixWebsiteKey})
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := model.HashToken(secret); !ok {
			b.Fatal(secret)
		}
	}
}
