package main_test

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef01234567"
	long := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown command":       {[]string{"sreve"}, "sreve"},
		"command without verb":  {[]string{"website"}, "see tributary website --help"},
		"unknown flag":          {[]string{"serve", "--prot", "80"}, "unknown flag --prot"},
		"unknown log level":     {[]string{"serve", "--log-level", "loud"}, "--log-level"},
		"empty data directory":  {[]string{"migrate", "--data-dir="}, "--data-dir: must name a directory"},
		"no domain":             {[]string{"website", "create"}, "missing flags: --domain"},
		"empty domain":          {[]string{"website", "create", "--domain="}, "--domain: must be a host name"},
		"domain with scheme":    {[]string{"website", "create", "--domain", "https://example.com"}, "without scheme"},
		"domain with port":      {[]string{"website", "create", "--domain", "example.com:80"}, "without scheme, port"},
		"domain with path":      {[]string{"website", "create", "--domain", "example.com/shop"}, "path"},
		"domain in capitals":    {[]string{"website", "create", "--domain", "Example.com"}, "lower case"},
		"domain with a dot":     {[]string{"website", "create", "--domain", "example.com."}, "host name"},
		"domain with a space":   {[]string{"website", "create", "--domain", " example.com"}, "host name"},
		"domain with a hyphen":  {[]string{"website", "create", "--domain=-a.example.com"}, "host name"},
		"domain in Unicode":     {[]string{"website", "create", "--domain", "müller.example"}, "xn--"},
		"long label":            {[]string{"website", "create", "--domain", long + ".example"}, "host name"},
		"long domain":           {[]string{"website", "create", "--domain", strings.Repeat("a.", 127) + "aa"}, "at most 253"},
		"unknown time zone":     {[]string{"website", "create", "--domain", "a.example", "--timezone", "Mars/Base"}, "--timezone: must be an IANA time zone"},
		"machine's time zone":   {[]string{"website", "create", "--domain", "a.example", "--timezone", "Local"}, "IANA"},
		"unknown currency":      {[]string{"website", "create", "--domain", "a.example", "--currency", "BTC"}, "--currency: must be an ISO 4217"},
		"long name":             {[]string{"website", "create", "--domain", "a.example", "--name", strings.Repeat("a", 256)}, "--name: must have at most 255"},
		"account that is no id": {[]string{"website", "create", "--domain", "a.example", "--account", "main"}, "24 hexadecimal"},
		"website that is no id": {[]string{"website", "suspend", "https://example.com"}, "must be the id of a website or its domain"},
		"no website":            {[]string{"website", "resume"}, "<website>"},
		"no scope":              {[]string{"token", "create"}, "missing flags: --scope"},
		"unknown scope":         {[]string{"token", "create", "--scope", "payments:delete"}, "--scope: must be one of *, payments:read"},
		"one scope is unknown":  {[]string{"token", "create", "--scope", "payments:read,all"}, "--scope: must be one of"},
		"lifetime of nothing":   {[]string{"token", "create", "--scope", "*", "--expires", "0s"}, "--expires: must be a duration above zero"},
		"negative lifetime":     {[]string{"token", "create", "--scope", "*", "--expires=-1h"}, "above zero"},
		"lifetime in days":      {[]string{"token", "create", "--scope", "*", "--expires", "30d"}, "720h"},
		"token for no website":  {[]string{"token", "create", "--scope", "*", "--website", "Shop"}, "the id of a website or its domain"},
		"two ids":               {[]string{"key", "revoke", id, id}, "unexpected argument"},
		"limit of no number":    {[]string{"account", "limit", id, "many"}, "whole number"},
		"negative limit":        {[]string{"account", "limit", id, "-5"}, "numbers must not be negative"},
		"address without host":  {[]string{"serve", "--listen", "8080"}, "--listen: 8080 is not HOST:PORT, such as 127.0.0.1:8080"},
		"origin with a path":    {[]string{"serve", "--cors-origin", "https://a.example/"}, "--cors-origin: must be an origin such as"},
		"origin in capitals":    {[]string{"serve", "--cors-origin", "https://A.example"}, "lower case"},
		"origin without scheme": {[]string{"serve", "--cors-origin", "a.example"}, "must be an origin such as"},
		"origin with its port":  {[]string{"serve", "--cors-origin", "https://a.example:443"}, "browsers do not write it"},
		"no file of rates":      {[]string{"rates", "import"}, "<file>"},
		"unknown rates":         {[]string{"serve", "--rates", "fed"}, "--rates must be one of"},
		"rates of no address":   {[]string{"serve", "--rates-url", "ftp://a.example/"}, "--rates-url: must be a web address"},
		"no new currency":       {[]string{"website", "set", "a.example"}, "nothing to change: give --timezone or --currency"},
		"nobody to erase":       {[]string{"person", "erase", "--website", "a.example", "--yes"}, "missing flag: --email, --customer or --visitor"},
		"two people to erase":   {[]string{"person", "erase", "--website", "a.example", "--yes", "--email", "a@b", "--visitor", "v"}, "--email and --visitor can't be used together"},
		"not sure to erase":     {[]string{"person", "erase", "--website", "a.example", "--email", "a@b"}, "missing flag: --dry-run, which shows what would be erased, or --yes"},
		"nobody to export":      {[]string{"person", "export", "--website", "a.example"}, "missing flag: --email, --customer or --visitor; see tributary person export --help"},
		"no e-mail to erase":    {[]string{"person", "erase", "--website", "a.example", "--email", "hunter2", "--yes"}, "--email: must be an e-mail address"},
		"visits of no days":     {[]string{"serve", "--keep-visits", "400"}, "--keep-visits: must be a number of days from 1d to 3650d, such as 400d"},
		"visits of nothing":     {[]string{"serve", "--keep-visits", "0d"}, "--keep-visits: must be a number of days"},
		"traces to no address":  {[]string{"serve", "--traces", "localhost:4318"}, "--traces: must be the URL of a collector that takes OTLP over HTTP, such as http://localhost:4318, or otlp"},
		"traces with password":  {[]string{"serve", "--traces", "http://user:hunter2@localhost:4318"}, "--traces: must not have a user or password in it"},
		"address without port":  {[]string{"serve", "--listen", "127.0.0.1"}, "--listen: 127.0.0.1 is not HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := operator{t: t}.try(c.args...)
			require.Equal(t, 2, o.code)
			require.Empty(t, o.stdout)
			require.Contains(t, o.stderr, c.says)
			require.Equal(t, 1, strings.Count(o.stderr, "\n"), "%s", o.stderr)
			require.Regexp(t, `; see tributary.* --help\n$`, o.stderr)
		})
	}

	t.Run("help shows every command", func(t *testing.T) {
		t.Parallel()
		help := operator{t: t}.run("--help")
		for _, command := range []string{
			"serve", "migrate", "website create", "website list", "website set", "website suspend", "website resume", "key create", "key list",
			"key revoke", "token create", "token list", "token revoke", "account create", "account list", "account limit", "rates import", "rates list", "person erase", "person export", "person scrub", "version", "distribute",
		} {
			require.Contains(t, help, "\n  "+command+" ")
		}
		require.Contains(t, help, "$DATABASE_URL")
		require.Contains(t, help, "$TRIBUTARY_DATA_DIR")
	})

	t.Run("is what they see who do not know the commands yet", func(t *testing.T) {
		t.Parallel()
		op := operator{t: t}
		require.Equal(t, op.run("--help"), op.run())
		require.Equal(t, op.run("--help"), op.run("help"))
		require.Equal(t, op.run("website", "create", "--help"), op.run("help", "website", "create"))
	})

	t.Run("help does not show the database's password", func(t *testing.T) {
		t.Parallel()
		help := operator{t: t, env: []string{"DATABASE_URL=postgres://u:hunter2@host/db"}}.run("serve", "--help")
		require.NotContains(t, help, "hunter2")
	})
}

