package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
)

// capLetters are the columns of the table of capabilities, in the order of
// vectorsOf.
var capLetters = [...]string{"e", "p", "i", "b", "a"}

// vectorsOf returns in which sets of c capability n is.
func vectorsOf(c cred.Cred, n int) (in [len(capLetters)]bool) {
	for k, set := range [...]cred.Caps{c.Effective, c.Permitted, c.Inheritable, c.Bounding, c.Ambient} {
		in[k] = set.Has(n)
	}
	return in
}

// capRow is a row of the table: the capabilities that are in the same sets,
// before and after.
type capRow struct {
	before, after [len(capLetters)]bool
	caps          cred.Caps
}

// capRows returns the rows for all that the kernel has, in the order of
// their lowest capability.
func capRows(p *engine.Plan) []capRow {
	var rows []capRow
	for n := range 64 {
		if !p.Caller.All.Has(n) {
			continue
		}
		row := capRow{before: vectorsOf(p.Caller, n), after: vectorsOf(p.AfterExec, n)}
		at := slices.IndexFunc(rows, func(r capRow) bool { return r.before == row.before && r.after == row.after })
		if at < 0 {
			at = len(rows)
			rows = append(rows, row)
		}
		rows[at].caps = rows[at].caps.With(n)
	}
	return rows
}

// manyCaps is how many capabilities of a row are no longer named, if no row
// has more.
const manyCaps = 8

// capNames returns the names of each row, and moves the row that is "the
// other N" to the end.
func capNames(rows []capRow) ([]capRow, [][]string) {
	most := -1
	for n, r := range rows {
		if r.caps.Len() > manyCaps && (most < 0 || r.caps.Len() > rows[most].caps.Len()) {
			most = n
		}
	}
	rows = slices.Clone(rows)
	rest := ""
	if most >= 0 {
		row := rows[most]
		rest = fmt.Sprintf("the other %d", row.caps.Len())
		if len(rows) == 1 {
			rest = fmt.Sprintf("all %d", row.caps.Len())
		}
		rows = append(slices.Delete(rows, most, most+1), row)
	}
	names := make([][]string, len(rows))
	for n, r := range rows {
		if rest != "" && n == len(rows)-1 {
			names[n] = []string{rest}
			continue
		}
		names[n] = wrapList(r.caps.Join(), capWidth)
	}
	return rows, names
}

// capWidth is how wide the names of capabilities may be, and the legend is.
const capWidth = 48

// printCaps prints the table of capabilities by set, before and after.
func printCaps(w io.Writer, p *engine.Plan, colour bool) {
	line := func(mark, text, before, after string) string {
		return strings.TrimRight(fmt.Sprintf("  %s%-*s  %s    %s", mark, capWidth, text, before, after), " ")
	}
	letters := strings.Join(capLetters[:], " ")
	head := fmt.Sprintf("%-*s  %-*s    %s", capWidth+4, "Capabilities", len(letters), "before", "target")
	fmt.Fprintln(w, paint(colour, "1", head))
	fmt.Fprintln(w, line("  ", "effective permitted inheritable bounding ambient", letters, letters))
	rows, names := capNames(capRows(p))
	for n, r := range rows {
		mark := "  "
		if r.before != r.after {
			mark = "* "
		}
		for k, text := range names[n] {
			if k > 0 {
				fmt.Fprintln(w, line("  ", text, "", ""))
				continue
			}
			fmt.Fprintln(w, line(mark, text, setMarks(r.before, r.before, false), setMarks(r.before, r.after, colour)))
		}
	}
}

// setMarks prints a letter for each set that a capability is in. What came is
// green, what went red.
func setMarks(before, after [len(capLetters)]bool, colour bool) string {
	marks := make([]string, len(capLetters))
	for n, letter := range capLetters {
		switch {
		case after[n] && !before[n]:
			marks[n] = paint(colour, "1;32", letter)
		case after[n]:
			marks[n] = letter
		case before[n]:
			marks[n] = paint(colour, "31", "-")
		default:
			marks[n] = "-"
		}
	}
	return strings.Join(marks, " ")
}
