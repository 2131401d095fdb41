package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"tributary/internal/preload"
)

// The transactions of pgbench, each of which records one payment.
const (
	bareInsert = "bare_insert.sql" // alone
	sameWork   = "same_work.sql"   // with the rollups that Tributary keeps of it
)

// The figures that pgbench prints.
const (
	tps     = "tps"
	latency = "latency average"
)

// scriptNames are for people.
var scriptNames = map[string]string{bareInsert: "bare insert", sameWork: "insert and the same rollups"}

// clientCounts are the numbers of clients of which pgbench gets its best.
var clientCounts = []int{4, 8, 16, 32, 64}

// bestClients finds out with how many clients pgbench does most, and says what it found.
func (b *bench) bestClients(ctx context.Context, s *site, script string) (clients int, found string, err error) {
	var tried []string
	var most float64
	for _, n := range clientCounts {
		progress("pgbench, %s, %d clients", script, n)
		rate, err := b.pgbench(ctx, s, script, n, tps)
		if err != nil {
			return 0, "", err
		}
		tried = append(tried, fmt.Sprintf("%d: %s", n, figure(rate)))
		if rate > most {
			clients, most = n, rate
		}
	}
	return clients, strings.Join(tried, ", "), nil
}

// pgbenchTurn is how many payments a second pgbench records.
func (b *bench) pgbenchTurn(ctx context.Context, s *site, script string, clients int) turn {
	return turn{fmt.Sprintf("pgbench, %s, %d clients", scriptNames[script], clients), func() (float64, error) {
		return b.pgbench(ctx, s, script, clients, tps)
	}}
}

// pgbench records payments, one a transaction, and answers one of the figures that it prints.
func (b *bench) pgbench(ctx context.Context, s *site, script string, clients int, figure string) (float64, error) {
	program, err := preload.Find("pgbench")
	if err != nil {
		return 0, err
	}
	path, err := b.script("pgbench/" + script)
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, program, "--host", b.socket(), "--username", "tributary", "--no-vacuum",
		"--protocol", "prepared", "--define", "website="+s.ID, "--file", path, "--client", strconv.Itoa(clients), "--jobs", strconv.Itoa(min(clients, 2)),
		"--time", strconv.Itoa(b.seconds), "tributary").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w: %s", err, out)
	}
	if failed := regexp.MustCompile(`number of failed transactions: [1-9]`).Find(out); failed != nil {
		return 0, fmt.Errorf("pgbench: %s", out)
	}
	found := regexp.MustCompile(regexp.QuoteMeta(figure) + ` = ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench did not print its %s: %s", figure, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// forgetBare deletes what bare inserts have left, which is not in the rollups.
func (b *bench) forgetBare(ctx context.Context, s *site) error {
	_, err := b.db.Exec(ctx, "DELETE FROM payments WHERE website_id = $1 AND transaction_id BETWEEN 'bare-' AND 'bare.'", s.ID)
	return err
}
