package postgres_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("second start finds the data of the first", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "new", "data")
		cfg := fast(dir)
		cfg.Settings = nil
		first, err := postgres.Start(t.Context(), cfg)
		require.NoError(t, err)
		mustQuery(t, first.URL(), keepRow)
		pid := serverPID(t, dir)
		stop(t, first)
		require.False(t, alive(pid), "the server outlives Stop")

		begin := time.Now()
		second := start(t, cfg)
		t.Logf("second start: %s", time.Since(begin))
		require.Equal(t, first.URL(), second.URL())
		require.Equal(t, "42", mustQuery(t, second.URL(), readRow))
	})

	t.Run("cluster is durable and checksummed and closed to others", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		cfg := fast(dir)
		cfg.Settings = nil
		url := start(t, cfg).URL()
		for setting, want := range map[string]string{
			"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
			"server_encoding": "UTF8", "lc_collate": "C", "jit": "off", "listen_addresses": "",
			"is_superuser": "off", "TimeZone": "UTC",
		} {
			if setting == "lc_collate" {
				require.Equal(t, want, mustQuery(t, url, "SELECT datcollate FROM pg_database WHERE datname = 'tributary'"))
				continue
			}
			require.Equal(t, want, mustQuery(t, url, "SELECT current_setting('"+setting+"')"), setting)
		}
		info, err := os.Stat(filepath.Join(dir, "postgres"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	})

	t.Run("cluster has the operator's settings", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		stop(t, start(t, fast(dir)))
		conf, err := os.OpenFile(filepath.Join(dir, "postgres", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = conf.WriteString("max_wal_size = 2GB\n")
		require.NoError(t, err)
		require.NoError(t, conf.Close())
		require.Equal(t, "2GB", mustQuery(t, start(t, fast(dir)).URL(), "SHOW max_wal_size"))
	})

	for name, unusable := range map[string]string{
		"path too long for a socket": strings.Repeat("d", 60) + "/" + strings.Repeat("e", 60),
		"path that no URL can name":  "a,b",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), unusable)
			server := start(t, fast(dir))
			require.Equal(t, "1", mustQuery(t, server.URL(), "SELECT 1"))
			socket := socketDir(t, server.URL())
			info, err := os.Stat(socket)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

			shared := start(t, fast(dir))
			require.Equal(t, server.URL(), shared.URL())
			stop(t, shared)
			stop(t, server)
			require.NoDirExists(t, socket)
		})
	}

	t.Run("libpq and pgx understand the URL of a difficult path", func(t *testing.T) {
		t.Parallel()
		psql, err := exec.LookPath("psql")
		if err != nil {
			t.Skip("needs psql")
		}
		server := start(t, fast(filepath.Join(t.TempDir(), `l'été a+b "100%"`)))
		output, err := exec.CommandContext(t.Context(), psql, "-AXtc", "SELECT current_user", server.URL()).CombinedOutput()
		require.NoError(t, err, string(output))
		require.Equal(t, "tributary\n", string(output))
	})

	t.Run("unfinished cluster of a killed process is replaced", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "postgres.new", "base"), 0o700))
		require.NoError(t, os.Mkdir(filepath.Join(dir, "postgres"), 0o700))
		server := start(t, fast(dir))
		require.Equal(t, "1", mustQuery(t, server.URL(), "SELECT 1"))
		require.NoDirExists(t, filepath.Join(dir, "postgres.new"))
	})

	t.Run("foreign files are left alone", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		file := filepath.Join(dir, "postgres", "precious.txt")
		require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := postgres.Start(t.Context(), fast(dir))
		require.ErrorContains(t, err, "holds files but no database cluster")
		require.FileExists(t, file)
	})

	t.Run("failure shows the end of the server's log and its path", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		cfg := fast(dir)
		cfg.Settings["shared_buffers"] = "plenty"
		_, err := postgres.Start(t.Context(), cfg)
		require.ErrorContains(t, err, `invalid value for parameter "shared_buffers"`)
		require.ErrorContains(t, err, filepath.Join(dir, "postgres.log"))
	})

	t.Run("context that ends stops the start", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := postgres.Start(ctx, fast(t.TempDir()))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})

	t.Run("long log is cut", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		log := filepath.Join(dir, "postgres.log")
		require.NoError(t, os.WriteFile(log, make([]byte, 11<<20), 0o600))
		start(t, fast(dir))
		info, err := os.Stat(log)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(1<<20))
		info, err = os.Stat(log + ".1")
		require.NoError(t, err)
		require.Equal(t, int64(10<<20), info.Size())
	})
}

func TestServer_Stop(t *testing.T) {
	t.Parallel()

	t.Run("ended context stops at once and loses nothing", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		server, err := postgres.Start(t.Context(), fast(dir))
		require.NoError(t, err)
		mustQuery(t, server.URL(), keepRow)
		pid := serverPID(t, dir)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		require.ErrorIs(t, server.Stop(ended), context.Canceled)
		require.False(t, alive(pid))
		require.Equal(t, "42", mustQuery(t, start(t, fast(dir)).URL(), readRow))
	})

	t.Run("does not wait for open connections", func(t *testing.T) {
		t.Parallel()
		server := start(t, fast(t.TempDir()))
		asleep := make(chan error, 1)
		go func() {
			_, err := query(context.Background(), server.URL(), "SELECT pg_sleep(60)")
			asleep <- err
		}()
		require.Eventually(t, func() bool {
			n, err := query(t.Context(), server.AdminURL(), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
			return err == nil && n == "1"
		}, 10*time.Second, 5*time.Millisecond)
		stop(t, server)
		require.Error(t, <-asleep)
	})
}

// TestLog plants a canary wherever a statement could leak into the log.
func TestLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, fast(dir))
	mustQuery(t, server.URL(), `CREATE TABLE people (email text UNIQUE); INSERT INTO people VALUES ('canary@example.com')`)
	for _, failing := range []string{
		`INSERT INTO people VALUES ('canary@example.com')`,
		`SELECT 'canary@example.com'::int`,
		`SELECT canary FROM people`,
		`DO $$ BEGIN RAISE LOG 'quiet'; RAISE WARNING 'canary'; RAISE EXCEPTION 'canary'; END $$`,
	} {
		_, err := query(t.Context(), server.URL(), failing)
		require.Error(t, err)
	}
	// A backend that is killed takes the server through a crash, which tells what it was running.
	_, err := query(t.Context(), server.AdminURL(), `COPY (SELECT 'canary') TO PROGRAM 'kill -9 $PPID'`)
	require.Error(t, err)
	var log string
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "postgres.log"))
		log = string(text)
		return err == nil && strings.Contains(log, "was terminated by signal 9")
	}, 20*time.Second, 10*time.Millisecond)
	eventually(t, server.URL(), "SELECT 1")
	require.NotContains(t, log, "canary")
}

// socketDir is the directory of the socket in a URL.
func socketDir(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	return u.Query().Get("host")
}
