package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanWait bounds the wait for a left-behind server, which may have a long last checkpoint to write.
const orphanWait = time.Minute

// pidFile is what a server says about itself in postmaster.pid.
type pidFile struct {
	pid   int
	ready bool // it accepts connections
}

func pidFilePath(dir string) string { return filepath.Join(dir, "postmaster.pid") }

// readPIDFile fails with os.ErrNotExist if no server runs on dir, or the last one stopped in order.
func readPIDFile(dir string) (pidFile, error) {
	text, err := os.ReadFile(pidFilePath(dir))
	if err != nil {
		return pidFile{}, err
	}
	// Lines: pid, data directory, start time, port, socket directory, listen address, shared memory, status.
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{}, fmt.Errorf("%s does not begin with a process id", pidFilePath(dir))
	}
	return pidFile{pid: pid, ready: len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"}, nil
}

// stopOrphan is called with the lock held, so that a server which still runs on the cluster has lost its
// owner: it is shut down. A postmaster.pid that names a process which is no server of ours (process ids
// are used again, above all in containers) is made harmless.
func (c *cluster) stopOrphan(ctx context.Context) error {
	found, err := readPIDFile(c.dir)
	if err != nil {
		return nil // none, or one which Postgres will complain about better than we can
	}
	if !isServer(found.pid, c.dir) {
		return c.disownPIDFile()
	}
	c.log.Info("stopping the Postgres that a killed process has left behind", "pid", found.pid)
	if err := syscall.Kill(found.pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the Postgres left behind, process %d: %w", found.pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, orphanWait)
	defer cancel()
	for isServer(found.pid, c.dir) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: a Postgres left behind by a killed process, process %d, still runs on %s and does "+
				"not stop; end it with `kill -QUIT %d`", ErrInUse, found.pid, c.dir, found.pid)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// disownPIDFile puts our process id into postmaster.pid. Postgres takes a file with its parent's id for a
// stale one, but still checks the shared memory named there, and so does not start beside the children
// of a killed server. Without the file that check would be lost.
func (c *cluster) disownPIDFile() error {
	path := pidFilePath(c.dir)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the process id file left behind: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	// Written in place: the file keeps its owner.
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"+rest), 0o600); err != nil {
		return fmt.Errorf("rewrite the process id file left behind: %w", err)
	}
	return nil
}
