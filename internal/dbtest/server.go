package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tributary/internal/postgres"
)

// dirPrefix begins the names of the servers' directories; the process id of the test binary follows.
const dirPrefix = "tributary-dbtest-"

// server is the test binary's own, once a test has asked for it.
var server struct {
	sync.Mutex
	running *postgres.Server
	dir     string
	err     error
}

// Main runs the tests, checks the statements that they have sent, and stops the server that they used. It is all that
// a TestMain needs to call; one with more to do calls it last, with what is to be done when the tests have ended.
func Main(m *testing.M, after ...func()) {
	mainRuns.Store(true)
	code := m.Run()
	for _, do := range after {
		do()
	}
	server.Lock()
	defer server.Unlock()
	if server.running == nil {
		return
	}
	isGood := reportStatements(server.running.AdminURL(), server.dir)
	if code != 0 && keepServer() {
		fmt.Fprintf(os.Stderr, "dbtest: the server is kept until Ctrl-C: %s\n", server.running.AdminURL())
		interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		<-interrupted.Done()
		stop()
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = server.running.Stop(now) // at once: its data is not needed any more
	if err := os.RemoveAll(server.dir); err != nil {
		fmt.Fprintf(os.Stderr, "dbtest: %v\n", err)
	}
	if code == 0 && !isGood {
		os.Exit(1)
	}
}

func keepServer() bool { return os.Getenv("TRIBUTARY_TEST_KEEP") == "1" }

// adminURL is a superuser's URL of the server, which it starts if need be. A failure is final.
func adminURL() (string, error) {
	if given := os.Getenv("TEST_DATABASE_URL"); given != "" {
		return given, nil
	}
	server.Lock()
	defer server.Unlock()
	if server.running == nil && server.err == nil {
		server.running, server.dir, server.err = startServer()
	}
	if server.err != nil {
		return "", server.err
	}
	return server.running.AdminURL(), nil
}

func startServer() (*postgres.Server, string, error) {
	removeLeftovers()
	dir, err := os.MkdirTemp(baseDir(), fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	started, err := postgres.Start(ctx, withLog(postgres.Config{
		DataDir: dir,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Settings: map[string]string{
			"fsync":              "off",
			"full_page_writes":   "off",
			"synchronous_commit": "off",
			"max_wal_size":       "256MB",
			"autovacuum":         "off", // would work on databases that are about to be dropped
			"max_connections":    "400", // many parallel tests, each with a pool
		},
	}))
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, "", err
	}
	return started, dir, nil
}

// baseDir is where the server's directory is: in memory, where creating a database is ten times as fast, unless
// there is little or TMPDIR says otherwise.
func baseDir() string {
	const memory, enough = "/dev/shm", 4 << 30
	var stat unix.Statfs_t
	if os.Getenv("TMPDIR") == "" && unix.Access(memory, unix.W_OK) == nil && unix.Statfs(memory, &stat) == nil &&
		int64(stat.Bavail)*int64(stat.Bsize) > enough {
		return memory
	}
	return os.TempDir()
}

// removeLeftovers removes the directories of test binaries that were killed.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(baseDir(), dirPrefix+"*")) // fails for malformed patterns only
	for _, dir := range dirs {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(text)
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.RemoveAll(dir) // another user's stays
		}
	}
}
