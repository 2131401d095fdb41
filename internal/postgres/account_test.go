package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

func TestStart_account(t *testing.T) {
	t.Parallel()

	t.Run("unprivileged for root also in a directory closed to others", func(t *testing.T) {
		t.Parallel()
		needRoot(t)
		home := filepath.Join(t.TempDir(), "root")
		require.NoError(t, os.Mkdir(home, 0o700))
		dir := filepath.Join(home, ".tributary")
		server := start(t, fast(dir))
		mustQuery(t, server.URL(), keepRow)
		require.NotEqual(t, "0", ownerOf(t, fmt.Sprintf("/proc/%d", serverPID(t, dir))))
		info, err := os.Stat(home)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		stop(t, server)
		require.Equal(t, "42", mustQuery(t, start(t, fast(dir)).URL(), readRow))
	})

	t.Run("ordinary user", func(t *testing.T) {
		t.Parallel()
		needRoot(t)
		dir, uid := nobodysDir(t)
		other := startOther(t, dir, func(cmd *exec.Cmd) { cmd.SysProcAttr = as(uid) })
		mustQuery(t, other.url, keepRow)
		require.Equal(t, strconv.Itoa(uid), ownerOf(t, filepath.Join(dir, "postgres")))

		shared := start(t, fast(dir)) // root may use it
		require.Equal(t, "42", mustQuery(t, shared.URL(), readRow))
		stop(t, shared)
		other.finish()
		server := start(t, fast(dir)) // and run it: as its owner
		require.Equal(t, "42", mustQuery(t, server.URL(), readRow))
		require.Equal(t, strconv.Itoa(uid), ownerOf(t, fmt.Sprintf("/proc/%d", serverPID(t, dir))))
	})

	t.Run("no user postgres", func(t *testing.T) {
		t.Parallel()
		needRoot(t)
		passwd, err := os.ReadFile("/etc/passwd")
		require.NoError(t, err)
		var kept []string
		for line := range strings.Lines(string(passwd)) {
			if !strings.HasPrefix(line, "postgres:") {
				kept = append(kept, line)
			}
		}
		file := filepath.Join(publicDir(t), "passwd")
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(kept, "")), 0o644))
		if out, err := exec.Command("unshare", "--mount", "mount", "--bind", file, "/etc/passwd").CombinedOutput(); err != nil {
			t.Skipf("cannot hide a user from a process here: %s", out)
		}
		exe, err := os.Executable()
		require.NoError(t, err)
		dir := t.TempDir()
		other := startOther(t, dir, func(cmd *exec.Cmd) {
			cmd.Path, err = exec.LookPath("unshare")
			require.NoError(t, err)
			cmd.Args = []string{"unshare", "--mount", "sh", "-c", `mount --bind "$1" /etc/passwd && exec "$2"`, "sh", file, exe}
		})
		require.Equal(t, "1", mustQuery(t, other.url, "SELECT 1"))
		nobody, err := user.Lookup("nobody")
		require.NoError(t, err)
		require.Equal(t, nobody.Uid, ownerOf(t, filepath.Join(dir, "postgres")))
	})

	t.Run("cluster that belongs to root", func(t *testing.T) {
		t.Parallel()
		needRoot(t)
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "postgres"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("15\n"), 0o600))
		_, err := postgres.Start(t.Context(), fast(dir))
		require.ErrorContains(t, err, "chown -R postgres")
	})
}

// nobodysDir is a directory of the user nobody.
func nobodysDir(t *testing.T) (dir string, uid int) {
	t.Helper()
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err = strconv.Atoi(nobody.Uid)
	require.NoError(t, err)
	dir = filepath.Join(publicDir(t), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chown(dir, uid, uid))
	return dir, uid
}

func as(uid int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
}

func ownerOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid))
}
