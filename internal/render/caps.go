package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
)

// capLetters are the columns of the table of capabilities: the sets, in the order of
// setsWith.
var capLetters = [...]string{"e", "p", "i", "b", "a"}

// setsWith reports which sets of c have capability n.
func setsWith(c cred.Cred, n int) (in [len(capLetters)]bool) {
	for k, set := range [...]cred.Caps{c.Effective, c.Permitted, c.Inheritable, c.Bounding, c.Ambient} {
		in[k] = set.Has(n)
	}
	return in
}

// capRow is a row of the table: the capabilities that are in the same sets of the
// caller, and in the same sets of the target.
type capRow struct {
	caller, target [len(capLetters)]bool
	caps           cred.Caps
}

// capRows returns the rows for all capabilities of the kernel, in the order of the
// lowest capability of each.
func capRows(p *engine.Plan) []capRow {
	var rows []capRow
	for n := range 64 {
		if !p.Caller.All.Has(n) {
			continue
		}
		row := capRow{caller: setsWith(p.Caller, n), target: setsWith(p.AfterExec, n)}
		at := slices.IndexFunc(rows, func(r capRow) bool { return r.caller == row.caller && r.target == row.target })
		if at < 0 {
			at = len(rows)
			rows = append(rows, row)
		}
		rows[at].caps = rows[at].caps.With(n)
	}
	return rows
}

// manyCaps bounds the capabilities that the largest row names. A larger one is
// "the other N".
const manyCaps = 8

// capNames returns the names of each row, broken into lines, and moves the row
// "the other N" to the end.
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

// capWidth is the width of the column with the names of capabilities, and of the
// legend above it.
const capWidth = 48

// printCaps prints the table of capabilities: the sets of the caller and of the
// target that have each.
func printCaps(w io.Writer, p *engine.Plan, colour bool) {
	line := func(mark, text, caller, target string) string {
		return strings.TrimRight(fmt.Sprintf("  %s%-*s  %s    %s", mark, capWidth, text, caller, target), " ")
	}
	letters := strings.Join(capLetters[:], " ")
	head := fmt.Sprintf("%-*s  %-*s    %s", capWidth+4, "Capabilities", len(letters), "caller", "target")
	fmt.Fprintln(w, paint(colour, "1", head))
	fmt.Fprintln(w, line("  ", "effective permitted inheritable bounding ambient", letters, letters))
	rows, names := capNames(capRows(p))
	for n, r := range rows {
		mark := "  "
		if r.caller != r.target {
			mark = "* "
		}
		for k, text := range names[n] {
			if k > 0 {
				fmt.Fprintln(w, line("  ", text, "", ""))
				continue
			}
			fmt.Fprintln(w, line(mark, text, setMarks(r.caller, r.caller, false), setMarks(r.caller, r.target, colour)))
		}
	}
}

// setMarks returns a letter for each set that has a capability after a change:
// green if it was added, a red dash if it was removed.
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
