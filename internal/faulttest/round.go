package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// fault is something bad that happens while the writers work. When it returns, what it did is undone, and all that
// it killed is started again.
type fault struct {
	name string
	do   func(ctx context.Context, r *rig, rng *rand.Rand) error
	back time.Duration // until every server must record again; 0 means backMax
	// needsDisk says that it needs a disk that can be full.
	needsDisk bool
}

const (
	// before and after are how long the writers work before and after a fault.
	before = 500 * time.Millisecond
	after  = 500 * time.Millisecond
	// maxEntries is of how many entries writers keep a journal: then they begin with other websites.
	maxEntries = 60_000
)

// round has a fault happen while the writers work, and then checks everything.
func (r *rig) round(ctx context.Context, f fault, rng *rand.Rand) error {
	began, clock := r.report.soFar(), time.Now()
	var took []string
	lap := func(what string) {
		took = append(took, fmt.Sprintf("%s %.1fs", what, time.Since(clock).Seconds()))
		clock = time.Now()
	}
	stop := r.work(ctx)
	time.Sleep(before)
	err := f.do(ctx, r, rng)
	ended := time.Now()
	if err == nil {
		err = r.recover(ctx, ended, cmp.Or(f.back, backMax))
	}
	time.Sleep(after)
	stop()
	if err != nil {
		return err
	}
	r.countCuts()
	r.checkProcesses()
	if err := r.checkLogs(); err != nil {
		return err
	}
	lap("worked")
	if err := r.settle(ctx); err != nil {
		return err
	}
	lap("settled")
	if err := r.check(ctx); err != nil {
		return err
	}
	r.checkFiles()
	lap("checked")
	r.report.count(func(f *figures) { f.rounds++ })
	now := r.report.soFar()
	progress("%-34s kills %d, cuts %d, acknowledged %d, unknown %d; %s; broken: %v", f.name, now.kills-began.kills, now.cuts-began.cuts,
		now.acknowledged-began.acknowledged, now.unknown-began.unknown, strings.Join(took, ", "), r.report.broken())
	return r.retire(ctx)
}

// countCuts notes how many connections the networks have cut.
func (r *rig) countCuts() {
	cuts := r.back.cutSoFar()
	for _, s := range r.servers {
		cuts += s.front.cutSoFar()
	}
	r.report.count(func(f *figures) { f.cuts = cuts })
}

// retired is a website that is not written to any more, and what it has.
type retired struct {
	site   *site
	totals totals
}

// retire has the writers begin anew when their journals have become large.
func (r *rig) retire(ctx context.Context) error {
	n := 0
	for _, w := range r.writers {
		n += len(w.entries)
	}
	if n < maxEntries {
		return nil
	}
	for _, s := range r.sites {
		r.retired = append(r.retired, retired{s, r.known(s).totals})
	}
	return r.newSites(ctx)
}

// checkRetired compares the totals of the websites that are not written to any more.
func (r *rig) checkRetired(ctx context.Context, conn *pgx.Conn) error {
	for _, old := range r.retired {
		there, err := sums(ctx, conn, old.site.ID)
		if err != nil {
			return fmt.Errorf("add up the payments of %s: %w", old.site.Domain, err)
		}
		if there != old.totals {
			r.report.breach(wrong, "the payments of %s add up to %+v, and were %+v", old.site.Domain, there, old.totals)
		}
	}
	return nil
}
