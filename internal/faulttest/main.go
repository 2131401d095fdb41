// Command faulttest tortures Tributary: it runs real servers and a real Postgres with fsync on, lets writers
// record, refund and delete through every API, meanwhile kills, stops, cuts off and starves the processes, and
// after each fault compares what was acknowledged with what is there. `make torture` runs it for long, `.ci/run`
// for some minutes.
//
// All it decides follows from a seed, which it prints. What the processes make of it depends on the machine, so the
// same seed gives the same faults at the same times and not always the same outcome.
//
// It starts everything itself on loopback, with data in a directory of its own, and leaves nothing behind. It fails
// on what must never be, and when the service is not back in time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options say how long to torture what.
type options struct {
	seed     uint64
	duration time.Duration
	only     string
	race     bool
}

func main() {
	o := options{}
	flag.Uint64Var(&o.seed, "seed", 0, "what all that happens follows from; 0 picks one")
	flag.DurationVar(&o.duration, "duration", 3*time.Minute, "how long; every fault has its turn, even if that takes longer")
	flag.StringVar(&o.only, "only", "", "only the faults whose names contain one of these words, with commas between")
	flag.BoolVar(&o.race, "race", false, "run the servers with the race detector, which needs a C compiler")
	flag.Parse()
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "faulttest: with -seed %d: %v\n", o.seed, err)
		os.Exit(1)
	}
}

// errBroken ends a torture that found a broken promise.
var errBroken = errors.New("promises were broken, as shown above")

// run tortures until the time is over, and prints the figures.
func run(ctx context.Context, o options) error {
	faults, err := chosen(o.only)
	if err != nil {
		return err
	}
	progress("seed %d, %s", o.seed, o.duration)
	disk, err := newDisk(ctx)
	switch {
	case err == nil:
		defer disk.remove()
	case os.Getenv("CI") != "":
		return fmt.Errorf("make a disk that can be full: %w", err)
	default:
		progress("no disk is made full or broken: %v", err)
		disk = nil
		faults = slices.DeleteFunc(faults, func(f fault) bool { return f.needsDisk })
	}
	r, err := newRig(ctx, rigOptions{seed: o.seed, race: o.race, disk: disk})
	if err != nil {
		return err
	}
	defer r.close()
	rng := rand.New(rand.NewPCG(o.seed, 0))
	began := time.Now()
	for turn := 0; ctx.Err() == nil && (turn < len(faults) || time.Since(began) < o.duration); turn++ {
		if turn%len(faults) == 0 {
			rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		if err := r.round(ctx, faults[turn%len(faults)], rng); err != nil {
			return fmt.Errorf("round %d, %s: %w", turn+1, faults[turn%len(faults)].name, err)
		}
		if len(r.report.broken()) > 0 {
			break
		}
	}
	r.report.print(os.Stdout, time.Since(began))
	if broken := r.report.broken(); len(broken) > 0 {
		r.showLogs(os.Stderr)
		return errBroken
	}
	return ctx.Err()
}

// chosen are the faults whose names contain one of the words, or all.
func chosen(only string) ([]fault, error) {
	var some []fault
	for _, f := range allFaults() {
		for word := range strings.SplitSeq(only, ",") {
			if strings.Contains(f.name, word) {
				some = append(some, f)
				break
			}
		}
	}
	if len(some) == 0 {
		return nil, fmt.Errorf("no fault has a name with one of %q", only)
	}
	return some, nil
}

// progress tells the person who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
