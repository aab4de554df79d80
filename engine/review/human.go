package review

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"

	"caprun/policy"
)

// Human prints each finding that counts with the line that it is about, a
// caret under the place, and what to do.
func Human(w io.Writer, reports iter.Seq[Report], colour bool) error {
	first := true
	for r := range reports {
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
			fmt.Fprintf(&b, "%s: %s: %s [%s]\n", bold(clean(at), colour), severity(f.Severity, colour), clean(f.Message), f.Rule)
			excerpt(&b, f.Position, r.Source)
			if f.Hint != "" {
				fmt.Fprintf(&b, "  help: %s\n", clean(f.Hint))
			}
			if _, err := io.WriteString(w, b.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// excerpt prints a line of the source with a caret under each column at fault.
func excerpt(b *strings.Builder, at policy.Position, source []byte) {
	if !at.IsKnown() || source == nil {
		return
	}
	lines := bytes.Split(source, []byte("\n"))
	if at.Line > len(lines) {
		return
	}
	line := []rune(strings.TrimSuffix(string(lines[at.Line-1]), "\r"))
	const maxLine = 160
	if len(line) > maxLine || at.Column > len(line)+1 {
		return
	}
	end := len(line) + 1
	if at.EndLine == at.Line && at.EndColumn > at.Column {
		end = min(end, at.EndColumn)
	}
	number := fmt.Sprintf("%4d", at.Line)
	fmt.Fprintf(b, "%s | %s\n", number, clean(string(line)))
	fmt.Fprintf(b, "%s | %s%s\n", strings.Repeat(" ", len(number)), strings.Repeat(" ", at.Column-1), strings.Repeat("^", max(1, end-at.Column)))
}

func bold(s string, colour bool) string { return paint(s, "1", colour) }

func severity(s policy.Severity, colour bool) string {
	code := map[policy.Severity]string{policy.Error: "31;1", policy.Warning: "33;1", policy.Info: "36;1"}[s]
	return paint(s.String(), code, colour)
}

func paint(s, code string, colour bool) string {
	if !colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
