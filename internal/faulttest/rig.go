package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	serversEach = 2  // servers on the one database
	writersEach = 16 // writers, half of them to each of two websites
)

// rigOptions say what a rig is made of.
type rigOptions struct {
	seed     uint64
	race     bool
	binary   string            // of the server; "" builds one
	settings map[string]string // of Postgres
	disk     *disk             // of Postgres, or nil for that of the machine
}

// rig is what a torture works on: a Postgres, servers, the networks between them and their clients, and these.
type rig struct {
	dir      string
	binary   string
	cluster  *cluster
	disk     *disk // nil if it is that of the machine
	database string
	back     *proxy // between servers and Postgres
	servers  []*server
	client   *client
	report   *report
	seed     uint64
	sites    []*site
	retired  []retired
	writers  []*writer
	probe    *writer // that finds out when the service is back
	stage    int     // how often writers began with new websites
	quietMax time.Duration

	oldSchema []string // of the old database, once that is made
}

// newRig starts everything. What it has started, it stops if it fails.
func newRig(ctx context.Context, o rigOptions) (r *rig, err error) {
	r = &rig{seed: o.seed, binary: o.binary, disk: o.disk, database: "tributary", report: &report{}, quietMax: quietMax}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "tributary-faults-"); err != nil {
		return nil, err
	}
	if r.binary == "" {
		progress("building the server")
		if r.binary, err = build(ctx, r.dir, o.race); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(r.dir, "data")
	var programs []string
	if o.disk != nil {
		programs = []string{o.disk.programs}
	}
	if r.cluster, err = startCluster(ctx, data, o.settings, programs); err != nil {
		return nil, err
	}
	if r.back, err = newProxy(r.random(1), r.cluster.dial, commits); err != nil {
		return nil, err
	}
	if err := command(ctx, r.binary, r.url(), nil, "migrate"); err != nil {
		return nil, err
	}
	for i := range serversEach {
		if err := r.addServer(ctx, i); err != nil {
			return nil, err
		}
	}
	return r, r.newSites(ctx)
}

// random is chance that follows from the seed, another for each number.
func (r *rig) random(n uint64) *rand.Rand { return rand.New(rand.NewPCG(r.seed, n)) }

func (r *rig) url() string { return databaseURL(r.back, r.database) }

func (r *rig) addServer(ctx context.Context, i int) (err error) {
	s := &server{name: fmt.Sprintf("server %d", i+1), binary: r.binary, url: r.url(), env: []string{"GORACE=halt_on_error=1"},
		clock: filepath.Join(r.dir, fmt.Sprintf("clock-%d", i+1))}
	if s.log, err = os.Create(filepath.Join(r.dir, fmt.Sprintf("server-%d.log", i+1))); err != nil {
		return err
	}
	if s.front, err = newProxy(r.random(uint64(2+i)), s.dial, anything); err != nil {
		return err
	}
	r.servers = append(r.servers, s)
	return s.start(ctx)
}

// newSites makes two websites and writers to them, which know nothing yet.
func (r *rig) newSites(ctx context.Context) error {
	r.sites, r.writers, r.client = nil, nil, newClient(r.report)
	r.stage++
	for i := range 2 {
		s := &site{}
		if err := command(ctx, r.binary, r.url(), s, "website", "create", "--domain", fmt.Sprintf("shop%d-%d.example", i+1, r.stage)); err != nil {
			return err
		}
		r.sites = append(r.sites, s)
	}
	for i := range writersEach + 1 {
		r.writers = append(r.writers, &writer{
			journal: newJournal(r.sites[i%2]), n: i / 2, rng: r.random(uint64(100*r.stage + i)),
			client: r.client, report: r.report, servers: r.servers,
		})
	}
	r.probe = r.writers[writersEach]
	return nil
}

// close stops everything and removes what is left.
func (r *rig) close() {
	for _, s := range r.servers {
		s.kill()
		s.front.close()
		_ = s.log.Close()
	}
	if r.back != nil {
		r.back.close()
	}
	if r.cluster != nil {
		r.cluster.stop()
	}
	if r.dir != "" {
		_ = os.RemoveAll(r.dir)
	}
}

