package postgres

import (
	"context"
	"errors"
	"time"
)

const (
	takeOverEvery = 250 * time.Millisecond // how often a process that shares a server looks whether its owner has gone
	limitLogEvery = time.Minute
	restartMax    = 5 * time.Second // longest pause between two attempts to start
)

// supervise starts the server again when it dies, and takes it over when its owner goes, until Stop.
func (s *Server) supervise() {
	defer close(s.finished)
	for s.ctx.Err() == nil {
		if s.proc == nil {
			s.watchOwner()
		} else {
			s.watchProcess()
		}
	}
}

// watchOwner waits for one interval, then tries to become the owner.
func (s *Server) watchOwner() {
	select {
	case <-s.ctx.Done():
		return
	case <-time.After(takeOverEvery):
	}
	if held, err := s.lock.try(s.cluster.cfg.Exclusive); err != nil || !held {
		return
	}
	s.cluster.log.Info("the process that ran Postgres has ended; running it here")
	s.restart()
}

// watchProcess waits for the server to die and starts it again; meanwhile it keeps the log short.
func (s *Server) watchProcess() {
	select {
	case <-s.ctx.Done():
	case <-time.After(limitLogEvery):
		if err := s.cluster.serverLog.limit(); err != nil {
			s.cluster.log.Warn("could not shorten the log of Postgres", "error", err)
		}
	case <-s.proc.Done:
		s.cluster.log.Error("Postgres has ended; starting it again",
			"exit", s.proc.exit(), "log", s.cluster.serverLog.path)
		s.restart()
	}
}

// restart tries until the server runs or Stop is called: what keeps it from starting, such as a full disk,
// may pass.
func (s *Server) restart() {
	for pause := 100 * time.Millisecond; s.ctx.Err() == nil; pause = min(2*pause, restartMax) {
		err := s.own(s.ctx)
		if err == nil {
			s.cluster.log.Info("Postgres is running again")
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		s.cluster.log.Error("could not start Postgres again; trying further", "error", err)
		select {
		case <-s.ctx.Done():
		case <-time.After(pause):
		}
	}
}

// own starts a server as a child of this process, which holds the lock, and prepares its database.
func (s *Server) own(ctx context.Context) error {
	s.proc = nil
	c := s.cluster
	if err := c.stopOrphan(ctx); err != nil {
		return err
	}
	programs, err := c.prepare(ctx)
	if err != nil {
		return err
	}
	if err := s.placeSocket(); err != nil {
		return err
	}
	proc, err := c.startServer(ctx, programs, s.socketDir)
	if err != nil {
		return err
	}
	if err := s.prepareDatabase(ctx); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return errors.Join(err, proc.shutdown(stopCtx))
	}
	s.proc = proc
	return nil
}

// placeSocket chooses the socket's directory once, so that the URL stays the same, and creates it if needed.
func (s *Server) placeSocket() (err error) {
	if s.socketDir == "" {
		s.socketDir, err = s.cluster.chooseSocketDir()
	}
	if err == nil && s.socketDir != s.cluster.dir {
		err = s.cluster.ensurePrivateDir(s.socketDir)
	}
	if err == nil {
		err = removeSocketLock(s.socketDir)
	}
	return err
}

// prepareDatabase creates role and database where they are missing, and checks that commits are durable.
func (s *Server) prepareDatabase(ctx context.Context) error {
	if err := createDatabase(ctx, s.AdminURL()); err != nil {
		return err
	}
	return s.check(ctx)
}

// check makes sure that the server answers, and that its commits are durable unless the configuration says
// otherwise.
func (s *Server) check(ctx context.Context) error {
	err := CheckDurability(ctx, s.URL())
	if errors.Is(err, ErrNotDurable) && s.cluster.settingsAreUnsafe() {
		return nil
	}
	return err
}
