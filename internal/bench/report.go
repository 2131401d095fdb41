package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is a measurement, in turns with its base if it has one.
type row struct {
	name       string
	scale      int // the payments of the website, if it matters
	unit       string
	values     []float64 // of each round
	base       string
	baseValues []float64
	target     string
}

// report is all that was measured.
type report struct {
	machine []string
	options options
	taken   time.Time
	rows    []row
}

// ratio is the median of the rounds' ratios, and how far they are apart; "" without a base.
func (r row) ratio() string {
	if r.base == "" {
		return ""
	}
	ratios := make([]float64, len(r.values))
	for i := range r.values {
		ratios[i] = r.values[i] / r.baseValues[i]
	}
	return spread(ratios)
}

// spread is the median, with the least and the greatest value.
func spread(values []float64) string {
	if len(values) == 1 {
		return figure(values[0])
	}
	return fmt.Sprintf("%s (%s to %s)", figure(median(values)), figure(slices.Min(values)), figure(slices.Max(values)))
}

// figure has two significant digits after the point of small values, and none of large ones.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// write writes the report, to the standard output if there is no path.
func (r report) write(path string) error {
	var out strings.Builder
	fmt.Fprintf(&out, "# Benchmarks\n\nMeasured by `make bench` on %s, %d rounds of %d seconds. The ratio is what counts: both sides ran in turns on the\n"+
		"same machine, which other work may have slowed. Values are medians, with the least and the greatest round.\n\n", r.taken.Format(time.DateOnly), r.options.rounds, r.options.seconds)
	for _, line := range r.machine {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	fmt.Fprint(&out, "\n| measure | ratio | target | measured | against | measured |\n|---|---|---|---|---|---|\n")
	for _, row := range r.rows {
		name := row.name
		if row.scale > 0 {
			name += ", " + scaleName(row.scale) + " payments"
		}
		base := ""
		if row.base != "" {
			base = spread(row.baseValues) + " " + row.unit
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s %s | %s | %s |\n", name, row.ratio(), row.target, spread(row.values), row.unit, row.base, base)
	}
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
	return lines
}
