//go:build !linux

package main

import "syscall"

// endsWithParent keeps Ctrl-C from a child.
func endsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
