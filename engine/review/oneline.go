package review

import (
	"io"
	"iter"

	"caprun/internal/sanitize"
)

// Oneline prints each unsuppressed finding on one line: path:line:col: severity:
// message [rule].
func Oneline(w io.Writer, reports iter.Seq[Report]) error {
	for r := range reports {
		for _, f := range r.Findings {
			if f.Suppressed != nil {
				continue
			}
			if _, err := io.WriteString(w, sanitize.Line(f.String())+"\n"); err != nil {
				return err
			}
		}
	}
	return nil
}
