package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// table prints one line per program, and whether the target is met.
func table(w io.Writer, rows []*row, files int) error {
	base := rows[0]
	if base.note != "" {
		return fmt.Errorf("%s: %s", base.name, base.note)
	}
	perSecond := func(d time.Duration) float64 { return float64(files) / d.Seconds() }
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "files/s\tbest\tCPU µs/file\tCPU to caprun\ttime to caprun\tpeak MiB\t  program")
	for _, r := range rows {
		if r.note != "" {
			fmt.Fprintf(out, "-\t-\t-\t-\t-\t-\t  %s: %s\n", r.name, r.note)
			continue
		}
		wall, cpu := median(r.wall), median(r.cpu)
		fmt.Fprintf(out, "%.0f\t%.0f\t%.0f\t%.2f\t%.2f\t%.0f\t  %s\n", perSecond(wall), perSecond(slices.Min(r.wall)),
			float64(cpu.Microseconds())/float64(files), float64(cpu)/float64(median(base.cpu)),
			float64(wall)/float64(median(base.wall)), mebibytes(r.memory), r.name)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s: %.0f files per second, %.0f at best; from its CPU time, two idle processors would reach %.0f. Target: %d.\n",
		base.name, perSecond(median(base.wall)), perSecond(slices.Min(base.wall)), 2*perSecond(slices.Min(base.cpu)), target)
	return err
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// tableOfMemory prints the peak of caprun check for increasing numbers of files.
func tableOfMemory(w io.Writer, dir, caprun string) error {
	fmt.Fprintln(w)
	for _, files := range [...]int{1_000, 10_000, 100_000} {
		tree := filepath.Join(dir, fmt.Sprint("memory-", files))
		if _, err := generate(tree, files); err != nil {
			return err
		}
		wall, _, memory, err := once([]string{caprun, "check", "-format", "oneline", tree}, 1)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%7d files: %3.0f MiB at most, %.2f s\n", files, mebibytes(memory), wall.Seconds()); err != nil {
			return err
		}
		if err := os.RemoveAll(tree); err != nil {
			return err
		}
	}
	return nil
}
