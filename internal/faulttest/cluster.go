package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tributary/internal/postgres"
)

// cluster is a Postgres with fsync on, which is started again whenever it dies.
type cluster struct {
	server *postgres.Server
	dir    string
}

// startCluster starts a Postgres with its data in a directory. It is found there unless searchDirs say otherwise.
func startCluster(ctx context.Context, dir string, settings map[string]string, searchDirs []string) (*cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Config{
		DataDir: dir, Settings: settings, SearchDirs: searchDirs,
		Logger: slog.New(slog.DiscardHandler), // that it has ended is no news
	})
	if err != nil {
		return nil, err
	}
	return &cluster{server, dir}, nil
}

// stop stops it at once: its data is not needed any more.
func (c *cluster) stop() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = c.server.Stop(now)
}

// create makes a database as a copy of another.
func (c *cluster) create(ctx context.Context, database, template string) error {
	c.drop(ctx, database)
	conn, err := pgx.Connect(ctx, c.server.AdminURL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+database+" OWNER tributary TEMPLATE "+template)
	return err
}

// drop removes a database, with whoever is still connected. One that cannot be removed is no fault of ours.
func (c *cluster) drop(ctx context.Context, database string) {
	conn, err := pgx.Connect(ctx, c.server.AdminURL())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+database+" WITH (FORCE)")
}

// connect is a connection of a superuser to a database, past all networks.
func (c *cluster) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(c.server.AdminURL())
	if err != nil {
		return nil, err
	}
	config.Database = database
	return pgx.ConnectConfig(ctx, config)
}

// dial connects to its socket.
func (c *cluster) dial() (net.Conn, error) {
	config, err := pgx.ParseConfig(c.server.URL())
	if err != nil {
		return nil, err
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	return net.DialTimeout(network, address, 5*time.Second)
}

// processes are the ids of the running postmaster and of its children; none if it does not run.
func (c *cluster) processes() (postmaster int, children []int) {
	text, err := os.ReadFile(filepath.Join(c.dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, nil
	}
	first, _, _ := strings.Cut(string(text), "\n")
	claimed, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0, nil
	}
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return 0, nil
	}
	for line := range strings.Lines(string(out)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err != nil {
			continue
		}
		switch {
		case pid == claimed && parent == os.Getpid(): // else it is another process' id by now
			postmaster = pid
		case parent == claimed:
			children = append(children, pid)
		}
	}
	if postmaster == 0 {
		return 0, nil
	}
	return postmaster, children
}

// killAll kills all its processes in one moment, so that what was only in their memory is lost. It answers how many.
func (c *cluster) killAll() int {
	if pid, _ := c.processes(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // has no more children
	}
	postmaster, children := c.processes()
	if postmaster == 0 {
		return 0
	}
	for _, pid := range append(children, postmaster) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return 1 + len(children)
}

// backends are the process ids of the servers' connections.
func (c *cluster) backends(ctx context.Context) (pids []int) {
	conn, err := c.connect(ctx, "postgres")
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE application_name = 'tributary'")
	if err != nil {
		return nil
	}
	pids, _ = pgx.CollectRows(rows, pgx.RowTo[int])
	return pids
}

// wait waits until it answers, after it was killed.
func (c *cluster) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := c.connect(ctx, "postgres")
		if err == nil {
			_, err = conn.Exec(ctx, "SELECT")
			_ = conn.Close(context.WithoutCancel(ctx))
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database did not start again: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// pause has processes stand still for a while.
func pause(pids []int, d time.Duration) {
	for _, pid := range pids {
		if pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
			defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
		}
	}
	time.Sleep(d)
}
