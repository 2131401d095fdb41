package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/db"
	"tributary/internal/postgres"
)

// Pair is a primary with the program's schema and its streaming replica, both servers of the test's own. The URLs
// are those of the program's role, the AdminURLs those of a superuser.
type Pair struct {
	URL, AdminURL               string
	ReplicaURL, ReplicaAdminURL string

	t       testing.TB
	replica *postgres.Server
	dir     string // data directory of the replica
}

// NewPair starts two servers for a test; they are gone with it. The test is skipped where Postgres has no
// pg_basebackup, as a fetched one, unless CI is set.
func NewPair(t testing.TB) *Pair {
	t.Helper()
	dir, err := os.MkdirTemp(baseDir(), fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	// The replica passes through to the socket of the primary, as the user whom root runs Postgres as.
	if err := errors.Join(os.Chmod(dir, 0o711), os.Mkdir(filepath.Join(dir, "primary"), 0o711)); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	primary := startOwn(t, filepath.Join(dir, "primary"))
	t.Cleanup(func() { stopAtOnce(primary) })
	if _, err := db.Migrate(t.Context(), primary.URL(), nil); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	p := &Pair{t: t, URL: primary.URL(), AdminURL: primary.AdminURL(), dir: filepath.Join(dir, "replica")}
	p.copyPrimary(filepath.Join(dir, "primary", "postgres"))
	p.StartReplica()
	t.Cleanup(p.KillReplica)
	p.ReplicaURL, p.ReplicaAdminURL = p.replica.URL(), p.replica.AdminURL()
	t.Cleanup(func() {
		verifyRollups(t, p.URL)
		if !reportStatements(p.AdminURL, filepath.Join(dir, "primary"), p.dir) {
			t.Error("dbtest: what was sent has faults")
		}
	})
	return p
}

// StartReplica starts the replica again, at the same URL.
func (p *Pair) StartReplica() {
	p.t.Helper()
	p.replica = startOwn(p.t, p.dir)
}

// KillReplica ends the replica as a crash does.
func (p *Pair) KillReplica() { stopAtOnce(p.replica) }

// startOwn starts a server that need not survive the machine, but acknowledges as a safe one does.
func startOwn(t testing.TB, dir string) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := postgres.Start(ctx, withLog(postgres.Config{
		DataDir:  dir,
		Logger:   slog.New(slog.DiscardHandler),
		Settings: map[string]string{"fsync": "off", "max_wal_size": "256MB"},
	}))
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return server
}

func stopAtOnce(server *postgres.Server) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = server.Stop(now) // says that there was no last checkpoint
}

// copyPrimary makes the replica's cluster from that of the primary, whose user owns it then too.
func (p *Pair) copyPrimary(primaryDir string) {
	p.t.Helper()
	copied := filepath.Join(p.dir, "postgres")
	cmd := exec.CommandContext(p.t.Context(), p.program("pg_basebackup"),
		"--pgdata="+copied, "--dbname="+p.connectionString(), "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync")
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err := os.Mkdir(p.dir, 0o711)
	if err == nil {
		var output []byte
		if output, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, output)
		}
	}
	if err == nil {
		err = giveTo(copied, primaryDir)
	}
	if err != nil {
		p.t.Fatalf("dbtest: copy the primary: %v", err)
	}
}

// connectionString is the admin URL in libpq's other form, which the recovery configuration keeps.
func (p *Pair) connectionString() string {
	u, err := url.Parse(p.AdminURL)
	if err != nil {
		p.t.Fatalf("dbtest: %v", err)
	}
	return fmt.Sprintf("host='%s' port=%s user=postgres", u.Query().Get("host"), u.Query().Get("port"))
}

// program is one of the programs of the running Postgres.
func (p *Pair) program(name string) string {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.AdminURL)
	if err != nil {
		p.t.Fatalf("dbtest: %v", err)
	}
	defer conn.Close(context.Background())
	var dir string
	if err := conn.QueryRow(p.t.Context(), "SELECT setting FROM pg_config WHERE name = 'BINDIR'").Scan(&dir); err != nil {
		p.t.Fatalf("dbtest: %v", err)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "" {
			p.t.Skipf("the Postgres in %s has no %s", dir, name)
		}
		p.t.Fatalf("dbtest: %v", err)
	}
	return path
}

// giveTo gives what is in dir to the owner of like.
func giveTo(dir, like string) error {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
}
