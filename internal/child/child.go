// Package child starts processes that are not to outlive this one.
package child

import (
	"os/exec"
	"runtime"
)

// Process is a child that has been started.
type Process struct {
	Cmd     *exec.Cmd
	Done    chan struct{} // closed when the child has ended and has been waited for
	waitErr error         // valid once Done is closed
}

// Start starts cmd from an operating system thread that lives as long as the child: the kernel's signal for the
// parent's death, which SysProcAttr.Pdeathsig asks for, is really one for the death of the thread that forked.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Cmd: cmd, Done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.Done)
		err := cmd.Start()
		started <- err
		if err == nil {
			p.waitErr = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// Err is how the child ended, nil for success. Done has to be closed.
func (p *Process) Err() error { return p.waitErr }
