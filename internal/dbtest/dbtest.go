// Package dbtest gives each test a real, fresh Postgres database of its own, in milliseconds.
//
// A test package that uses it says so once:
//
//	func TestMain(m *testing.M) { dbtest.Main(m) }
//
// The first test that asks for a database starts a server for the test binary: without fsync, in a temporary
// directory, gone with the binary. TEST_DATABASE_URL, a superuser's URL, names a server to use
// instead.
//
// When the tests have ended, the statements are checked that the program has sent to the server, whichever test and
// process has sent them: each has to name the website to every table with a website's data. One that does not is
// written to the standard error, and fails the test binary. A server that TEST_DATABASE_URL names is not asked.
//
// The database of a failed test stays, and its URL is in the test's log. With TRIBUTARY_TEST_KEEP=1 the
// server stays too after a failure, until Ctrl-C.
package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/peterldowns/pgtestdb"
)

// mainRuns says that somebody will stop the server.
var mainRuns atomic.Bool

// New returns the URL of an empty database, owned by a role without privileges as in production. It is
// dropped, with whoever is still connected, when the test has passed.
func New(t testing.TB) string {
	t.Helper()
	return create(t, pgtestdb.NoopMigrator{})
}

// Migrated is New for a database that migrate has been run on. migrate gets the URL of an empty database and
// runs once in a test binary: all tests copy its result, so give all the same.
func Migrated(t testing.TB, migrate func(ctx context.Context, dsn string) error) string {
	t.Helper()
	return create(t, migrator{migrate})
}

func create(t testing.TB, m pgtestdb.Migrator) string {
	t.Helper()
	if !mainRuns.Load() {
		t.Fatal("dbtest: the test package needs func TestMain(m *testing.M) { dbtest.Main(m) }")
	}
	admin, err := adminURL()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	config, err := configFor(admin)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() && !keepServer() {
			t.Log("dbtest: the test's database is in the server above; TRIBUTARY_TEST_KEEP=1 keeps that running to look at it")
		}
	})
	return pgtestdb.Custom(t, config, m).URL()
}

// configFor tells pgtestdb where the server is.
func configFor(admin string) (pgtestdb.Config, error) {
	parsed, err := pgx.ParseConfig(admin)
	if err != nil {
		return pgtestdb.Config{}, fmt.Errorf("TEST_DATABASE_URL: %w", err)
	}
	u, err := url.Parse(admin)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return pgtestdb.Config{}, fmt.Errorf("TEST_DATABASE_URL is not of the form postgres://user@host:port/database")
	}
	role := pgtestdb.DefaultRole()
	role.Username, role.Password = "tributary_test", "tributary_test"
	return pgtestdb.Config{
		DriverName: "pgx",
		Host:       u.Hostname(), // empty for a socket, whose directory is among the options
		Port:       fmt.Sprint(parsed.Port),
		User:       url.QueryEscape(parsed.User),
		Password:   url.QueryEscape(parsed.Password),
		Database:   parsed.Database,
		Options:    u.RawQuery,
		TestRole:   &role,

		ForceTerminateConnections: true,
	}, nil
}

// migrator adapts a function to pgtestdb.
type migrator struct {
	migrate func(ctx context.Context, dsn string) error
}

// Hash names the template database. On a server that outlives the test binary, it must change with what
// migrate does: the binary contains that.
func (migrator) Hash() (string, error) {
	if os.Getenv("TEST_DATABASE_URL") == "" {
		return "tributary", nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	binary, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer binary.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, binary); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Migrate implements pgtestdb.Migrator.
func (m migrator) Migrate(ctx context.Context, _ *sql.DB, template pgtestdb.Config) error {
	return m.migrate(ctx, template.URL())
}
