package postgres

import (
	"fmt"
	"os"
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
