package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// breach is a promise that was broken.
type breach struct {
	kind breachKind
	text string
}

type breachKind string

const (
	lost    breachKind = "lost"    // acknowledged, and not there
	doubled breachKind = "doubled" // there, or counted, more than once
	wrong   breachKind = "wrong"   // anything else that must never be
	late    breachKind = "late"    // the service was not back in time
)

// figures are how much was done.
type figures struct {
	rounds, acknowledged, refused, unknown, retried int
	erased                                          int // people
	kills, stops, cuts                              int
	checked                                         int // entries compared with the ledger, over all rounds
	back                                            time.Duration
}

// report is what came of a torture. It is safe for concurrent use.
type report struct {
	mu       sync.Mutex
	figures  figures
	breaches []breach
}

// breach notes a broken promise.
func (r *report) breach(kind breachKind, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.breaches = append(r.breaches, breach{kind, fmt.Sprintf(format, args...)})
}

// count changes the figures.
func (r *report) count(change func(f *figures)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.figures)
}

// soFar are the figures.
func (r *report) soFar() figures {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.figures
}

// broken is how often promises of each kind were broken.
func (r *report) broken() map[breachKind]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[breachKind]int{}
	for _, b := range r.breaches {
		counts[b.kind]++
	}
	return counts
}

// maxShown is how many breaches are shown.
const maxShown = 10

// print writes what came of it.
func (r *report) print(out io.Writer, took time.Duration) {
	counts := r.broken()
	f := r.soFar()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.breaches[:min(maxShown, len(r.breaches))] {
		fmt.Fprintf(out, "%s: %s\n", b.kind, b.text)
	}
	if more := len(r.breaches) - maxShown; more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	fmt.Fprintf(out, "%d rounds in %s: %d kills, %d stops, %d connections cut\n", f.rounds, took.Round(time.Second), f.kills, f.stops, f.cuts)
	fmt.Fprintf(out, "acknowledged %d, refused %d, unknown %d, sent again %d, people erased %d; %d entries compared\n",
		f.acknowledged, f.refused, f.unknown, f.retried, f.erased, f.checked)
	fmt.Fprintf(out, "lost %d, doubled %d, wrong %d; the service was back after %s at most, late %d times\n",
		counts[lost], counts[doubled], counts[wrong], f.back.Round(time.Millisecond), counts[late])
}
