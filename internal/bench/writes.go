package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

//go:embed scripts
var scripts embed.FS

// load is a load of wrk on the server.
type load struct {
	script      string
	connections int
	perRequest  float64 // items that a request has
}

// loaded is what wrk has measured.
type loaded struct {
	Requests float64 // a second
	P50      float64 // ms
	P99      float64
	Failed   int // answers that are no success, and requests without an answer
}

// writes measures recording, in turns with pgbench.
func (b *bench) writes(ctx context.Context) ([]row, error) {
	s := b.sites[len(b.sites)-1]
	bare := func(clients int) func() (float64, error) {
		return func() (float64, error) { return b.pgbench(ctx, s, clients, "tps") }
	}
	rate := func(l load) func() (float64, error) {
		return func() (float64, error) {
			measured, err := b.wrk(ctx, s, l)
			return measured.Requests * max(1, l.perRequest), err
		}
	}
	one := func() (float64, error) {
		measured, err := b.wrk(ctx, s, load{script: "payment.lua", connections: 1})
		return measured.P50, err
	}
	base := func(clients int) turn {
		return turn{fmt.Sprintf("pgbench, bare insert, %d clients", clients), bare(clients)}
	}
	rest := func(connections int) turn {
		return turn{fmt.Sprintf("POST /api/v1/payments, %d connections", connections), rate(load{script: "payment.lua", connections: connections})}
	}
	var rows []row
	for _, pair := range []struct {
		ours, base turn
		unit       string
		target     string
	}{
		{rest(64), base(32), "payments/s", "≥ 1.0"},
		{rest(256), base(32), "payments/s", "≥ 1.25"},
		{turn{"one connection, median latency", one}, turn{"pgbench, bare insert, 1 client", func() (float64, error) { return b.pgbench(ctx, s, 1, "latency average") }}, "ms", "≤ 2.5"},
		{turn{"POST /api/events, pageviews, 64 connections", rate(load{script: "event.lua", connections: 64})}, rest(64), "events/s", ""},
		{turn{"recordPayment by GraphQL, 64 connections", rate(load{script: "graphql.lua", connections: 64})}, rest(64), "payments/s", "≥ 0.6"},
		{turn{"recordPayments of 1,000, 4 connections", rate(load{script: "batch.lua", connections: 4, perRequest: 1000})}, rest(64), "payments/s", "≥ 1.5"},
	} {
		r, err := b.compare(pair.ours, pair.base, pair.unit, pair.target)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// turn is one side of a comparison.
type turn struct {
	name    string
	measure func() (float64, error)
}

// compare measures two sides in turns.
func (b *bench) compare(ours, base turn, unit, target string) (row, error) {
	r := row{name: ours.name, base: base.name, unit: unit, target: target}
	for round := range b.rounds {
		progress("%s against %s (%d of %d)", ours.name, base.name, round+1, b.rounds)
		value, err := ours.measure()
		if err != nil {
			return r, fmt.Errorf("%s: %w", ours.name, err)
		}
		r.values = append(r.values, value)
		if value, err = base.measure(); err != nil {
			return r, fmt.Errorf("%s: %w", base.name, err)
		}
		r.baseValues = append(r.baseValues, value)
	}
	return r, nil
}

// wrk puts a load on the server. An answer that is no success is an error.
func (b *bench) wrk(ctx context.Context, s site, l load) (loaded, error) {
	program, err := find("wrk")
	if err != nil {
		return loaded{}, err
	}
	script, err := b.script(l.script)
	if err != nil {
		return loaded{}, err
	}
	cmd := exec.CommandContext(ctx, program, "-t1", "-c", strconv.Itoa(l.connections), "-d", strconv.Itoa(b.seconds)+"s",
		"--timeout", "20s", "-s", script, b.url)
	cmd.Env = append(os.Environ(), "KEY="+s.Key, "TRACKING_ID="+s.TrackingID, "DOMAIN="+s.Domain)
	out, err := cmd.Output()
	if err != nil {
		return loaded{}, fmt.Errorf("wrk: %w", err)
	}
	var measured loaded
	if err := json.Unmarshal(out[strings.LastIndex(string(out), "{"):], &measured); err != nil {
		return loaded{}, fmt.Errorf("wrk answered what cannot be read: %w", err)
	}
	if measured.Failed > 0 {
		return measured, fmt.Errorf("%d requests failed", measured.Failed)
	}
	return measured, nil
}

// script writes an embedded script, joined with what all have in common, to where wrk can read it.
func (b *bench) script(name string) (string, error) {
	var text []byte
	for _, part := range []string{"common.lua", name} {
		content, err := scripts.ReadFile("scripts/" + part)
		if err != nil {
			return "", err
		}
		text = append(text, content...)
	}
	path := filepath.Join(b.dir, name)
	return path, os.WriteFile(path, text, 0o600)
}

// pgbench inserts payments, one a transaction, and answers one of the figures that pgbench prints.
func (b *bench) pgbench(ctx context.Context, s site, clients int, figure string) (float64, error) {
	program, err := find("pgbench")
	if err != nil {
		return 0, err
	}
	statement, err := scripts.ReadFile("scripts/insert.sql")
	if err != nil {
		return 0, err
	}
	path := filepath.Join(b.dir, "insert.sql")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(statement), ":website", "'"+s.ID+"'")), 0o600); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, program, "--host", b.socket(), "--username", "tributary", "--no-vacuum",
		"--protocol", "prepared", "--file", path, "--client", strconv.Itoa(clients), "--jobs", strconv.Itoa(min(clients, 2)),
		"--time", strconv.Itoa(b.seconds), "tributary").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(figure) + ` = ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench did not print its %s: %s", figure, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
