package postgres_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/postgres"
)

func TestStart_programs(t *testing.T) {
	t.Parallel()

	t.Run("fetched once, then from the cache", func(t *testing.T) {
		t.Parallel()
		jar := archive(t)
		var downloads atomic.Int32
		repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, ".jar"):
				downloads.Add(1)
				_, _ = w.Write(jar)
			case strings.HasSuffix(r.URL.Path, ".jar.sha256"):
				sum := sha256.Sum256(jar)
				_, _ = w.Write([]byte(hex.EncodeToString(sum[:])))
			default:
				http.NotFound(w, r)
			}
		}))
		defer repository.Close()
		cfg := fast(t.TempDir())
		cfg.SearchDirs = []string{t.TempDir()}
		cfg.CacheDir = filepath.Join(publicDir(t), "cache")
		cfg.RepositoryURL = repository.URL
		server := start(t, cfg)
		require.Equal(t, "1", mustQuery(t, server.URL(), "SELECT 1"))
		stop(t, server)

		repository.Close()
		server = start(t, cfg)
		require.Equal(t, "1", mustQuery(t, server.URL(), "SELECT 1"))
		require.Equal(t, int32(1), downloads.Load())
		require.NoDirExists(t, filepath.Join(cfg.CacheDir, "partial"))
	})

	t.Run("damaged download is refused", func(t *testing.T) {
		t.Parallel()
		repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("not an archive"))
		}))
		defer repository.Close()
		cfg := fast(t.TempDir())
		cfg.SearchDirs = []string{t.TempDir()}
		cfg.CacheDir = filepath.Join(publicDir(t), "cache")
		cfg.RepositoryURL = repository.URL
		_, err := postgres.Start(t.Context(), cfg)
		require.ErrorContains(t, err, "checksums do not match")
		entries, err := os.ReadDir(cfg.CacheDir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "only the lock stays")
	})

	t.Run("no Postgres and no network says what to install", func(t *testing.T) {
		t.Parallel()
		closed := httptest.NewServer(nil)
		closed.Close()
		broken := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(broken, "postgres"), nil, 0o600))
		cfg := fast(t.TempDir())
		cfg.SearchDirs = []string{broken}
		cfg.CacheDir = t.TempDir()
		cfg.RepositoryURL = closed.URL
		_, err := postgres.Start(t.Context(), cfg)
		require.ErrorContains(t, err, "no Postgres 14 or newer found")
		require.ErrorContains(t, err, broken)
		require.ErrorContains(t, err, "Install")
		require.ErrorContains(t, err, "--database-url")
		require.NotContains(t, err.Error(), "no such file")
	})

	t.Run("existing data needs its own version", func(t *testing.T) {
		t.Parallel()
		cfg := fast(t.TempDir())
		cfg.CacheDir = t.TempDir()
		stop(t, start(t, cfg))
		for version, want := range map[string]string{
			"99":  "is of Postgres 99, and no Postgres 99 was found",
			"13":  "Tributary needs Postgres 14 or newer",
			"9.6": "Tributary needs Postgres 14 or newer",
		} {
			file := filepath.Join(cfg.DataDir, "postgres", "PG_VERSION")
			require.NoError(t, os.WriteFile(file, []byte(version+"\n"), 0o600))
			_, err := postgres.Start(t.Context(), cfg)
			require.ErrorContains(t, err, want)
		}
	})
}

// archive packs the programs of this machine as the repository does: an xz tarball in a zip.
func archive(t *testing.T) []byte {
	t.Helper()
	if _, err := exec.LookPath("xz"); err != nil {
		t.Skip("needs xz, to pack an archive")
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	require.NoError(t, err)
	if len(found) == 0 {
		t.Skip("needs Debian's Postgres, whose programs work from any place on the machine")
	}
	tarball := filepath.Join(t.TempDir(), "postgres.txz")
	pack := exec.Command("tar", "-cJhf", tarball, "-C", filepath.Dir(filepath.Dir(found[len(found)-1])),
		"bin/postgres", "bin/initdb", "bin/pg_ctl", "lib/dict_snowball.so", "lib/plpgsql.so")
	pack.Env = append(os.Environ(), "XZ_OPT=-0")
	output, err := pack.CombinedOutput()
	require.NoError(t, err, string(output))
	packed, err := os.ReadFile(tarball)
	require.NoError(t, err)
	var jar bytes.Buffer
	zipped := zip.NewWriter(&jar)
	entry, err := zipped.Create("postgres-linux-x86_64.txz")
	require.NoError(t, err)
	_, err = entry.Write(packed)
	require.NoError(t, err)
	require.NoError(t, zipped.Close())
	return jar.Bytes()
}
