package main

import (
	"os/exec"
	"sync/atomic"
	"syscall"

	"tributary/internal/child"
)

// process is a child that has been started.
type process struct {
	*child.Process
	// meant says that it is to end, or has been killed.
	meant atomic.Bool
}

// spawn starts a child that ends with this process.
func spawn(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = endsWithParent()
	p, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}
	return &process{Process: p}, nil
}

// kill ends it without a warning, and waits until it is gone.
func (p *process) kill() {
	p.meant.Store(true)
	_ = p.Cmd.Process.Kill()
	<-p.Done
}

// signal sends a signal; to one that has ended that does nothing.
func (p *process) signal(s syscall.Signal) { _ = p.Cmd.Process.Signal(s) }

// ended says whether it has ended.
func (p *process) ended() bool {
	select {
	case <-p.Done:
		return true
	default:
		return false
	}
}
