package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table prints one line per launcher, and the ratios that have a target.
func table(w io.Writer, rows []*row) error {
	find := func(name string) *row {
		return rows[slices.IndexFunc(rows, func(r *row) bool { return r.name == name })]
	}
	base, peer := find(direct), find(onlyExecs)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "median µs\tminimum µs\tCPU µs\tto direct\tto Go exec\t  launcher")
	for _, r := range rows {
		if r.note != "" {
			fmt.Fprintf(out, "-\t-\t-\t-\t-\t  %s: %s\n", r.name, r.note)
			continue
		}
		m := median(r.wall)
		fmt.Fprintf(out, "%d\t%d\t%d\t%.2f\t%.2f\t  %s\n", m.Microseconds(), slices.Min(r.wall).Microseconds(),
			median(r.cpu).Microseconds(), ratio(m, median(base.wall)), ratio(m, median(peer.wall)), r.name)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, c := range []struct {
		row, peer string
		target    float64
	}{{withFile, onlyExecs, target}, {sealed, stub, stubTarget}, {sealed, setpriv, setprivTarget}} {
		if err := compare(w, find(c.row), find(c.peer), c.target); err != nil {
			return err
		}
	}
	return nil
}

// compare prints how long one launcher takes, compared with another.
func compare(w io.Writer, r, peer *row, target float64) error {
	if r.note != "" || peer.note != "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: %.2f times as long as %s (of the minima: %.2f; of the CPU time: %.2f). Target: at most %.2f.\n",
		r.name, ratio(median(r.wall), median(peer.wall)), peer.name,
		ratio(slices.Min(r.wall), slices.Min(peer.wall)), ratio(median(r.cpu), median(peer.cpu)), target)
	return err
}

// ratio returns a/b, and 0 without a measurement.
func ratio(a, b time.Duration) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
