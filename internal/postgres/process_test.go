package postgres_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

func TestServer_sharing(t *testing.T) {
	t.Parallel()

	t.Run("second process uses the running server and leaves it running", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		owner := startOther(t, dir, nil)
		pid := serverPID(t, dir)
		cfg := fast(dir)
		cfg.Exclusive = true // as a short command beside serve
		server := start(t, cfg)
		require.Equal(t, owner.url, server.URL())
		mustQuery(t, server.URL(), keepRow)
		stop(t, server)
		require.Equal(t, pid, serverPID(t, dir))
		require.Equal(t, "42", mustQuery(t, owner.url, readRow))
	})

	t.Run("second process takes over when the owner ends", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		owner := startOther(t, dir, nil)
		server := start(t, fast(dir))
		mustQuery(t, server.URL(), keepRow)
		owner.finish()
		require.Equal(t, "42", eventually(t, server.URL(), readRow))
	})

	t.Run("exclusive owner is waited for", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		owner := startOther(t, dir, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, helperExclusive+"=1") })
		mustQuery(t, owner.url, keepRow)

		impatient, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := postgres.Start(impatient, fast(dir))
		require.ErrorIs(t, err, postgres.ErrInUse)
		require.ErrorContains(t, err, "process "+strconv.Itoa(owner.cmd.Process.Pid))

		type result struct {
			server *postgres.Server
			err    error
		}
		started := make(chan result, 1)
		go func() {
			server, err := postgres.Start(t.Context(), fast(dir))
			started <- result{server, err}
		}()
		owner.finish()
		got := <-started
		require.NoError(t, got.err)
		defer stop(t, got.server)
		require.Equal(t, "42", mustQuery(t, got.server.URL(), readRow))
	})

	t.Run("five processes start at once", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		results := make(chan error, 5)
		for range cap(results) {
			go func() {
				cfg := fast(dir)
				cfg.Exclusive = true
				server, err := postgres.Start(t.Context(), cfg)
				if err == nil {
					_, err = query(t.Context(), server.URL(), "SELECT 1")
				}
				if err == nil {
					err = server.Stop(context.Background())
				}
				results <- err
			}()
		}
		for range cap(results) {
			require.NoError(t, <-results)
		}
	})
}

func TestServer_crash(t *testing.T) {
	t.Parallel()

	t.Run("killed server comes back under the same URL", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		cfg := fast(dir)
		server := start(t, cfg)
		mustQuery(t, server.URL(), keepRow)
		for range 3 {
			pid := serverPID(t, dir)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			require.Eventually(t, func() bool {
				n, err := query(t.Context(), server.URL(), readRow)
				return err == nil && n == "42" && serverPID(t, dir) != pid
			}, 20*time.Second, 10*time.Millisecond, "the server did not come back")
		}
	})

	t.Run("killed owner leaves its data and nothing running", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		owner := startOther(t, dir, nil)
		mustQuery(t, owner.url, keepRow)
		pid := serverPID(t, dir)
		owner.kill(t)
		server := start(t, fast(dir))
		require.False(t, running(pid))
		require.Equal(t, "42", mustQuery(t, server.URL(), readRow))
	})

	t.Run("server that outlived its owner is replaced", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		// A stopped owner with another lock file is like a killed one on a system that lets its children live.
		owner := startOther(t, dir, nil)
		mustQuery(t, owner.url, keepRow)
		pid := serverPID(t, dir)
		require.NoError(t, owner.cmd.Process.Signal(syscall.SIGSTOP))
		defer owner.kill(t)
		require.NoError(t, os.Remove(filepath.Join(dir, "postgres.lock")))

		server := start(t, fast(dir))
		require.False(t, running(pid))
		require.Equal(t, "42", mustQuery(t, server.URL(), readRow))
	})

	t.Run("process id left behind belongs to another program", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		owner := startOther(t, dir, nil)
		mustQuery(t, owner.url, keepRow)
		pidFile := filepath.Join(dir, "postgres", "postmaster.pid")
		text, err := os.ReadFile(pidFile)
		require.NoError(t, err)
		info, err := os.Stat(pidFile)
		require.NoError(t, err)
		pid := serverPID(t, dir)
		owner.kill(t)
		require.Eventually(t, func() bool { return !running(pid) }, 20*time.Second, 10*time.Millisecond)

		// Postgres itself refuses to start if the process lives and has the same user.
		stat := info.Sys().(*syscall.Stat_t)
		bystander := exec.Command("sleep", "60")
		if os.Geteuid() == 0 {
			bystander.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
		}
		require.NoError(t, bystander.Start())
		defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
		_, rest, _ := strings.Cut(string(text), "\n")
		address, err := url.Parse(owner.url)
		require.NoError(t, err)
		socketLock := filepath.Join(address.Query().Get("host"), ".s.PGSQL.5432.lock")
		for _, file := range []string{pidFile, socketLock} {
			require.NoError(t, os.WriteFile(file, []byte(strconv.Itoa(bystander.Process.Pid)+"\n"+rest), 0o600))
			require.NoError(t, os.Chown(file, int(stat.Uid), int(stat.Gid)))
		}

		server := start(t, fast(dir))
		require.Equal(t, "42", mustQuery(t, server.URL(), readRow))
		require.True(t, running(bystander.Process.Pid), "a stranger was killed")
	})
}

// running reports whether a process is there and no zombie that its parent has yet to wait for.
func running(pid int) bool {
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(state), "Z")
}
