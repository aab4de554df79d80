package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"caprun/internal/render"
	"caprun/internal/sanitize"
)

// maxName is the largest width of the column of the names. A longer name moves the other
// cells of its row.
const maxName = 64

// Table writes the report as text: a row for each profile, with the names of its
// capabilities at the end. width is that of the terminal, 0 for none: if a row is longer, the
// names of all rows are on indented lines of their own. colour is for a terminal.
func (r *Report) Table(w io.Writer, width int, colour bool) error {
	var b bytes.Buffer
	s := r.Summary()
	b.WriteString(bold(strings.Join(fill(s.String(), width), "\n"), colour) + "\n")
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
	l := layout{widths: widths}
	if slices.ContainsFunc(lines, func(cells []string) bool { return l.length(cells) > width }) && width > 0 {
		l.narrow(heading, width)
	}
	l.write(&b, heading)
	class := Power(-1)
	for n, row := range r.Rows() {
		if row.Power != class {
			class = row.Power
			b.WriteString(bold(powers[class].heading, colour) + "\n")
		}
		l.write(&b, lines[n+1])
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
		if row.launches != "" {
			last += " (of caprun, which starts the program with profile " + row.launchText + ")"
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

// A layout says how a row is written.
type layout struct {
	widths []int // of the columns

	// line is the length of a line on a terminal that is too narrow for the table: a name
	// that is too long for its column and the cells from below on are on lines of their own.
	// It is 0 for a table with one line for each row.
	line, below int
}

const (
	gap      = 2  // spaces before a cell
	minWidth = 40 // the smallest width of a terminal that a table considers
)

// narrow fits the columns into a terminal. The change and the capabilities are below them.
func (l *layout) narrow(heading []string, width int) {
	l.line, l.below = max(width, minWidth), slices.Index(heading, "FINDINGS")+1
	rest := gap
	for _, n := range l.widths[1:l.below] {
		rest += gap + n
	}
	l.widths[0] = max(len(heading[0]), min(l.widths[0], l.line-rest))
}

// length returns the length of a row with one line.
func (l *layout) length(cells []string) (n int) {
	for i, cell := range cells {
		count := utf8.RuneCountInString(cell)
		if i < len(cells)-1 {
			count = max(count, l.widths[i])
		}
		n += gap + count
	}
	return n
}

// write writes a row.
func (l *layout) write(b *bytes.Buffer, cells []string) {
	var below []string
	if l.line > 0 {
		below, cells = cells[l.below:], slices.Clone(cells[:l.below])
		if utf8.RuneCountInString(cells[0]) > l.widths[0] {
			b.WriteString("  " + cells[0] + "\n")
			cells[0] = ""
		}
	}
	var line strings.Builder
	for n, cell := range cells {
		line.WriteString("  " + cell)
		line.WriteString(strings.Repeat(" ", max(0, l.widths[n]-utf8.RuneCountInString(cell))))
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	const indent = "      "
	for _, cell := range below {
		for _, part := range fill(cell, l.line-len(indent)) {
			b.WriteString(indent + part + "\n")
		}
	}
}

// fill breaks text at spaces into lines of at most width characters, where words allow it.
// With a width of 0 or less there is one line; empty text has none.
func fill(text string, width int) []string {
	if width <= 0 && text != "" {
		return []string{text}
	}
	var lines []string
	line, n := "", 0
	for word := range strings.FieldsSeq(text) {
		count := utf8.RuneCountInString(word)
		if line != "" && n+1+count > width {
			lines = append(lines, line)
			line, n = "", 0
		}
		if line != "" {
			line, n = line+" ", n+1
		}
		line, n = line+word, n+count
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
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
