package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is all that was measured.
type report struct {
	machine  []string
	options  options
	taken    time.Time
	sections []section
}

// section is a part of the report.
type section struct {
	title    string
	intro    string // says what was compared with what
	rows     []row
	readings []reading
	notes    []string
}

// write writes the report, to the standard output if there is no path.
func (r report) write(path string) error {
	var out strings.Builder
	fmt.Fprintf(&out, `# Benchmarks

Measured on %s by `+"`make bench SCALES=%s`"+`, %d rounds, loads of %d seconds. What is compared ran in turns on
the same machine and the same Postgres, which other work may have slowed: the ratios count. Figures are medians, with
the least and the greatest round; a ratio is the median of the rounds' ratios. Why some targets are missed says
[0034](adr/0034-targets-that-are-missed.md).

`, r.taken.Format(time.DateOnly), r.options.scales.String(), r.options.rounds, r.options.seconds)
	for _, line := range r.machine {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	for _, part := range r.sections {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n", part.title, part.intro)
		writeRows(&out, part.rows)
		writeReadings(&out, part.readings, r.options.scales.names())
		if len(part.notes) > 0 {
			fmt.Fprintf(&out, "\n- %s\n", strings.Join(part.notes, "\n- "))
		}
	}
	fmt.Fprintf(&out, `
## The commands

[internal/bench](../internal/bench) starts the server and runs all of this, with the requests and statements in its
folder `+"`scripts`"+`:

`+"```"+`
wrk -t1 -c64 -d%[1]ds --timeout 20s -s payment.lua URL
pgbench --no-vacuum --protocol prepared --file bare_insert.sql --client N --jobs 2 --time %[1]d tributary
`+"```\n", r.options.seconds)
	if path == "" {
		fmt.Print(out.String())
		return nil
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// machine describes what the figures were measured on.
func (b *bench) machine(ctx context.Context) []string {
	lines := []string{fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	var version string
	if err := b.db.QueryRow(ctx, "SELECT split_part(version(), ' on ', 1)").Scan(&version); err == nil {
		lines = append(lines, version+", fsync and synchronous_commit on")
	}
	if out, err := exec.Command("uname", "-sr").Output(); err == nil {
		lines = append(lines, strings.TrimSpace(string(out)))
	}
	if out, err := exec.Command("uptime").Output(); err == nil {
		if _, load, found := strings.Cut(string(out), "load average"); found {
			lines = append(lines, "load average before the measurements"+strings.TrimPrefix(strings.TrimSpace(load), "s"))
		}
	}
	return append(lines, fmt.Sprintf("%d websites with payments of two years, up to %s visitors each", websites, scaleName(visitors)))
}
