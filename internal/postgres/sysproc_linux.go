package postgres

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// handsOverDir says whether a child can reach an inherited directory by passedDir, wherever it lies.
const handsOverDir = true

// passedDir is the path, in a child, of the first file in its exec.Cmd's ExtraFiles.
const passedDir = "/proc/self/fd/3"

// childAttr puts a child out of reach of the terminal's Ctrl-C, which is for its parent, and has the kernel
// send it SIGINT, Postgres' fast shutdown, when its parent dies.
func childAttr(a account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// isServer reports whether process pid works in dir, as the server on that cluster does.
func isServer(pid int, dir string) bool {
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	own, err := os.Stat(dir)
	return err == nil && os.SameFile(cwd, own)
}

// memoryLimits say how much memory a container may use, in version 2 and 1 of control groups. Outside of one they
// are missing or say more than there is.
var memoryLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// memory is that of the machine or container in bytes, 0 if it is not known.
func memory() uint64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	bytes := uint64(info.Totalram) * uint64(info.Unit)
	for _, path := range memoryLimits {
		text, _ := os.ReadFile(path)
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			bytes = min(bytes, limit)
		}
	}
	return bytes
}
