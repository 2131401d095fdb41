package postgres

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the oldest Postgres that Tributary works with.
const oldestMajor = 14

// programs is an installed Postgres.
type programs struct {
	dir     string // holds postgres and initdb
	version string // as it calls itself
	major   int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// installPatterns are the places, besides PATH, where packages put Postgres: Debian and Ubuntu; RPM; Alpine;
// Arch, Fedora and builds from source; Homebrew on Apple and on Intel processors; Postgres.app; MacPorts.
var installPatterns = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql@*/bin", "/opt/homebrew/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/opt/local/lib/postgresql*/bin",
}

// searchDirs lists where to look, PATH first.
func searchDirs() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range installPatterns {
		found, _ := filepath.Glob(pattern) // fails for malformed patterns only
		dirs = append(dirs, found...)
	}
	return dirs
}

// findPrograms returns the newest Postgres that the cluster's account can run: of the given major version,
// which an existing cluster needs, or any that is new enough if major is 0. If the machine has none, one
// is fetched.
func (c *cluster) findPrograms(ctx context.Context, major int) (programs, error) {
	dirs := c.cfg.SearchDirs
	if dirs == nil {
		dirs = searchDirs()
	}
	cached, _ := filepath.Glob(filepath.Join(c.cacheDir(), fetchedPrefix+"*", "bin"))
	var fitting []programs
	var others []string // what was found and does not do, for the error
	var seen []string
	for _, dir := range append(slices.Clone(dirs), cached...) {
		real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil || !filepath.IsAbs(dir) || slices.Contains(seen, real) {
			continue
		}
		seen = append(seen, real)
		p, err := c.inspect(ctx, dir)
		switch {
		case ctx.Err() != nil:
			return programs{}, fmt.Errorf("look for Postgres: %w", context.Cause(ctx))
		case err != nil:
			others = append(others, err.Error())
		case p.major == major || major == 0 && p.major >= oldestMajor:
			fitting = append(fitting, p)
		default:
			others = append(others, fmt.Sprintf("%s is version %s", p.path("postgres"), p.version))
		}
	}
	if len(fitting) > 0 {
		return slices.MaxFunc(fitting, func(a, b programs) int { return a.major - b.major }), nil
	}
	fetched, err := c.fetch(ctx, major)
	if err != nil {
		return programs{}, c.missing(major, others, err)
	}
	return fetched, nil
}

var versionPattern = regexp.MustCompile(`\d+(\.\d+)*`)

// inspect runs the Postgres in dir for its version, as the account that will run it later.
func (c *cluster) inspect(ctx context.Context, dir string) (programs, error) {
	p := programs{dir: dir}
	if _, err := os.Stat(p.path("initdb")); err != nil {
		return p, fmt.Errorf("%s has no initdb beside it", p.path("postgres"))
	}
	var output bytes.Buffer
	cmd := c.command(p.path("postgres"), "--version")
	cmd.Stdout = &output
	if err := run(ctx, cmd); err != nil {
		return p, fmt.Errorf("the user %s cannot run %s: %w", c.account, cmd.Path, err)
	}
	p.version = versionPattern.FindString(output.String())
	first, _, _ := strings.Cut(p.version, ".")
	var err error
	if p.major, err = strconv.Atoi(first); err != nil {
		return p, fmt.Errorf("%s does not tell its version", cmd.Path)
	}
	return p, nil
}

// missing says what was looked for, what was found instead, and what to install.
func (c *cluster) missing(major int, others []string, fetchErr error) error {
	var text strings.Builder
	if major == 0 {
		fmt.Fprintf(&text, "no Postgres %d or newer found on this machine", oldestMajor)
	} else {
		fmt.Fprintf(&text, "the data in %s is of Postgres %d, and no Postgres %d was found on this machine", c.dir, major, major)
	}
	for _, other := range others {
		fmt.Fprintf(&text, "\n  %s", other)
	}
	return fmt.Errorf("%s\nand none could be fetched: %w\n%s, or give the URL of a database with --database-url",
		text.String(), fetchErr, installHint(major))
}

// installHint says how to install a version, or if it is 0 the one that the system's packages have.
func installHint(major int) string {
	if runtime.GOOS == "darwin" {
		return fmt.Sprintf("Install one with `brew install postgresql@%d`", cmp.Or(major, fetchMajor))
	}
	for _, manager := range []struct{ program, newest, version string }{
		{"apt-get", "apt-get install postgresql", "apt-get install postgresql-%d"},
		{"dnf", "dnf install postgresql-server", "dnf install postgresql%d-server"},
		{"apk", "apk add postgresql", "apk add postgresql%d"},
		{"pacman", "pacman -S postgresql", "pacman -S postgresql # version %d"},
		{"zypper", "zypper install postgresql-server", "zypper install postgresql%d-server"},
	} {
		if _, err := exec.LookPath(manager.program); err != nil {
			continue
		}
		if major == 0 {
			return "Install one with `" + manager.newest + "`"
		}
		return fmt.Sprintf("Install one with `"+manager.version+"`", major)
	}
	return fmt.Sprintf("Install PostgreSQL %d", cmp.Or(major, fetchMajor))
}
