package postgres

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	socketPort   = "5432" // only a part of the socket's name: the server does not listen on the network
	socketPrefix = ".s.PGSQL."
)

// chooseSocketDir returns the directory of the server's socket: the cluster's own, unless its path is too
// long for a socket (107 bytes on Linux, 103 on macOS), its file system has none, or no URL can name it. Then it is one in /tmp
// that is named after the cluster, so that all processes find it, and is to be made by ensurePrivateDir.
func (c *cluster) chooseSocketDir() (string, error) {
	reason := errors.New("connection URLs take a comma for the end of a host")
	if !strings.Contains(c.dir, ",") {
		reason = probeSocket(c.dir)
	}
	if reason == nil {
		return c.dir, nil
	}
	if _, err := os.Stat(c.dir); err != nil {
		return "", fmt.Errorf("place the socket of Postgres: %w", err)
	}
	c.log.Debug("the socket of Postgres cannot be in its data directory", "reason", reason)
	hash := sha256.Sum256([]byte(c.dir))
	return filepath.Join("/tmp", fmt.Sprintf("tributary-%x", hash[:8])), nil
}

// probeSocket tries whether a socket with a name as long as the server's can be in dir.
func probeSocket(dir string) error {
	name := rand.Text()[:len(socketPrefix)+len(socketPort)]
	listener, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return listener.Close()
}

// ensurePrivateDir creates dir for the account, closed to others, or makes sure that nobody else has made it.
func (c *cluster) ensurePrivateDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	mine := owner == c.account.uid || owner == os.Geteuid()
	if !info.IsDir() || !mine || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("place the socket of Postgres: %s exists and is not a directory of the user %s with mode 0700: remove it", dir, c.account)
	}
	return c.account.give(dir)
}

// removeSocketLock removes the lock file of a killed server's socket. Postgres would not start while the
// process id in it belongs to any process of the account, as it does for a moment after a kill and, by
// chance, in a container that starts again. The directory is the cluster's alone, and postmaster.pid keeps
// two servers apart.
func removeSocketLock(dir string) error {
	err := os.Remove(filepath.Join(dir, socketPrefix+socketPort+".lock"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
