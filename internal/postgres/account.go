package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// account is the user that the Postgres programs run as. Postgres refuses to run as root.
type account struct {
	name     string
	uid, gid int
	drop     bool // this process is root and gives up its privileges for Postgres
}

// accountFor returns whom to run as on the cluster in dir: its owner; if there is none yet, the current user,
// or an unprivileged one if that is root.
func accountFor(dir string) (account, error) {
	uid := os.Geteuid()
	info, err := os.Stat(filepath.Join(dir, "PG_VERSION"))
	switch {
	case errors.Is(err, os.ErrNotExist):
		if uid == 0 {
			return unprivileged()
		}
		return account{name: userName(uid), uid: uid, gid: os.Getegid()}, nil
	case errors.Is(err, os.ErrPermission):
		return account{}, fmt.Errorf("data directory: %w; it belongs to another user: "+
			"run as that user, or choose another with --data-dir", err)
	case err != nil:
		return account{}, fmt.Errorf("data directory: %w", err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	owner := account{name: userName(int(stat.Uid)), uid: int(stat.Uid), gid: int(stat.Gid), drop: uid == 0}
	if owner.uid == 0 {
		return account{}, fmt.Errorf("the database cluster %s belongs to root, and Postgres does not run as root: "+
			"give it to another user, for instance with `chown -R postgres %s`", dir, dir)
	}
	if uid != 0 && owner.uid != uid {
		return account{}, fmt.Errorf("the database cluster %s belongs to the user %s: run as that user or as root, "+
			"or choose another data directory with --data-dir", dir, owner.name)
	}
	return owner, nil
}

// unprivileged picks the user that root's Postgres runs as. It must be listed in /etc/passwd: initdb
// insists.
func unprivileged() (account, error) {
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseInt(u.Uid, 10, 64)
		if err != nil || uid == 0 {
			continue
		}
		gid, err := strconv.ParseInt(u.Gid, 10, 64)
		if err != nil {
			continue
		}
		return account{name: name, uid: int(uid), gid: int(gid), drop: true}, nil
	}
	return account{}, errors.New("root cannot run Postgres, and there is no user postgres or nobody to run it as: " +
		"create one with `useradd --system postgres`, or run as an ordinary user")
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// String is the user's name, or its number if it has none.
func (a account) String() string { return a.name }

// give makes path the account's own.
func (a account) give(path string) error {
	if !a.drop {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

func (a account) credential() *syscall.Credential {
	if !a.drop {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// dataDirMode closes a new data directory to others. Where Postgres runs as another user and cannot be
// handed the opened directory (see launchOn), that user must be able to pass through.
func dataDirMode() os.FileMode {
	if os.Geteuid() == 0 && runtime.GOOS != "linux" {
		return 0o711
	}
	return 0o700
}
