package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// cluster is the set of files that one server works on, and the user who owns them.
type cluster struct {
	cfg       Config
	log       *slog.Logger
	root      string // the data directory: absolute, without symbolic links
	dir       string // PGDATA
	account   account
	serverLog serverLog
}

// openCluster creates the data directory if needed and finds out whom to run as. It starts nothing.
func openCluster(cfg Config) (*cluster, error) {
	if cfg.DataDir == "" {
		return nil, errors.New("start Postgres: no data directory given")
	}
	log := cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	root, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(root, dataDirMode()); err != nil {
		return nil, fmt.Errorf("create the data directory: %w; choose another with --data-dir", err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	dir := filepath.Join(root, "postgres")
	owner, err := accountFor(dir)
	if err != nil {
		return nil, err
	}
	logFile := serverLog{path: filepath.Join(root, "postgres.log"), maxBytes: cmp.Or(cfg.LogMaxBytes, logMaxBytes)}
	return &cluster{cfg: cfg, log: log, root: root, dir: dir, account: owner, serverLog: logFile}, nil
}

// prepare returns the programs that fit the cluster, which it creates if there is none.
func (c *cluster) prepare(ctx context.Context) (programs, error) {
	major, err := c.major()
	if err != nil {
		return programs{}, err
	}
	found, err := c.findPrograms(ctx, major)
	if err != nil || major != 0 {
		return found, err
	}
	return found, c.create(ctx, found)
}

// major is the version of Postgres that the cluster was made by, 0 if there is no cluster.
func (c *cluster) major() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "PG_VERSION"))
	if err == nil {
		major, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || major < oldestMajor {
			return 0, fmt.Errorf("the data in %s is of Postgres %s; Tributary needs Postgres %d or newer: "+
				"bring it there with pg_dump and pg_restore", c.dir, strings.TrimSpace(string(text)), oldestMajor)
		}
		return major, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("read the version of the database cluster: %w", err)
	}
	return 0, nil
}

// create makes the cluster in a directory beside its own and renames it when it is complete, so that a
// process killed on the way leaves nothing that looks like a cluster.
func (c *cluster) create(ctx context.Context, p programs) error {
	staging := c.dir + ".new"
	if err := os.RemoveAll(staging); err != nil {
		return fmt.Errorf("remove an unfinished database cluster: %w", err)
	}
	if err := os.Mkdir(staging, 0o700); err != nil {
		return fmt.Errorf("create a database cluster: %w", err)
	}
	if err := c.account.give(staging); err != nil {
		return fmt.Errorf("create a database cluster: %w", err)
	}
	args := []string{
		"--username=postgres", "--encoding=UTF8", "--locale=C", "--data-checksums",
		// Access is guarded by the mode of the socket and its directory; nobody has a password.
		"--auth-local=trust", "--auth-host=scram-sha-256",
	}
	if c.cfg.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	var output bytes.Buffer
	proc, err := c.launchOn(staging, &output, p.path("initdb"), args...)
	if err == nil {
		err = proc.wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("create a database cluster with %s as %s: %w\n%s%s",
			p.path("initdb"), c.account, err, strings.TrimSpace(output.String()), initHint(output.String()))
	}
	// An empty directory may be in the place; Remove refuses any other.
	if err := os.Remove(c.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds files but no database cluster (it has no PG_VERSION): "+
			"move it away, or choose another data directory", c.dir)
	}
	if err := os.Rename(staging, c.dir); err != nil {
		return fmt.Errorf("create a database cluster: %w", err)
	}
	c.log.Info("created a database cluster", "dir", c.dir, "postgres", p.version, "user", c.account.String())
	return syncDir(c.root)
}

// initHint explains the failures of initdb that its own words leave in the dark.
func initHint(output string) string {
	if strings.Contains(output, "could not look up effective user ID") {
		return "\nPostgres needs the user that it runs as to be listed in /etc/passwd: add it there, or run as another user"
	}
	return ""
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// createDatabase creates Tributary's role and database, each unless it exists.
func createDatabase(ctx context.Context, adminURL string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, object := range []struct{ exists, create string }{
		{`SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tributary')`, `CREATE ROLE tributary LOGIN`},
		{`SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'tributary')`, `CREATE DATABASE tributary OWNER tributary`},
	} {
		var exists bool
		if err := conn.QueryRow(ctx, object.exists).Scan(&exists); err != nil {
			return fmt.Errorf("create the database: %w", err)
		}
		if exists {
			continue
		}
		if _, err := conn.Exec(ctx, object.create); err != nil {
			return fmt.Errorf("create the database: %w", err)
		}
	}
	return nil
}
