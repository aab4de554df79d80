package main

import (
	"bufio"
	"cmp"
	"io"
	"iter"

	"caprun/engine/review"
)

// checkPrinter returns what prints the findings of check in a format, and
// false if there is no such format.
func checkPrinter(format string, colour bool) (func(io.Writer, iter.Seq[review.Report]) error, bool) {
	var print func(io.Writer, iter.Seq[review.Report]) error
	switch format {
	case "human":
		print = func(w io.Writer, reports iter.Seq[review.Report]) error { return review.Human(w, reports, colour) }
	case "oneline":
		print = review.Oneline
	case "json":
		print = review.JSON
	case "sarif":
		print = func(w io.Writer, reports iter.Seq[review.Report]) error { return review.SARIF(w, reports, Version) }
	case "github":
		print = review.GitHub
	default:
		return nil, false
	}
	return func(w io.Writer, reports iter.Seq[review.Report]) error {
		b := bufio.NewWriter(w)
		return cmp.Or(print(b, reports), b.Flush())
	}, true
}
