package review

import (
	"bytes"
	"fmt"
	"strings"

	"caprun/internal/sanitize"
	"caprun/policy"
)

// A printed line fits on a terminal. Of a longer line, maxBefore cells before the
// place are printed.
const (
	maxExcerpt = 160 // cells
	maxBefore  = 50
	cut        = "..."
)

// excerpts print lines of one source. They prepare a line once for all its findings.
type excerpts struct {
	source []byte
	lines  [][]byte
	number int    // of the prepared line
	line   []rune // the prepared line
	cells  int    // its width
}

// print prints a line with a caret under each cell of the position, up to the end
// of the line if the position ends on a later one.
func (e *excerpts) print(b *strings.Builder, at policy.Position) {
	if !at.IsKnown() || e.source == nil {
		return
	}
	if e.lines == nil {
		e.lines = bytes.Split(e.source, []byte("\n"))
	}
	if at.Line > len(e.lines) {
		return
	}
	if at.Line != e.number {
		e.number = at.Line
		e.line = []rune(sanitize.Text(string(bytes.TrimSuffix(e.lines[at.Line-1], []byte("\r")))))
		e.cells = cells(e.line)
	}
	from := at.Column - 1
	if from < 0 || from > len(e.line) {
		return
	}
	to := len(e.line)
	if at.EndLine == at.Line && at.EndColumn > at.Column {
		to = min(to, at.EndColumn-1)
	}
	start, end := e.window(from)
	to = min(to, end)
	before, after := "", ""
	if start > 0 {
		before = cut
	}
	if end < len(e.line) {
		after = cut
	}
	number := fmt.Sprintf("%4d", at.Line)
	fmt.Fprintf(b, "%s | %s%s%s\n", number, before, string(e.line[start:end]), after)
	fmt.Fprintf(b, "%s | %s%s\n", strings.Repeat(" ", len(number)),
		strings.Repeat(" ", len(before)+cells(e.line[start:from])),
		strings.Repeat("^", max(1, cells(e.line[from:to]))))
}

// window returns the part of the line to print, which includes from.
func (e *excerpts) window(from int) (start, end int) {
	if e.cells <= maxExcerpt {
		return 0, len(e.line)
	}
	start = from
	for room := maxBefore; start > 0; start-- {
		if room -= width(e.line[start-1]); room < 0 {
			break
		}
	}
	// Do not separate a combining mark from its character.
	for start > 0 && start < from && width(e.line[start]) == 0 {
		start++
	}
	end = start
	for room := maxExcerpt - 2*len(cut); end < len(e.line); end++ {
		if room -= width(e.line[end]); room < 0 {
			break
		}
	}
	return start, end
}

func cells(line []rune) int {
	n := 0
	for _, r := range line {
		n += width(r)
	}
	return n
}