// work has all writers work until it is told to stop, and then waits for them.
func (r *rig) work(ctx context.Context) (stop func()) {
	var stopped atomic.Bool
	var work sync.WaitGroup
	for _, w := range r.writers[:writersEach] {
		work.Go(func() { w.work(ctx, stopped.Load) })
	}
	return func() {
		stopped.Store(true)
		work.Wait()
	}
}

// Bounds of what follows a fault.
const (
	backMax  = 20 * time.Second // until every server records again
	lostBack = 40 * time.Second // the same when connections are lost without a word: what waits on one has 30 s
	quietMax = 45 * time.Second // until nothing is under way in the database: more than the time that a transaction has
	knownMax = 90 * time.Second // until the writers know what became of all that they did

	watchEvery = 5 * time.Second // while that takes long
)

// recover waits until all servers record again, and notes how long that took since the fault had ended.
func (r *rig) recover(ctx context.Context, ended time.Time, most time.Duration) error {
	for _, s := range r.servers {
		e := r.probe.newEntry()
		r.probe.add(e)
		a := &recording{entries: []*entry{e}, servers: []*server{s}}
		for isFirst := true; !a.try(ctx, r.probe, isFirst); isFirst = false {
			if time.Since(ended) > 3*most || ctx.Err() != nil {
				return fmt.Errorf("%s does not record again", s.name)
			}
			time.Sleep(20 * time.Millisecond)
		}
		took := time.Since(ended)
		r.report.count(func(f *figures) { f.back = max(f.back, took) })
		if took > most {
			r.report.breach(late, "%s recorded again after %s", s.name, took)
		}
	}
	return nil
}

// settle has the writers find out what became of all that they did, once nothing is under way any more.
func (r *rig) settle(ctx context.Context) error {
	if err := r.quiet(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, knownMax)
	defer cancel()
	settled, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go r.watch(settled)
	var work sync.WaitGroup
	var late atomic.Bool
	for _, w := range r.writers {
		work.Go(func() {
			if !w.settle(ctx) {
				late.Store(true)
			}
		})
	}
	work.Wait()
	if late.Load() {
		return errors.New("the servers do not say what became of what was sent")
	}
	return r.quiet(ctx)
}

// watch shows now and then what the database is at, until the context ends: of use when something takes too long.
func (r *rig) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
		conn, err := r.cluster.connect(ctx, r.database)
		if err != nil {
			continue
		}
		var busy []string
		if err := conn.QueryRow(ctx, busyQuery).Scan(&busy); err == nil {
			progress("still settling; the database is at %s", strings.Join(busy, "; "))
		}
		_ = conn.Close(context.WithoutCancel(ctx))
	}
}

// busyQuery asks for what the connections of the servers do, and for how long.
const busyQuery = `SELECT coalesce(array_agg(state || ' for ' || age(clock_timestamp(), state_change) || ': ' || left(query, 300)), '{}')
	FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tributary' AND state <> 'idle'`

// quiet waits until no connection of the servers does anything, as their pools have it when nobody asks.
func (r *rig) quiet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.quietMax)
	defer cancel()
	conn, err := r.cluster.connect(ctx, r.database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	const enough = 4
	var busy []string
	for times := 0; times < enough; {
		if err := conn.QueryRow(ctx, busyQuery).Scan(&busy); err != nil {
			return fmt.Errorf("connections do not come to rest: %w: %s", err, strings.Join(busy, "; "))
		}
		if times++; len(busy) > 0 {
			times = 0
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// showLogs shows the ends of the logs.
func (r *rig) showLogs(out io.Writer) {
	logs, _ := filepath.Glob(filepath.Join(r.dir, "*.log")) // fails for malformed patterns only
	for _, path := range append(logs, filepath.Join(r.dir, "data", "postgres.log")) {
		text, _ := os.ReadFile(path)
		const end = 6000
		fmt.Fprintf(out, "\n== the end of %s\n%s\n", filepath.Base(path), text[max(0, len(text)-end):])
	}
}
