package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// secretNames are what lists show of keys and tokens.
var secretNames = []string{"created_at", "expires_at", "id", "last_four", "last_used_at", "name", "prefix", "revoked_at"}

func TestKey(t *testing.T) {
	t.Parallel()

	t.Run("works until it is revoked, and is shown once", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		website, first := op.newWebsite("shop.example.com")
		server := op.serve()
		made := op.ask("key", "create", "--website", website, "--name", "checkout")
		require.Equal(t, []string{"id", "key", "name", "website_id"}, made.names())
		key := made.text("key")
		require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))

		listed := op.ask("key", "list").list("keys")
		require.Len(t, listed, 2)
		require.ElementsMatch(t, append([]string{"website_id"}, secretNames...), listed[1].names())
		require.Equal(t, made["id"], listed[1]["id"])
		require.Equal(t, key[len(key)-4:], listed[1]["last_four"])
		require.Nil(t, listed[1]["revoked_at"])
		require.NotNil(t, listed[1]["last_used_at"])
		require.Regexp(t, made.text("id")+` +df_….* checkout +valid `, op.run("key", "list", "--website", website))

		require.Equal(t, object{"id": made["id"], "revoked": true}, op.ask("key", "revoke", made.text("id")))
		require.Equal(t, http.StatusUnauthorized, server.pay(key, "t2", ""))
		require.Equal(t, http.StatusOK, server.pay(first, "t2", ""), "another key of the website stays valid")
		require.Contains(t, op.run("key", "list"), " revoked ")
		require.Contains(t, op.run("key", "revoke", made.text("id")), "Revoked df_…"+key[len(key)-4:]+",", "again changes nothing")

		server.stopped(server.signal())
		all := server.log.String() + op.run("key", "list") + op.run("key", "list", "--json")
		for _, secret := range []string{key, first} {
			require.NotContains(t, all, secret[len("df_"):len(secret)-4])
		}
	})

	t.Run("create takes the only website, and asks when there are several", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		require.Contains(t, op.try("key", "create").stderr, "there is no website yet: `tributary website create")
		website, _ := op.newWebsite("one.example")
		require.Equal(t, website, op.ask("key", "create").text("website_id"))
		text := op.run("key", "create")
		require.Equal(t, 1, strings.Count(text, "df_"))
		require.Contains(t, text, "it is not shown again")
		op.newWebsite("two.example")
		o := op.try("key", "create")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "say which by --website")
		require.Equal(t, website, op.ask("key", "create", "--website", "one.example").text("website_id"))
		require.Len(t, op.ask("key", "list", "--website", "two.example").list("keys"), 1)
	})

	t.Run("revoke takes no unknown id and no account token", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		op.newWebsite("shop.example.com")
		token := op.ask("token", "create", "--scope", "*").text("id")
		for _, id := range []string{"0123456789abcdef01234567", token} {
			o := op.try("key", "revoke", id)
			require.Equal(t, 1, o.code)
			require.Equal(t, "tributary: no such key or token: `tributary key list` and `tributary token list` show all\n", o.stderr)
		}
	})
}

func TestToken(t *testing.T) {
	t.Parallel()

	t.Run("has its scopes and websites", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		website, _ := op.newWebsite("shop.example.com")
		other, _ := op.newWebsite("other.example.com")
		server := op.serve()
		made := op.ask("token", "create", "--scope", "payments:write", "--scope", "payments:read", "--website", website, "--expires", "720h", "--name", "ci")
		require.Equal(t, []string{"account_id", "expires_at", "id", "name", "scopes", "token", "website_ids"}, made.names())
		require.Equal(t, []any{"payments:write", "payments:read"}, made["scopes"])
		require.Equal(t, []any{website}, made["website_ids"])
		expires, err := time.Parse(time.RFC3339, made.text("expires_at"))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(720*time.Hour), expires, patience)

		token := made.text("token")
		require.Regexp(t, `^dft_[0-9A-Za-z]{38}$`, token)
		require.Equal(t, http.StatusOK, server.pay(token, "t1", "?websiteId="+website))
		require.Equal(t, http.StatusBadRequest, server.pay(token, "t1", ""))
		require.Equal(t, http.StatusNotFound, server.pay(token, "t1", "?websiteId="+other))
		require.Contains(t, server.graphQL(token, `{ revenue(websiteId: "`+website+`") { charges } }`), "FORBIDDEN")

		listed := op.ask("token", "list").list("tokens")
		require.Len(t, listed, 1, "website keys are not listed")
		require.ElementsMatch(t, append([]string{"account_id", "scopes", "website_ids"}, secretNames...), listed[0].names())
		require.Regexp(t, made.text("id")+` +dft_….* ci +payments:write,payments:read +`+website+` +valid `, op.run("token", "list"))

		require.Equal(t, object{"id": made["id"], "revoked": true}, op.ask("token", "revoke", made.text("id")))
		require.Equal(t, http.StatusUnauthorized, server.pay(token, "t2", "?websiteId="+website))
		server.stopped(server.signal())
		require.NotContains(t, server.log.String()+op.run("token", "list")+op.run("token", "list", "--json"), token[len("dft_"):len(token)-4])
	})

	t.Run("is for all websites and for ever unless it is limited", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		require.Contains(t, op.run("token", "list"), "tributary token create --scope")
		website, _ := op.newWebsite("shop.example.com")
		made := op.ask("token", "create", "--scope", "*")
		require.Nil(t, made["expires_at"])
		require.Equal(t, []any{}, made["website_ids"])
		server := op.serve()
		require.Equal(t, http.StatusOK, server.pay(made.text("token"), "t1", "?websiteId="+website))
	})

	t.Run("is shown once to a person", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		text := op.run("token", "create", "--scope", "payments:read,payments:write")
		require.Equal(t, 1, strings.Count(text, "dft_"))
		require.Contains(t, text, "it is not shown again")
		require.Contains(t, text, "payments:read,payments:write")
	})

	t.Run("ends when it expires", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		website, _ := op.newWebsite("shop.example.com")
		server := op.serve()
		token := op.ask("token", "create", "--scope", "*", "--expires", "1ns").text("token")
		require.Equal(t, http.StatusUnauthorized, server.pay(token, "t1", "?websiteId="+website))
		require.Contains(t, op.run("token", "list"), " expired ")
	})
}
