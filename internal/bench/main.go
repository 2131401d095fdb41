// Command bench measures Tributary on the machine it runs on, and pgbench doing comparable work on the same
// Postgres in turns with it. Since machines differ and are rarely idle, it reports ratios first. `make bench`
// runs it and writes docs/BENCHMARKS.md.
//
// It needs wrk and Postgres' programs, and starts a server of its own on loopback with data in a directory
// that it makes. It fails on errors, such as an answer that is not a success, and never on a time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options say what is measured, and for how long.
type options struct {
	binary  string
	dir     string
	scales  scales
	rounds  int
	seconds int
	out     string
}

// scales are numbers of payments.
type scales []int

// scaleNames are the scales that can be asked for.
var scaleNames = map[string]int{"10k": 10_000, "100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}

// String implements flag.Value.
func (s *scales) String() string {
	var names []string
	for _, payments := range *s {
		names = append(names, scaleName(payments))
	}
	return strings.Join(names, ",")
}

// Set implements flag.Value.
func (s *scales) Set(text string) error {
	*s = nil
	for name := range strings.SplitSeq(text, ",") {
		payments, ok := scaleNames[name]
		if !ok {
			return fmt.Errorf("a scale is one of 10k, 100k, 1m and 10m")
		}
		*s = append(*s, payments)
	}
	slices.Sort(*s)
	return nil
}

func scaleName(payments int) string {
	for name, n := range scaleNames {
		if n == payments {
			return name
		}
	}
	return fmt.Sprint(payments)
}

func main() {
	o := options{scales: scales{100_000, 1_000_000}}
	flag.StringVar(&o.binary, "binary", "bin/tributary", "the program to measure")
	flag.StringVar(&o.dir, "dir", "", "directory for the data, which is kept and used again; by default a new one that is removed")
	flag.Var(&o.scales, "scales", "how many payments the measured websites have: of 10k, 100k, 1m, 10m")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each measurement is made")
	flag.IntVar(&o.seconds, "seconds", 6, "how long each load lasts")
	flag.StringVar(&o.out, "out", "", "file to write the report to; by default the standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything and writes the report.
func run(ctx context.Context, o options) error {
	b, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.load(ctx); err != nil {
		return fmt.Errorf("load the data: %w", err)
	}
	report := report{machine: b.machine(ctx), options: o, taken: time.Now()}
	// Reads come first, since what is written would be among what they read.
	for _, measure := range []func(context.Context) ([]row, error){b.reads, b.writes, b.memory} {
		rows, err := measure(ctx)
		if err != nil {
			return err
		}
		report.rows = append(report.rows, rows...)
	}
	rows, err := slowDisk(ctx, o)
	if err != nil {
		return fmt.Errorf("on a slow disk: %w", err)
	}
	report.rows = append(report.rows, rows...)
	return report.write(o.out)
}

// progress tells the person who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
