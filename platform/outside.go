package platform

import (
	"bytes"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// An Outside is what a profile does not have of a file: a finding, or a declaration that
// it cannot express. Two of them are the same if both fields are equal.
type Outside struct {
	Message string

	// Declaration is the text of the declaration without comments, in one line: the
	// message does not have all of it.
	Declaration string
}

// Outside returns what the profile of a process does not have. findings are those about the
// file.
func (in Input) Outside(d *declared.Document, findings []policy.Diagnostic) []Outside {
	var list []Outside
	add := func(f policy.Diagnostic, whole bool) {
		list = append(list, Outside{f.Message, in.declaration(f, whole)})
	}
	for _, f := range findings {
		add(f, f.Rule == declared.Rules()[declared.UnknownKind].Name)
	}
	for _, f := range d.Findings {
		if f.Rule == declared.Rules()[declared.StartsCaprun].Name {
			list = append(list, Outside{Message: f.Message}) // the arguments of the program do not matter
			continue
		}
		add(f, false)
	}
	for _, f := range Losses(d) {
		add(f, true)
	}
	return list
}

// declaration returns the text at the position of a finding: its lines, and if whole is set
// those that belong to it.
func (in Input) declaration(f policy.Diagnostic, whole bool) string {
	for _, file := range in.files() {
		if file.Name != f.File || !f.IsKnown() {
			continue
		}
		lines := bytes.SplitAfter(file.Text, []byte("\n"))
		if f.Line > len(lines) {
			return ""
		}
		lines = lines[f.Line-1:]
		count := max(1, f.EndLine-f.Line+1)
		if whole {
			count = max(count, in.Kind.length(lines))
		}
		return in.Kind.oneLine(lines[:min(count, len(lines))])
	}
	return ""
}

// length returns the number of lines that belong to the first one: of a unit those that
// continue it, of YAML those that are indented more, and of JSON those up to the bracket
// that closes what the line opens.
func (k Kind) length(lines [][]byte) int {
	switch {
	case k == Systemd || k == CommandLine:
		for n, line := range lines {
			if k == Systemd && n > 0 && k.withoutComment(line) == nil {
				continue // a comment between the lines of a declaration
			}
			if !bytes.HasSuffix(bytes.TrimRight(line, "\r\n"), []byte(`\`)) {
				return n + 1
			}
		}
		return len(lines)
	case k == OCI:
		return bracketed(lines)
	}
	return max(k.indented(lines), bracketed(lines))
}

// indented returns the number of the first line and those after it that are indented more,
// or are empty.
func (k Kind) indented(lines [][]byte) int {
	indent := func(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }
	// The items of a list can be indented as its key.
	first := indent(lines[0])
	key := bytes.HasSuffix(bytes.TrimSpace(k.withoutComment(lines[0])), []byte(":"))
	for n, line := range lines[1:] {
		text := bytes.TrimSpace(line)
		if len(text) == 0 || indent(line) > first || key && indent(line) == first && text[0] == '-' {
			continue
		}
		return n + 1
	}
	return len(lines)
}

// bracketed returns the number of lines up to the one in which every bracket that the first
// line opens is closed. Brackets in strings count, too: then there are more lines.
func bracketed(lines [][]byte) int {
	depth := 0
	for n, line := range lines {
		for _, b := range line {
			switch b {
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
		}
		if depth <= 0 {
			return n + 1
		}
	}
	return len(lines)
}

// oneLine returns lines without comments, with one space between words.
func (k Kind) oneLine(lines [][]byte) string {
	var words []string
	for _, line := range lines {
		words = append(words, strings.Fields(string(k.withoutComment(line)))...)
	}
	return strings.Join(words, " ")
}

// withoutComment returns a line without a comment. In YAML, a comment can follow a value: it
// begins after white space, outside of quotes.
func (k Kind) withoutComment(line []byte) []byte {
	if text := bytes.TrimLeft(line, " \t"); len(text) > 0 && (text[0] == '#' || text[0] == ';' && k == Systemd) {
		return nil
	}
	if k != Kubernetes && k != Compose {
		return line
	}
	quotes := 0
	for n, b := range line {
		switch {
		case b == '"' || b == '\'':
			quotes++
		case b == '#' && quotes == 0 && n > 0 && (line[n-1] == ' ' || line[n-1] == '\t'):
			return line[:n]
		}
	}
	return line
}

// Normal returns the text of the file and of those read with it without lines that are
// comments or empty, to tell whether anything else changed. It begins with the kind, and so
// is never empty.
func (in Input) Normal() string {
	var b strings.Builder
	b.WriteString(in.Kind.String() + "\n")
	for _, f := range in.files() {
		for line := range bytes.Lines(f.Text) {
			if text := bytes.TrimRight(in.Kind.withoutComment(line), " \t\r\n"); len(text) > 0 {
				b.Write(text)
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}
