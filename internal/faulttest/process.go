package main

import (
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
)

// process is a child that has been started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	// meant says that it is to end, or has been killed.
	meant atomic.Bool
}

// spawn starts a child that ends with this process. It does so from a thread that lives as long as the child, since
// the kernel takes the end of that for the end of the parent.
func spawn(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = endsWithParent()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return p, <-started
}

// kill ends it without a warning, and waits until it is gone.
func (p *process) kill() {
	p.meant.Store(true)
	_ = p.cmd.Process.Kill()
	<-p.done
}

// signal sends a signal; to one that has ended that does nothing.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// ended says whether it has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
