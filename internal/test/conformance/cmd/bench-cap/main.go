// Bench-cap measures package cap and the package whose API it offers, and prints a
// table of medians. An argument is a regular expression that selects the rows.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"text/tabwriter"
	"time"

	"caprun/internal/test/conformance/pair"
)

func main() {
	rounds := flag.Int("rounds", 31, "number of measurements of each row")
	batch := flag.Duration("batch", 5*time.Millisecond, "approximate duration of one measurement")
	flag.Parse()
	rows, err := regexp.Compile(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ours\tupstream\tratio\t  of\t")
	for _, p := range pair.All() {
		if !rows.MatchString(p.Name) {
			continue
		}
		r, err := compare(p, *rounds, *batch)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", p.Name, err)
			os.Exit(1)
		}
		fmt.Fprintf(w, "%v\t%v\t%.2f\t  %s\t\n", r.ours, r.theirs, r.ratio, p.Name)
	}
	w.Flush()
}

type result struct {
	ours, theirs time.Duration
	ratio        float64
}

// compare measures both sides in turns, so that other load affects both alike. The
// ratio is the median of the ratios of each turn.
func compare(p pair.Pair, rounds int, batch time.Duration) (result, error) {
	if p.Prepare != nil {
		undo, err := p.Prepare()
		if err != nil {
			return result{}, err
		}
		defer undo()
	}
	n := 1
	for {
		took, err := timed(p.Theirs, n)
		if err != nil {
			return result{}, err
		}
		if took >= batch || n >= 1<<24 {
			break
		}
		n *= 2
	}
	var ours, theirs []time.Duration
	var ratios []float64
	for round := range rounds {
		first, second := p.Theirs, p.Ours
		if round%2 == 1 {
			first, second = second, first
		}
		u, err := timed(first, n)
		if err != nil {
			return result{}, err
		}
		o, err := timed(second, n)
		if err != nil {
			return result{}, err
		}
		if round%2 == 1 {
			u, o = o, u
		}
		ours, theirs = append(ours, o/time.Duration(n)), append(theirs, u/time.Duration(n))
		ratios = append(ratios, float64(u)/float64(o))
	}
	slices.Sort(ratios)
	slices.Sort(ours)
	slices.Sort(theirs)
	return result{ours[rounds/2], theirs[rounds/2], ratios[rounds/2]}, nil
}

func timed(work func() error, n int) (time.Duration, error) {
	start := time.Now()
	for range n {
		if err := work(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}
