package main

import (
	"fmt"
	"slices"
	"strings"
)

// scales are numbers of payments, in rising order. As a flag they are their names, with commas.
type scales []int

// scaleNames are the scales that can be asked for.
var scaleNames = map[string]int{"1k": 1000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}

// String implements flag.Value.
func (s *scales) String() string { return strings.Join(s.names(), ",") }

// Set implements flag.Value.
func (s *scales) Set(text string) error {
	*s = nil
	for name := range strings.SplitSeq(text, ",") {
		payments, ok := scaleNames[name]
		if !ok {
			return fmt.Errorf("a scale is one of 1k, 10k, 100k, 1m and 10m")
		}
		*s = append(*s, payments)
	}
	slices.Sort(*s)
	return nil
}

func (s *scales) names() []string {
	var names []string
	for _, payments := range *s {
		names = append(names, scaleName(payments))
	}
	return names
}

// greatest is the last of the scales.
func (s *scales) greatest() int { return (*s)[len(*s)-1] }

func scaleName(payments int) string {
	for name, n := range scaleNames {
		if n == payments {
			return name
		}
	}
	return fmt.Sprint(payments)
}
