// Package postgres runs the local Postgres that Tributary uses when no database URL is given. It finds
// (or fetches) the Postgres programs, creates a database cluster, keeps one server running on it and
// stops that server again.
//
// Layout of a data directory:
//
//	<DataDir>/postgres        the cluster (PGDATA), mode 0700
//	<DataDir>/postgres.lock   held by the process whose child the server is
//	<DataDir>/postgres.log    the server's log, by default at most 10 MB, and postgres.log.1, as much before it
//
// Several processes may use one data directory. The first becomes the owner: the server is its child. The
// others use the owner's server, and one of them takes over when the owner goes.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// lockWait bounds how long Start waits for another process that neither shares its server nor ends.
const lockWait = 30 * time.Second

// ErrInUse is returned by Start when another process holds the data directory and its server cannot be used.
var ErrInUse = errors.New("data directory is in use")

// Config says where the server keeps its data and how it is run. Only DataDir is required.
type Config struct {
	// DataDir is created, mode 0700, if it does not exist. Relative paths are resolved once, by Start.
	DataDir string

	// Exclusive makes other processes wait for this one to finish instead of sharing its server. It is for
	// short commands, whose end would take the server away from those who share it. It does not keep a
	// short command from sharing the server of a long-lived process.
	Exclusive bool

	// Logger receives what happens to the server; nil means slog.Default().
	Logger *slog.Logger

	// SearchDirs are looked through for the programs postgres and initdb; nil means PATH and the places
	// where the packages of Linux distributions, Homebrew and Postgres.app put them.
	SearchDirs []string

	// CacheDir keeps fetched Postgres programs. By default it is tributary in the user's cache directory,
	// or /var/cache/tributary for root, whose home is closed to the user that Postgres runs as.
	CacheDir string

	// RepositoryURL is the Maven repository that Postgres programs are fetched from when the machine has
	// none. It has the layout of Maven Central, the default.
	RepositoryURL string

	// LogMaxBytes is how long the server's log becomes before it is moved aside; 0 means 10 MB.
	LogMaxBytes int64

	// Settings are added to the server's settings and win over them. Tests switch fsync off here: Start
	// then leaves out the check that commits are durable.
	Settings map[string]string
}

// Server is a running Postgres, owned by this process or shared with the process that owns it.
type Server struct {
	cluster   *cluster
	lock      *fileLock
	socketDir string

	ctx      context.Context // ends when Stop is called
	cancel   context.CancelFunc
	finished chan struct{} // closed when supervise has returned
	proc     *process      // nil while the server belongs to another process; supervise's until finished

	stopOnce sync.Once
	stopErr  error
}

// Start returns a server that accepts connections and has a database for Tributary. It creates the cluster
// if there is none, uses the running server if another process owns one (see Config.Exclusive), and first
// stops a server that a killed process has left behind.
//
// Until Stop, a server that dies is started again, under the same URL; what was committed is still there.
// Recovery after a crash may take minutes: ctx bounds the wait. The error says what to do; it is ErrInUse
// when another process holds the data directory and does not let it go within 30 seconds.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	c, err := openCluster(cfg)
	if err != nil {
		return nil, err
	}
	lock, err := openLock(filepath.Join(c.root, "postgres.lock"))
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w; choose another with --data-dir", err)
	}
	s := &Server{cluster: c, lock: lock, finished: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.begin(ctx); err != nil {
		s.cancel()
		s.release()
		return nil, err
	}
	go s.supervise()
	return s, nil
}

// begin makes this process the owner, or connects it to the owner's server.
func (s *Server) begin(ctx context.Context) error {
	waitCtx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		held, err := s.lock.try(s.cluster.cfg.Exclusive)
		if err != nil {
			return fmt.Errorf("lock the data directory: %w", err)
		}
		if held {
			return s.own(ctx)
		}
		reason := errors.New("it does not share its server")
		holder := s.lock.holder()
		if holder.shared {
			reason = s.attach(waitCtx)
		}
		if reason == nil || errors.Is(reason, ErrNotDurable) {
			return reason
		}
		select {
		case <-waitCtx.Done():
			return fmt.Errorf("%w: process %s holds %s (%w); stop it or choose another data directory",
				ErrInUse, holder, s.cluster.root, reason)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// attach connects to the owner's server, once it is ready.
func (s *Server) attach(ctx context.Context) error {
	pid, err := readPIDFile(s.cluster.dir)
	if err != nil || !pid.ready {
		return errors.New("its server is not ready")
	}
	if err := s.placeSocket(); err != nil {
		return err
	}
	return s.check(ctx)
}

// URL is the connection URL of Tributary's database on the server, for pgx and libpq. It stays the same
// across restarts, and works for root and for the user that the server runs as.
func (s *Server) URL() string { return s.databaseURL("tributary", "tributary") }

// AdminURL is the connection URL of the superuser postgres, for maintenance and for creating test databases.
func (s *Server) AdminURL() string { return s.databaseURL("postgres", "postgres") }

func (s *Server) databaseURL(user, database string) string {
	// libpq decodes %20 in a query, but not the + of url.Values.
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%s", user, database,
		strings.ReplaceAll(url.QueryEscape(s.socketDir), "+", "%20"), socketPort)
}

// Stop shuts the server down if it is this process' own, and releases the data directory. Open transactions
// are rolled back. If ctx ends first, the server is stopped at once, without its last checkpoint: no
// commit is lost, but its next start has to recover. Calls after the first return the same error.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() {
		s.cancel()
		<-s.finished
		if s.proc != nil {
			s.stopErr = s.proc.shutdown(ctx)
		}
		s.release()
	})
	return s.stopErr
}

// release lets others have the data directory, once this process' server has ended.
func (s *Server) release() {
	if s.lock.held && s.socketDir != "" && s.socketDir != s.cluster.dir {
		_ = os.Remove(s.socketDir) // made again when it is needed
	}
	s.lock.close()
}
