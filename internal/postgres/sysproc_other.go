//go:build !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// handsOverDir says whether a child can reach an inherited directory by passedDir, wherever it lies.
const handsOverDir = false

const passedDir = ""

// childAttr puts a child out of reach of the terminal's Ctrl-C, which is for its parent. Nothing here ends
// it when the parent is killed: the next Start does.
func childAttr(a account) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true}
}

// isServer reports whether process pid is a server that was started on dir.
func isServer(pid int, dir string) bool {
	command, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(command), " -D "+dir+" ")
}
