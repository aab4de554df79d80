package review

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"caprun/internal/sanitize"
	"caprun/policy"
)

// Human prints findings as Details does, and a line with their numbers if there
// are any, suppressed or not.
func Human(w io.Writer, reports iter.Seq[Report], colour bool) error {
	var t Totals
	err := Details(w, func(yield func(Report) bool) {
		for r := range reports {
			t.Add(r)
			if !yield(r) {
				return
			}
		}
	}, colour)
	summary := t.String()
	if err != nil || summary == "" {
		return err
	}
	if t.FilesWithFindings > 0 {
		summary = "\n" + summary
	}
	_, err = io.WriteString(w, summary+"\n")
	return err
}

// Details prints each unsuppressed finding with its line of the profile, carets
// under the place, and the hint.
func Details(w io.Writer, reports iter.Seq[Report], colour bool) error {
	first := true
	for r := range reports {
		source := excerpts{source: r.Source}
		for _, f := range r.Findings {
			if f.Suppressed != nil {
				continue
			}
			var b strings.Builder
			if !first {
				b.WriteByte('\n')
			}
			first = false
			at := f.File
			if f.IsKnown() {
				at += ":" + f.Position.String()
			}
			fmt.Fprintf(&b, "%s: %s: %s [%s]\n", bold(sanitize.Line(at), colour), severity(f.Severity, colour), sanitize.Text(f.Message), sanitize.Text(f.Rule))
			source.print(&b, f.Position)
			if f.Hint != "" {
				fmt.Fprintf(&b, "  help: %s\n", sanitize.Text(f.Hint))
			}
			if _, err := io.WriteString(w, b.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

func bold(s string, colour bool) string { return paint(s, "1", colour) }

func severity(s policy.Severity, colour bool) string {
	code := "36;1"
	switch s {
	case policy.Error:
		code = "31;1"
	case policy.Warning:
		code = "33;1"
	}
	return paint(s.String(), code, colour)
}

func paint(s, code string, colour bool) string {
	if !colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
