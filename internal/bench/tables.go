package main

import (
	"fmt"
	"io"
	"strings"
)

// writeRows writes a table of measurements, without what is compared if nothing is.
func writeRows(out io.Writer, rows []row) {
	if len(rows) == 0 {
		return
	}
	if rows[0].base == "" {
		writeTable(out, "measure", "measured", "target", "met")
		for _, r := range rows {
			writeLine(out, r.name, spread(r.values)+" "+r.unit, r.target.text(r.unit), r.target.mark(r.values))
		}
		return
	}
	writeTable(out, "measure", "ratio", "target", "met", "measured", "compared with", "measured")
	for _, r := range rows {
		results := ratios(r.values, r.baseValues)
		writeLine(out, r.name, spread(results), r.target.text(""), r.target.mark(results), spread(r.values)+" "+r.unit, r.base, spread(r.baseValues)+" "+r.unit)
	}
}

// writeReadings writes a table of the questions with a target, and one of the others.
func writeReadings(out io.Writer, readings []reading, scales []string) {
	if len(readings) == 0 {
		return
	}
	var over, times []string
	for i, scale := range scales {
		times = append(times, scale+", ms")
		if i > 0 {
			over = append(over, scale+" over "+scales[0])
		}
	}
	writeTable(out, append(append(append([]string{"question"}, over...), "target", "met"), times...)...)
	for _, r := range readings {
		if r.aim != (target{}) {
			writeLine(out, append(append(append([]string{r.name}, r.ratios()...), r.aim.text(""), r.mark()), r.spreads()...)...)
		}
	}
	writeTable(out, append(append([]string{"without a target"}, over...), times...)...)
	for _, r := range readings {
		if r.aim == (target{}) {
			writeLine(out, append(append([]string{r.name}, r.ratios()...), r.spreads()...)...)
		}
	}
}

func writeTable(out io.Writer, columns ...string) {
	fmt.Fprintln(out)
	writeLine(out, columns...)
	fmt.Fprintln(out, strings.Repeat("|---", len(columns))+"|")
}

func writeLine(out io.Writer, cells ...string) {
	fmt.Fprintln(out, "| "+strings.Join(cells, " | ")+" |")
}
