package dbtest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/internal/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// migrations counts how often the template was made.
var migrations atomic.Int32

func migrate(ctx context.Context, dsn string) error {
	migrations.Add(1)
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `CREATE TABLE things (n int); INSERT INTO things VALUES (1)`)
	return err
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	return conn
}

func TestNew(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.New(t)) // left open: the database is dropped all the same
	var tables int
	err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables)
	require.NoError(t, err)
	require.Zero(t, tables)
	_, err = conn.Exec(t.Context(), `CREATE TABLE mine (n int)`)
	require.NoError(t, err)
	require.NotEqual(t, dbtest.New(t), dbtest.New(t))
}

func TestMigrated(t *testing.T) {
	t.Parallel()
	for i := range 10 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			dsn := dbtest.Migrated(t, migrate)
			t.Logf("database made in %s", time.Since(begin))
			conn := connect(t, dsn)
			var n int
			err := conn.QueryRow(t.Context(), `UPDATE things SET n = n + 1 RETURNING n`).Scan(&n)
			require.NoError(t, err)
			require.Equal(t, 2, n, "another test's change is seen")
			require.Equal(t, int32(1), migrations.Load())
		})
	}
}

// TestFailing is run in a process of its own by the tests below.
func TestFailing(t *testing.T) {
	t.Parallel()
	if os.Getenv("DBTEST_FAIL") == "" {
		t.Skip("run by TestNew_failing")
	}
	_, err := connect(t, dbtest.New(t)).Exec(t.Context(), `CREATE TABLE evidence ()`)
	require.NoError(t, err)
	if os.Getenv("DBTEST_FAIL") == "kill" {
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		require.NoError(t, self.Kill())
		select {}
	}
	t.Fail()
}

func failing(t *testing.T, how string, env ...string) (cmd *exec.Cmd, tmp string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	tmp, err = os.MkdirTemp("", "dbtest-") // short: a killed process leaves the stand-in for a long path behind
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	cmd = exec.CommandContext(t.Context(), exe, "-test.run=^TestFailing$")
	cmd.Env = append(os.Environ(), append(env, "DBTEST_FAIL="+how, "TMPDIR="+tmp)...)
	return cmd, tmp
}

var databaseURL = regexp.MustCompile(`testdbconf: (\S+)`)

func TestNew_failing(t *testing.T) {
	t.Parallel()

	t.Run("server is stopped and removed", func(t *testing.T) {
		t.Parallel()
		cmd, tmp := failing(t, "yes", "TEST_DATABASE_URL=")
		output, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Regexp(t, databaseURL, string(output))
		require.Contains(t, string(output), "TRIBUTARY_TEST_KEEP=1")
		left, err := os.ReadDir(tmp)
		require.NoError(t, err)
		require.Empty(t, left)
	})

	t.Run("database stays in a server that is kept", func(t *testing.T) {
		t.Parallel()
		cmd, _ := failing(t, "yes", "TEST_DATABASE_URL=", "TRIBUTARY_TEST_KEEP=1")
		cmd.WaitDelay = time.Second
		log, err := os.Create(filepath.Join(t.TempDir(), "log"))
		require.NoError(t, err)
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		require.NoError(t, cmd.Start())
		var text string
		require.Eventually(t, func() bool {
			content, err := os.ReadFile(log.Name())
			text = string(content)
			return err == nil && strings.Contains(text, "kept until Ctrl-C")
		}, 30*time.Second, 20*time.Millisecond)
		conn := connect(t, databaseURL.FindStringSubmatch(text)[1])
		_, err = conn.Exec(t.Context(), `SELECT FROM evidence`)
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.Error(t, cmd.Wait(), "the exit code still says that a test failed")
	})

	t.Run("leftovers of a killed process are removed by the next", func(t *testing.T) {
		t.Parallel()
		killed, tmp := failing(t, "kill", "TEST_DATABASE_URL=")
		require.Error(t, killed.Run())
		left, err := filepath.Glob(filepath.Join(tmp, "tributary-dbtest-*"))
		require.NoError(t, err)
		require.Len(t, left, 1)
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(left[0], "postgres", "postmaster.pid"))
			return os.IsNotExist(err)
		}, 20*time.Second, 10*time.Millisecond, "the server outlives the test binary")

		next, _ := failing(t, "yes", "TEST_DATABASE_URL=")
		next.Env = append(next.Env, "TMPDIR="+tmp)
		require.Error(t, next.Run())
		left, err = filepath.Glob(filepath.Join(tmp, "tributary-dbtest-*"))
		require.NoError(t, err)
		require.Empty(t, left)
	})

	t.Run("given server is used", func(t *testing.T) {
		t.Parallel()
		own, err := pgx.ParseConfig(dbtest.New(t))
		require.NoError(t, err)
		given := fmt.Sprintf("postgres://postgres@/postgres?host=%s&port=%d", own.Host, own.Port)
		cmd, tmp := failing(t, "yes", "TEST_DATABASE_URL="+given)
		output, err := cmd.CombinedOutput()
		require.Error(t, err)
		conn := connect(t, databaseURL.FindStringSubmatch(string(output))[1])
		_, err = conn.Exec(t.Context(), `SELECT FROM evidence`)
		require.NoError(t, err, "the database of a failed test stays")
		left, err := os.ReadDir(tmp)
		require.NoError(t, err)
		require.Empty(t, left)
	})
}