func TestVersion(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^tributary v0\.0\.0-test \(go1\.`, operator{t: t}.run("version"))
	view := operator{t: t}.ask("version")
	require.Equal(t, []string{"go", "platform", "version"}, view.names())
	require.Equal(t, "v0.0.0-test", view["version"])
	require.Equal(t, operator{t: t}.run("version"), operator{t: t}.run("--version"))
}

func TestDatabaseErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ url, says string }{
		"nothing listens": {"postgres://u:hunter2@127.0.0.1:1/db", "see that the database runs, and that --database-url"},
		"not a URL":       {"hunter2", "expected postgres://"},
		"unreadable port": {"postgres://u:hunter2@127.0.0.1:port/db", "expected postgres://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range [][]string{{"website", "list"}, {"serve", "--listen", "127.0.0.1:0"}} {
				o := operator{t: t, env: []string{"DATABASE_URL=" + c.url}, flags: []string{"--data-dir", t.TempDir()}}.try(command...)
				require.Equal(t, 1, o.code)
				require.Contains(t, o.stderr, c.says)
				require.Equal(t, 1, strings.Count(o.stderr, "\n"), "%s", o.stderr)
				require.NotContains(t, o.stdout+o.stderr, "hunter2")
			}
		})
	}

	t.Run("database that can lose commits", func(t *testing.T) {
		t.Parallel()
		op, dsn := onDatabase(t)
		conn, err := pgx.Connect(t.Context(), dsn)
		require.NoError(t, err)
		defer func() { _ = conn.Close(t.Context()) }()
		_, err = conn.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{conn.Config().Database}.Sanitize()+" SET synchronous_commit = off")
		require.NoError(t, err)
		o := op.try("serve", "--listen", "127.0.0.1:0")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "synchronous_commit is off")
		require.Contains(t, o.stderr, "--allow-unsafe-database")
		server := op.serve("--allow-unsafe-database")
		server.stopped(server.signal())
		require.Contains(t, server.log.String(), "synchronous_commit is off")
	})
}

func TestServe_listen(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for name, c := range map[string]struct{ address, says string }{
		"port in use":     {taken.Addr().String(), "is in use: stop the program that listens there, or choose another address with --listen"},
		"another machine": {"192.0.2.1:80", "cannot listen on 192.0.2.1:80: choose an address of this machine with --listen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, _ := onDatabase(t)
			o := op.try("serve", "--listen", c.address)
			require.Equal(t, 1, o.code)
			require.Contains(t, o.stderr, c.says)
			require.Equal(t, 1, strings.Count(o.stderr, "\n"), "%s", o.stderr)
		})
	}
}
