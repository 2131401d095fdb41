package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

// The test binary runs itself as the other process on a data directory: with the directory in this variable
// it starts a server, prints its URL and stops it at the end of its standard input.
const (
	helperDir       = "POSTGRES_TEST_HELPER_DIR"
	helperExclusive = "POSTGRES_TEST_HELPER_EXCLUSIVE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		if err := help(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func help(dir string) error {
	cfg := fast(dir)
	cfg.Exclusive = os.Getenv(helperExclusive) != ""
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	server, err := postgres.Start(context.Background(), cfg)
	if err != nil {
		return err
	}
	fmt.Println(server.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return server.Stop(context.Background())
}

// fast is a configuration whose server need not survive the machine, only its own death.
func fast(dir string) postgres.Config {
	return postgres.Config{
		DataDir:  dir,
		Logger:   slog.New(slog.DiscardHandler),
		Settings: map[string]string{"fsync": "off"},
	}
}

// start runs a server for the test.
func start(t *testing.T, cfg postgres.Config) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, server) })
	return server
}

func stop(t *testing.T, server *postgres.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, server.Stop(ctx))
}

// otherProcess is a copy of the test binary that runs a server.
type otherProcess struct {
	cmd   *exec.Cmd
	stdin io.Closer
	url   string
}

// startOther runs a server in another process; adjust may change how that is started.
func startOther(t *testing.T, dir string, adjust func(*exec.Cmd)) *otherProcess {
	t.Helper()
	exe := "/proc/self/exe" // can be run by another user, wherever the binary lies
	if _, err := os.Stat(exe); err != nil {
		exe, err = os.Executable()
		require.NoError(t, err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.Stderr = testWriter{t}
	cmd.Dir = "/"
	if adjust != nil {
		adjust(cmd)
	}
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	other := &otherProcess{cmd: cmd, stdin: stdin}
	t.Cleanup(func() { other.finish() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "the other process did not start a server")
	other.url = strings.TrimSpace(line)
	return other
}

// finish lets the process stop its server and end.
func (o *otherProcess) finish() {
	_ = o.stdin.Close()
	_ = o.cmd.Wait()
}

// kill ends the process without a chance to stop anything.
func (o *otherProcess) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, o.cmd.Process.Kill())
	_ = o.cmd.Wait()
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// query runs SQL on a new connection and returns the only value of the last statement, if it has one.
func query(ctx context.Context, url, sql string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 || len(results[len(results)-1].Rows) == 0 {
		return "", err
	}
	return string(results[len(results)-1].Rows[0][0]), nil
}

func mustQuery(t *testing.T, url, sql string) string {
	t.Helper()
	value, err := query(t.Context(), url, sql)
	require.NoError(t, err)
	return value
}

// eventually waits for the server to answer again.
func eventually(t *testing.T, url, sql string) string {
	t.Helper()
	var value string
	require.Eventually(t, func() bool {
		var err error
		value, err = query(t.Context(), url, sql)
		return err == nil
	}, 20*time.Second, 20*time.Millisecond, "the server did not come back")
	return value
}

const (
	keepRow = `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`
	readRow = `SELECT n FROM kept`
)

// serverPID is the process id of the server on a data directory.
func serverPID(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

// publicDir is a temporary directory that other users can pass through.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "public-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
