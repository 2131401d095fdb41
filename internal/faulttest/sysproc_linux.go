package main

import "syscall"

// endsWithParent has the kernel kill a child when its parent dies, and keeps Ctrl-C from it.
func endsWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
