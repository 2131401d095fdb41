package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchMajor is the version fetched for a new cluster.
const fetchMajor = 18

// fetchedPrefix begins the names of the directories in the cache, one for each version.
const fetchedPrefix = "postgresql-"

// fetchable are the versions that the library knows to be published.
var fetchable = map[int]embeddedpostgres.PostgresVersion{
	14: embeddedpostgres.V14,
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

// cacheDir is where fetched programs are kept, "" if there is no place for them.
func (c *cluster) cacheDir() string {
	if c.cfg.CacheDir != "" {
		return c.cfg.CacheDir
	}
	if os.Geteuid() == 0 {
		return "/var/cache/tributary"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "tributary")
}

// fetch downloads Postgres into the cache: of the given major version, or fetchMajor if it is 0.
func (c *cluster) fetch(ctx context.Context, major int) (programs, error) {
	wanted := major
	if major == 0 {
		wanted = fetchMajor
	}
	version, ok := fetchable[wanted]
	if !ok {
		return programs{}, fmt.Errorf("version %d is not among those that can be fetched", wanted)
	}
	cache := c.cacheDir()
	if cache == "" {
		return programs{}, errors.New("this user has no cache directory (set HOME or XDG_CACHE_HOME)")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return programs{}, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return programs{}, err
	}
	lock, err := waitLock(ctx, filepath.Join(cache, "fetch.lock"))
	if err != nil {
		return programs{}, err
	}
	defer lock.close()
	final := filepath.Join(cache, fetchedPrefix+string(version))
	if _, err := os.Stat(final); err != nil {
		c.log.Info("fetching Postgres", "version", string(version), "into", cache)
		if err := c.download(ctx, version, filepath.Join(cache, "partial"), final); err != nil {
			return programs{}, err
		}
	}
	p, err := c.inspect(ctx, filepath.Join(final, "bin"))
	if err == nil && major != 0 && p.major != major {
		err = fmt.Errorf("%s is version %s", p.path("postgres"), p.version)
	}
	return p, err
}

// download has the library fetch and unpack into staging, then renames the result to final.
//
// The library does that only as the first half of starting a server. A data directory which claims to be
// initialized and is empty makes the second half end at once; whether the first succeeded is seen
// by its result.
func (c *cluster) download(ctx context.Context, version embeddedpostgres.PostgresVersion, staging, final string) error {
	if err := os.RemoveAll(staging); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(staging) }() // the next fetch tries again
	data, unpacked := filepath.Join(staging, "data"), filepath.Join(staging, "postgres")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(version), 0o600); err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig().Version(version).Port(0).Logger(io.Discard).
		CachePath(filepath.Join(staging, "archive")).RuntimePath(filepath.Join(staging, "run")).
		BinariesPath(unpacked).DataPath(data)
	if c.cfg.RepositoryURL != "" {
		config = config.BinaryRepositoryURL(c.cfg.RepositoryURL)
	}
	result := make(chan error, 1)
	go func() {
		defer removeNew(filepath.Join(os.TempDir(), "embedded_postgres_log*"))()
		result <- embeddedpostgres.NewDatabase(config).Start()
	}()
	var startErr error
	select {
	case startErr = <-result:
	case <-ctx.Done(): // the library cannot be interrupted; what it still writes is removed by the next fetch
		return context.Cause(ctx)
	}
	for _, name := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(unpacked, "bin", name)); err != nil {
			return cmp.Or(startErr, err)
		}
	}
	if err := makeReadable(unpacked); err != nil {
		return err
	}
	return os.Rename(unpacked, final)
}

// removeNew returns a function that removes the files matching pattern which do not exist yet: the library
// leaves its log behind.
func removeNew(pattern string) func() {
	before, _ := filepath.Glob(pattern) // fails for malformed patterns only
	return func() {
		after, _ := filepath.Glob(pattern)
		for _, path := range after {
			if !slices.Contains(before, path) {
				_ = os.Remove(path)
			}
		}
	}
}

// makeReadable lets every user run what was unpacked, whatever the umask.
func makeReadable(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// waitLock takes the lock at path, waiting for its holder as long as ctx allows.
func waitLock(ctx context.Context, path string) (*fileLock, error) {
	lock, err := openLock(path)
	if err != nil {
		return nil, err
	}
	for {
		held, err := lock.try(true)
		if held && err == nil {
			return lock, nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = fmt.Errorf("process %s is fetching Postgres: %w", lock.holder(), context.Cause(ctx))
			case <-time.After(100 * time.Millisecond):
				continue
			}
		}
		lock.close()
		return nil, err
	}
}
