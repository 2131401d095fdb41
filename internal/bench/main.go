// Command bench measures Tributary on the machine it runs on, and pgbench doing comparable work on the same
// Postgres in turns with it. Since machines differ and are rarely idle, it reports ratios first. `make bench`
// runs it and writes docs/BENCHMARKS.md.
//
// It needs wrk and Postgres' programs, and starts a server of its own on loopback with data in a directory
// that it makes. It fails on errors, such as an answer that is not a success or rollups that are wrong, and never
// on a time.
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed scripts
var scripts embed.FS

// options say what is measured, and for how long.
type options struct {
	binary  string
	dir     string
	scales  scales
	rounds  int
	seconds int
	out     string
}

func main() {
	o := options{scales: scales{100_000, 1_000_000}}
	flag.StringVar(&o.binary, "binary", "bin/tributary", "the program to measure")
	flag.StringVar(&o.dir, "dir", "", "directory for the data, which is kept and used again; by default a new one that is removed")
	flag.Var(&o.scales, "scales", "how many payments the websites have that are read: of 1k, 10k, 100k, 1m, 10m")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each measurement is made")
	flag.IntVar(&o.seconds, "seconds", 6, "how long each load lasts")
	flag.StringVar(&o.out, "out", "", "file to write the report to; by default the standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
	r := report{machine: b.machine(ctx), options: o, taken: time.Now()}
	// Nothing is written while it is read, and what is written is deleted in the end.
	var reading, writing, deleting, running section
	for _, part := range []struct {
		section *section
		measure func(context.Context) (section, error)
	}{{&reading, b.reads}, {&writing, b.writes}, {&deleting, b.deletes}, {&running, b.operation}} {
		if *part.section, err = part.measure(ctx); err != nil {
			return err
		}
	}
	r.sections = []section{writing, reading, deleting, running}
	return r.write(o.out)
}

// progress tells the person who waits what is being done.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
