package main_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestWebsite(t *testing.T) {
	t.Parallel()

	t.Run("create answers the website and its key", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		made := op.ask("website", "create", "--domain", "shop.example.com", "--name", "Zoë & co", "--timezone", "Europe/Paris", "--currency", "eur")
		require.Equal(t, []string{"currency", "domain", "hostnames", "id", "key", "name", "timezone", "tracking_id"}, made.names())
		require.Regexp(t, `^[0-9a-f]{24}$`, made["id"])
		require.Regexp(t, `^dfid_[0-9a-z]{12}$`, made["tracking_id"])
		require.Regexp(t, `^df_[0-9A-Za-z]{38}$`, made["key"])
		want := object{"domain": "shop.example.com", "name": "Zoë & co", "timezone": "Europe/Paris", "currency": "EUR"}
		for name, value := range want {
			require.Equal(t, value, made[name])
		}
		listed := op.ask("website", "list").list("websites")
		require.Len(t, listed, 1)
		require.Equal(t, []string{"account_id", "created_at", "currency", "domain", "hostnames", "id", "name", "suspended", "timezone", "tracking_id"}, listed[0].names())
		require.Equal(t, made["id"], listed[0]["id"])
		require.Equal(t, "Zoë & co", listed[0]["name"])
		require.Equal(t, false, listed[0]["suspended"])
	})

	t.Run("create has defaults", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		made := op.ask("website", "create", "--domain", "localhost")
		delete(made, "id")
		delete(made, "tracking_id")
		delete(made, "key")
		require.Empty(t, cmp.Diff(object{"domain": "localhost", "hostnames": []any{}, "name": "localhost", "timezone": "UTC", "currency": "USD"}, made))
	})

	t.Run("flags come from the environment", func(t *testing.T) {
		t.Parallel()
		op, dsn := onDatabase(t)
		op.env = []string{"DATABASE_URL=" + dsn, "TRIBUTARY_DATA_DIR=" + t.TempDir(), "TRIBUTARY_JSON=true", "TRIBUTARY_DOMAIN=env.example"}
		op.flags = nil
		require.Equal(t, "env.example", decode(t, op.run("website", "create"))["domain"])
	})

	t.Run("a person is told that the key is shown once", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		text := op.run("website", "create", "--domain", "shop.example.com")
		require.Contains(t, text, "it is not shown again")
		require.Equal(t, 1, strings.Count(text, "df_"))
		require.Regexp(t, `(?m)^  id {10,}[0-9a-f]{24}$`, text)
		require.Regexp(t, `(?m)^ID +TRACKING ID +DOMAIN .*\n[0-9a-f]{24} +dfid_\w+ +shop\.example\.com .* active `, op.run("website", "list"))
	})

	t.Run("list of none says what to do", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		require.Contains(t, op.run("website", "list"), "tributary website create --domain")
		require.Equal(t, object{"websites": []any{}}, op.ask("website", "list"))
	})

	t.Run("suspended one refuses writes until it is resumed", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		id, key := op.newWebsite("shop.example.com")
		server := op.serve()
		require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))
		require.Equal(t, true, op.ask("website", "suspend", id)["suspended"])
		require.Contains(t, op.run("website", "list"), " suspended ")
		require.Equal(t, http.StatusForbidden, server.pay(key, "t2", ""))
		require.Contains(t, server.graphQL(key, "{ revenue { charges } }"), `"charges":1`)
		require.Equal(t, false, op.ask("website", "resume", id)["suspended"])
		require.Equal(t, http.StatusOK, server.pay(key, "t2", ""))
	})

	t.Run("is named by its domain, unless another has the same", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		id, _ := op.newWebsite("shop.example.com")
		require.Equal(t, id, op.ask("website", "suspend", "shop.example.com")["id"])
		require.Equal(t, []any{id}, op.ask("token", "create", "--scope", "*", "--website", "shop.example.com")["website_ids"])
		require.Contains(t, op.try("website", "resume", "other.example.com").stderr, "website not found: `tributary website list` shows all")
		o := op.try("website", "create", "--domain", "shop.example.com")
		require.Zero(t, o.code)
		require.Contains(t, o.stderr, "another website has the same domain")
		require.Contains(t, o.stderr, id)
		o = op.try("website", "resume", "shop.example.com")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "several websites have this domain: say which by its id")
		require.Equal(t, false, op.ask("website", "resume", id)["suspended"])
	})

	t.Run("create shows the element for the website's pages", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		text := op.run("website", "create", "--domain", "shop.example.com")
		trackingID := op.ask("website", "list").list("websites")[0].text("tracking_id")
		require.Contains(t, text, `
  <script defer data-website-id="`+trackingID+`" data-domain="shop.example.com" src="http://127.0.0.1:8080/js/script.js"></script>
`)
		text = op.run("website", "create", "--domain", "a.example", "--hostname", "b.example", "--hostname", "localhost")
		require.Contains(t, text, ` data-domain="a.example" data-allow-localhost data-allowed-hostnames="a.example,b.example" src=`)
	})

	t.Run("accepts events of pages on the hosts that are allowed", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		made := op.ask("website", "create", "--domain", "shop.example.com", "--hostname", "shop.example.org", "--hostname", "localhost")
		require.Equal(t, []any{"shop.example.org", "localhost"}, made["hostnames"])
		server := op.serve()
		status := func(page string) int {
			status, _ := server.send(http.MethodPost, "/api/events", "", event(made.text("tracking_id"), page))
			return status
		}
		require.Equal(t, http.StatusOK, status("http://127.0.0.1:3000/"))
		require.Equal(t, http.StatusForbidden, status("https://pr-7.staging.example.com/"))
		allowed := op.ask("website", "allow", "shop.example.com", "staging.example.com", "localhost")
		require.Equal(t, []any{"shop.example.org", "localhost", "staging.example.com"}, allowed["hostnames"])
		require.Equal(t, http.StatusOK, status("https://pr-7.staging.example.com/"))
		require.Contains(t, op.run("website", "allow", "shop.example.com", "localhost"), ` data-allow-localhost data-allowed-hostnames="shop.example.com,shop.example.org,staging.example.com" src=`)
		require.Contains(t, op.run("website", "disallow", made.text("id"), "localhost", "shop.example.org"), "are accepted: shop.example.com, staging.example.com.\n\n"+
			"The element in its pages that goes with that:\n\n"+
			`  <script defer data-website-id="`+made.text("tracking_id")+`" data-domain="shop.example.com" data-allowed-hostnames="shop.example.com,staging.example.com" src="http://127.0.0.1:8080/js/script.js"></script>`)
		require.Equal(t, http.StatusForbidden, status("http://127.0.0.1:3000/"))
		require.Contains(t, op.try("website", "allow", "other.example.com", "localhost").stderr, "website not found: `tributary website list` shows all")
		require.Contains(t, op.try("website", "allow", "shop.example.com", "https://staging.example.com/").stderr, "must be a host name only")
	})

	t.Run("create shows a first request that fits the website and the server", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		text := op.run("website", "create", "--domain", "shop.example.com", "--currency", "JPY")
		require.Contains(t, text, "curl http://127.0.0.1:8080/api/v1/payments ")
		require.Contains(t, text, `{"amount": 2999, "currency": "JPY", "transaction_id": "payment_1", "datafast_visitor_id": "VISITOR_ID"}`)
		op.env = append(op.env, "TRIBUTARY_LISTEN=0.0.0.0:9090")
		text = op.run("website", "create", "--domain", "other.example.com", "--currency", "KWD")
		require.Contains(t, text, "curl http://localhost:9090/api/v1/payments ")
		require.Contains(t, text, `"amount": 29.99, "currency": "KWD"`)
	})

	t.Run("unknown one is an error that says where to look", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		const id = "0123456789abcdef01234567"
		for _, args := range [][]string{
			{"website", "suspend", id}, {"website", "resume", id}, {"key", "create", "--website", id}, {"key", "list", "--website", id},
			{"token", "create", "--scope", "*", "--website", id},
		} {
			o := op.try(args...)
			require.Equal(t, 1, o.code)
			require.Empty(t, o.stdout)
			require.Contains(t, o.stderr, "tributary: website not found: `tributary website list` shows all\n")
		}
		o := op.try("website", "create", "--domain", "a.example", "--account", id)
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "no such account: `tributary account list` shows all")
	})
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	var group sync.WaitGroup
	applied := make([][]object, 5)
	outcomes := make([]outcome, len(applied))
	for i := range applied {
		group.Go(func() { outcomes[i] = op.try("migrate", "--json") })
	}
	group.Wait()
	migrated := 0
	for _, o := range outcomes {
		require.Zero(t, o.code, o.stderr)
		migrated += min(1, len(decode(t, o.stdout).list("applied")))
	}
	require.Equal(t, 1, migrated, "one of the processes migrates")
	o := op.try("migrate")
	require.Equal(t, outcome{stdout: "The database is up to date.\n"}, o)
}

