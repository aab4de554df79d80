package review

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"caprun/policy"
)

// Oneline prints each finding on a line: path:line:col: severity: message [rule].
func Oneline(w io.Writer, findings []policy.Diagnostic) error {
	for _, d := range findings {
		if _, err := fmt.Fprintln(w, clean(d.String())); err != nil {
			return err
		}
	}
	return nil
}

// Human prints each finding with the line that it is about, a caret under the
// place, and what to do. source returns the text of a file, nil when it has
// none.
func Human(w io.Writer, findings []policy.Diagnostic, source func(file string) []byte, colour bool) error {
	for n, d := range findings {
		var b strings.Builder
		if n > 0 {
			b.WriteByte('\n')
		}
		at := d.File
		if d.IsKnown() {
			at += ":" + d.Position.String()
		}
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", bold(clean(at), colour), severity(d.Severity, colour), clean(d.Message), d.Rule)
		excerpt(&b, d.Position, source(d.File))
		if d.Hint != "" {
			fmt.Fprintf(&b, "  help: %s\n", clean(d.Hint))
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
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

// clean replaces what a terminal could take for a command: control characters
// and the marks that reorder text. Each becomes one character, so that columns
// stay where they are.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
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
