package main

import (
	"bufio"
	"cmp"
	"io"
	"iter"

	"caprun/engine/review"
)

// findingPrinter prints the findings of check.
type findingPrinter func(w io.Writer, reports iter.Seq[review.Report], colour bool) error

// findingFormats returns the output formats of check.
func findingFormats() []choice[findingPrinter] {
	plain := func(print func(io.Writer, iter.Seq[review.Report]) error) findingPrinter {
		return func(w io.Writer, reports iter.Seq[review.Report], _ bool) error { return print(w, reports) }
	}
	sarif := func(w io.Writer, reports iter.Seq[review.Report]) error { return review.SARIF(w, reports, Version) }
	return []choice[findingPrinter]{
		{"human", review.Human},
		{"oneline", plain(review.Oneline)},
		{"json", plain(review.JSON)},
		{"sarif", plain(sarif)},
		{"github", plain(review.GitHub)},
	}
}

// printFindings returns a printer that buffers its output.
func printFindings(print findingPrinter, colour bool) func(io.Writer, iter.Seq[review.Report]) error {
	return func(w io.Writer, reports iter.Seq[review.Report]) error {
		b := bufio.NewWriter(w)
		return cmp.Or(print(b, reports, colour), b.Flush())
	}
}