func TestAccount(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	require.Contains(t, op.run("account", "list"), "There is no account yet")
	first, key := op.newWebsite("first.example")
	account := op.ask("account", "create", "--name", "Second owner")
	require.Equal(t, []string{"created_at", "event_limit", "id", "name"}, account.names())
	second := op.ask("website", "create", "--domain", "second.example", "--account", account.text("id"))

	listed := op.ask("account", "list").list("accounts")
	require.Len(t, listed, 2)
	require.Equal(t, "Second owner", listed[1]["name"])
	own := op.ask("website", "list", "--account", account.text("id")).list("websites")
	require.Len(t, own, 1)
	require.Equal(t, second["id"], own[0]["id"])

	server := op.serve()
	token := op.ask("token", "create", "--scope", "payments:write", "--account", account.text("id"))
	require.Equal(t, http.StatusOK, server.pay(token.text("token"), "t1", "?websiteId="+second.text("id")))
	require.Equal(t, http.StatusNotFound, server.pay(token.text("token"), "t1", "?websiteId="+first))

	limited := op.ask("account", "limit", listed[0].text("id"), "1")
	require.Equal(t, object{"id": listed[0]["id"], "event_limit": 1.0}, limited)
	require.Contains(t, op.run("account", "list"), " 1 event ")
	require.Equal(t, http.StatusOK, server.pay(key, "t1", ""))
	require.Equal(t, http.StatusTooManyRequests, server.pay(key, "t2", ""))
	require.Contains(t, op.run("account", "limit", listed[0].text("id"), "0"), "any number of events")
	require.Equal(t, http.StatusOK, server.pay(key, "t2", ""))
	require.Equal(t, 1, op.try("account", "limit", "0123456789abcdef01234567", "1").code)
}
