package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"caprun/internal/render"
	"caprun/internal/sanitize"
)

// maxName is the largest width of the column of the names. A longer name moves the other
// cells of its row.
const maxName = 64

// Table writes the report for a terminal: a row for each profile, with the names of its
// capabilities at the end.
func (r *Report) Table(w io.Writer, colour bool) error {
	var b bytes.Buffer
	s := r.Summary()
	b.WriteString(bold(s.String(), colour) + "\n")
	if r.options.Base != "" {
		fmt.Fprintf(&b, "compared with %s: %s\n", text(r.options.Base), s.changesText())
	}
	heading := r.cells(nil)
	lines := [][]string{heading}
	for _, row := range r.Rows() {
		lines = append(lines, r.cells(row))
	}
	widths := make([]int, len(heading))
	for _, line := range lines {
		for n, cell := range line {
			widths[n] = min(max(widths[n], utf8.RuneCountInString(cell)), maxName)
		}
	}
	if s.AmountsToRoot > 0 {
		b.WriteString("! marks a capability that amounts to root\n")
	}
	b.WriteString("\n")
	writeCells(&b, heading, widths)
	class := Power(-1)
	for n, row := range r.Rows() {
		if row.Power != class {
			class = row.Power
			b.WriteString(bold(powers[class].heading, colour) + "\n")
		}
		writeCells(&b, lines[n+1], widths)
	}
	r.notes(&b)
	if b.Len() > MaxSize {
		return ErrTooLarge
	}
	_, err := io.WriteString(w, sanitize.Lines(b.String()))
	return err
}

// bold returns text in bold if colour is set.
func bold(s string, colour bool) string {
	if !colour {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// cells returns the cells of a row; the headings for nil.
func (r *Report) cells(row *Row) []string {
	withBase := r.options.Base != ""
	if row == nil {
		list := []string{"PROFILE", "UID", "NNP", "LOCKS", "HAS", "PASSES ON", "LATER", "FINDINGS"}
		if withBase {
			list = append(list, "CHANGE")
		}
		return append(list, "CAPABILITIES")
	}
	list := []string{row.Name, "-", "-", "-", "-", "-", "-"}
	last := "no plan"
	switch {
	case row.HasPlan:
		nnp := "no"
		if row.NoNewPrivs {
			nnp = "yes"
		}
		list = []string{row.Name, row.User, nnp, row.locks(), number(row.Held.Len()), number(row.Children.Len()), number(row.Later.Len())}
		last = capsText(row.Held, row.RootEquivalent, "!")
		if row.CallerCaps && row.Held != 0 {
			last += " (of the caller)"
		}
	case row.removed:
		last = "removed"
	case row.Problem != "":
		last = "no plan: " + row.Problem
	}
	list = append(list, row.findings())
	if withBase {
		list = append(list, string(row.Change))
	}
	return append(list, last)
}

// writeCells writes a row with columns of these widths.
func writeCells(b *bytes.Buffer, cells []string, widths []int) {
	var line strings.Builder
	for n, cell := range cells {
		line.WriteString("  " + cell)
		line.WriteString(strings.Repeat(" ", max(0, widths[n]-utf8.RuneCountInString(cell))))
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// notes writes what changed since the base.
func (r *Report) notes(b *bytes.Buffer) {
	first := true
	for _, kind := range changeKinds {
		if kind == render.Unchanged {
			continue
		}
		for _, row := range r.Rows() {
			if row.Change != kind || row.Note == "" {
				continue
			}
			if first {
				b.WriteString("\nDifferences\n")
				first = false
			}
			fmt.Fprintf(b, "  %-14s  %s: %s\n", kind, row.Name, row.Note)
		}
	}
}
