package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// row is a measurement, in turns with what it is compared with if there is any.
type row struct {
	name       string
	unit       string
	values     []float64 // of each round
	base       string
	baseValues []float64
	target     target // of the ratios; of the values if there is no base
}

// ratios are those of each round.
func ratios(values, bases []float64) []float64 {
	all := make([]float64, len(values))
	for i := range values {
		all[i] = values[i] / bases[i]
	}
	return all
}

// target is what the median has to be, at least or at most; the zero value is none.
type target struct {
	sign  string
	limit float64
}

func atLeast(limit float64) target { return target{"≥", limit} }
func atMost(limit float64) target  { return target{"≤", limit} }

// text is the target with its unit, if it has one.
func (t target) text(unit string) string {
	if t.sign == "" {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(t.sign, " ", t.limit, " ", unit))
}

// mark says whether the target is met.
func (t target) mark(results []float64) string {
	switch reached := median(results); {
	case t.sign == "":
		return ""
	case t.sign == "≥" && reached >= t.limit, t.sign == "≤" && reached <= t.limit:
		return "yes"
	}
	return "**no**"
}

// spread is the median, with the least and the greatest value.
func spread(values []float64) string {
	if len(values) == 1 {
		return figure(values[0])
	}
	return fmt.Sprintf("%s (%s to %s)", figure(median(values)), figure(slices.Min(values)), figure(slices.Max(values)))
}

// figure has two digits after the point if it is small, and none if it is large.
func figure(v float64) string {
	switch {
	case math.IsInf(v, 0), math.IsNaN(v):
		return "too long"
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
