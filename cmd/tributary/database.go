package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tributary/db"
	"tributary/internal/postgres"
)

// reachTime bounds how long a database that the operator named may take to answer.
const reachTime = 10 * time.Second

// remember is for how long a server may not notice that a token was revoked, a website or the limit of an
// account changed.
const remember = 500 * time.Millisecond

// untilNoticed waits until every server has noticed what was changed, so that the command tells the truth
// when it says that the change holds.
func untilNoticed(ctx context.Context) { wait(ctx, remember) }

// database is an open database with this program's schema.
type database struct {
	*db.Store
	applied []string         // the migrations that opening it ran
	local   *postgres.Server // nil if the operator named a database
}

// openFor says who opens a database.
type openFor int

const (
	forCommand openFor = iota // other processes wait rather than share a local server that is about to stop
	forServer                 // the database must not lose what it acknowledged
	forUnsafeServer
)

// open starts or joins the local Postgres, unless the operator named a database, and migrates it.
func (a *app) open(ctx context.Context, user openFor) (*database, error) {
	d := &database{}
	url := a.DatabaseURL
	if url == "" {
		var err error
		config := postgres.Config{DataDir: string(a.DataDir), Exclusive: user == forCommand, Logger: a.log}
		if d.local, err = postgres.Start(ctx, config); err != nil {
			return nil, err
		}
		url = d.local.URL()
	}
	if err := a.prepare(ctx, d, url, user); err != nil {
		return nil, errors.Join(err, d.close(ctx))
	}
	return d, nil
}

func (a *app) prepare(ctx context.Context, d *database, url string, user openFor) (err error) {
	var opts db.Options
	if user != forCommand {
		opts.Remember = remember
	}
	if d.Store, err = db.Open(url, opts); err != nil {
		return err
	}
	if d.local == nil {
		if err := a.checkGiven(ctx, url, user); err != nil {
			return err
		}
	}
	d.applied, err = db.Migrate(ctx, url, func(pending []string) {
		a.log.Info("migrating the database: with millions of visits and payments that takes minutes, and if it is interrupted nothing has changed", "migrations", pending)
	})
	if len(d.applied) > 0 {
		a.log.Info("migrated the database", "migrations", d.applied)
	}
	return err
}

// checkGiven checks that a database that the operator named answers and keeps what it commits. The
// local server has been checked when it was started.
func (a *app) checkGiven(ctx context.Context, url string, user openFor) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	err := postgres.CheckDurability(ctx, url)
	switch {
	case !errors.Is(err, postgres.ErrNotDurable):
		return err
	case user == forServer:
		return fmt.Errorf("%w; if its storage keeps commits all the same, start with --allow-unsafe-database", err)
	case user == forUnsafeServer:
		a.log.Warn("starting all the same, as --allow-unsafe-database says", "error", err)
	}
	return nil
}

// close ends the connections, and the local Postgres if it is this process' own. If ctx ends first,
// Postgres is stopped at once; it loses nothing by that.
func (d *database) close(ctx context.Context) error {
	var err error
	if d.Store != nil {
		err = d.Store.Close()
	}
	if d.local != nil {
		err = errors.Join(err, d.local.Stop(ctx))
	}
	return err
}

// withStore does the work of a short command on the migrated database.
func (a *app) withStore(ctx context.Context, do func(store *db.Store) error) error {
	d, err := a.open(ctx, forCommand)
	if err != nil {
		return err
	}
	return errors.Join(do(d.Store), d.close(context.WithoutCancel(ctx)))
}
