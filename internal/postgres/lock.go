package postgres

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileLock is a lock that the kernel lets go when its holder ends, however it ends. The file tells who that is.
type fileLock struct {
	file *os.File
	held bool // by us
}

func openLock(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileLock{file: file}, nil
}

// try takes the lock if nobody else has it.
func (l *fileLock) try(exclusive bool) (bool, error) {
	err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w (the file system must support flock)", l.file.Name(), err)
	}
	l.held = true
	kind := "shared"
	if exclusive {
		kind = "exclusive"
	}
	// Emptied first: until the line is complete, readers see a holder that does not share.
	if err := l.file.Truncate(0); err != nil {
		return false, err
	}
	_, err = l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+" "+kind+"\n"), 0)
	return true, err
}

// holder is who has the lock: the zero value while that is not known.
type holder struct {
	pid    string
	shared bool // lets others use its server
}

func (h holder) String() string {
	if h.pid == "" {
		return "(unknown)"
	}
	return h.pid
}

func (l *fileLock) holder() holder {
	text, err := os.ReadFile(l.file.Name())
	line, complete := strings.CutSuffix(string(text), "\n")
	if err != nil || !complete {
		return holder{}
	}
	pid, kind, _ := strings.Cut(line, " ")
	return holder{pid: pid, shared: kind == "shared"}
}

// close lets the lock go.
func (l *fileLock) close() { _ = l.file.Close() }
