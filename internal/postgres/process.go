package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"tributary/internal/child"
)

// process is a child that has been started.
type process struct{ *child.Process }

func launch(cmd *exec.Cmd) (*process, error) {
	p, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}
	return &process{p}, nil
}

// run launches cmd and waits for its end, which ctx may hasten.
func run(ctx context.Context, cmd *exec.Cmd) error {
	p, err := launch(cmd)
	if err != nil {
		return err
	}
	return p.wait(ctx)
}

// wait returns how the child ended, and kills it when ctx ends first.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.Done:
		return p.Err()
	case <-ctx.Done():
		_ = p.Cmd.Process.Kill()
		<-p.Done
		return context.Cause(ctx)
	}
}

// exit describes how the child ended.
func (p *process) exit() string { return p.Cmd.ProcessState.String() }

// shutdown asks for a fast shutdown, and when ctx ends before that is done for an immediate one, which is then
// its error. The child has ended when it returns.
func (p *process) shutdown(ctx context.Context) error {
	// Signals to a child that has ended are errors, and are not needed.
	_ = p.Cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.Done:
		return nil
	case <-ctx.Done():
	}
	_ = p.Cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.Done:
	case <-time.After(2 * time.Second):
		_ = p.Cmd.Process.Kill()
		<-p.Done
	}
	return fmt.Errorf("stopped Postgres without a last checkpoint; it will recover when it starts: %w", context.Cause(ctx))
}

// command prepares a Postgres program to run as the cluster's account.
func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/" // the current directory may be closed to the account
	cmd.Env = environment()
	cmd.SysProcAttr = childAttr(c.account)
	return cmd
}

// launchOn launches a Postgres program on the cluster files in dir, its output going to output.
//
// The account may not be allowed to pass through the directories above dir, such as /root. So where the
// system can, the program is handed dir opened, and never walks the path to it.
func (c *cluster) launchOn(dir string, output io.Writer, program string, args ...string) (*process, error) {
	cmd := c.command(program, "-D", dir)
	cmd.Stdout, cmd.Stderr = output, output
	if c.account.drop && handsOverDir {
		opened, err := os.Open(dir)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		cmd.ExtraFiles = []*os.File{opened}
		cmd.Args[len(cmd.Args)-1] = passedDir
	}
	cmd.Args = append(cmd.Args, args...)
	return launch(cmd)
}

// environment keeps what programs need to run, and leaves out Tributary's secrets and the variables that
// change what Postgres does. Its messages are in English, whatever the machine speaks.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// startServer starts the server and returns when it accepts connections. ctx bounds the wait.
func (c *cluster) startServer(ctx context.Context, p programs, socketDir string) (*process, error) {
	const attempts = 50
	for attempt := 1; ; attempt++ {
		proc, output, err := c.tryServer(ctx, p, socketDir)
		if err == nil {
			return proc, nil
		}
		// The children of a server that was killed take a moment to notice.
		if attempt == attempts || !strings.Contains(output, "is still in use") {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tryServer starts the server once. With an error comes what the server wrote into its log.
func (c *cluster) tryServer(ctx context.Context, p programs, socketDir string) (_ *process, output string, err error) {
	logFile, err := c.serverLog.open()
	if err != nil {
		return nil, "", fmt.Errorf("open the log of Postgres: %w", err)
	}
	defer logFile.Close()
	proc, err := c.launchOn(c.dir, logFile.File, p.path("postgres"), c.settings(socketDir)...)
	if err != nil {
		return nil, "", fmt.Errorf("start Postgres as %s: %w", c.account, err)
	}
	slow := time.NewTimer(5 * time.Second)
	defer slow.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if pid, err := readPIDFile(c.dir); err == nil && pid.ready && pid.pid == proc.Cmd.Process.Pid {
				c.log.Debug("Postgres is running", "version", p.version, "pid", pid.pid, "user", c.account.String())
				return proc, "", nil
			}
		case <-slow.C:
			c.log.Info("Postgres is still starting, as it does when it recovers from a crash", "log", c.serverLog.path)
		case <-proc.Done:
			output = logFile.tail()
			return nil, output, fmt.Errorf("start Postgres: it ended (%s); the end of its log %s:\n%s",
				proc.exit(), c.serverLog.path, output)
		case <-ctx.Done():
			// What the server has recovered so far is not lost: it goes on from there next time.
			_ = proc.shutdown(ctx)
			output = logFile.tail()
			return nil, output, fmt.Errorf("start Postgres: it was not ready in time: %w; the end of its log %s:\n%s",
				context.Cause(ctx), c.serverLog.path, output)
		}
	}
}
