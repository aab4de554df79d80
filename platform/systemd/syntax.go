package systemd

import (
	"strings"
	"unicode/utf8"

	"caprun/platform/declared"
	"caprun/policy"
)

// maxAssignments is the largest number of assignments in one file. The longest unit of
// Debian has fewer than a hundred.
const maxAssignments = 4096

// An assignment is a line KEY=VALUE, which can be continued on more lines.
type assignment struct {
	file, section, key, value string

	keyAt policy.Position
	parts []part // of the value, at least one
	order int    // among all assignments of the unit

	whole *declared.Source // what source returned
}

// A part is the part of a value that is on one line.
type part struct {
	offset       int // in the value
	line, column int
}

// position returns the position of length bytes of the value from an offset on. Both must
// be within the value, at borders of characters.
func (a *assignment) position(offset, length int) policy.Position {
	line, column := a.place(offset)
	endLine, endColumn := line, column
	if length > 0 {
		// The end of the last character, which can be on another line than the next one.
		_, size := utf8.DecodeLastRuneInString(a.value[:offset+length])
		endLine, endColumn = a.place(offset + length - size)
		endColumn++
	}
	return policy.Position{Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
}

func (a *assignment) place(offset int) (line, column int) {
	p := a.parts[0]
	for _, next := range a.parts[1:] {
		if next.offset > offset {
			break
		}
		p = next
	}
	return p.line, p.column + utf8.RuneCountInString(a.value[min(p.offset, offset):offset])
}

// source returns the whole assignment.
func (a *assignment) source() declared.Source {
	if a.whole != nil {
		return *a.whole // the position of a long value takes time
	}
	at := a.keyAt
	if end := a.position(0, len(a.value)); len(a.value) > 0 {
		at.EndLine, at.EndColumn = end.EndLine, end.EndColumn
	}
	a.whole = &declared.Source{File: a.file, Position: at, Text: clip(clip(a.key) + "=" + clip(a.shown()))}
	return *a.whole
}

// shown returns the value without what is secret.
func (a *assignment) shown() string {
	if a.key == "SetCredential" || a.key == "SetCredentialEncrypted" {
		name, _, _ := strings.Cut(a.value, ":")
		return name + ":..."
	}
	return a.value
}

// word returns length bytes of the value as a source.
func (a *assignment) word(offset, length int) declared.Source {
	s := a.source()
	s.Position = a.position(offset, length)
	return s
}

// keySource is source with the position of the key only.
func (a *assignment) keySource() declared.Source {
	s := a.source()
	s.Position = a.keyAt
	return s
}

// maxShown is the largest length of text of a unit in a message, in bytes.
const maxShown = 100

// clip shortens text for messages.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// white are the characters that systemd strips: WHITESPACE without line breaks.
const white = " \t"

// parser reads the lines of a file, as config_parse does.
type parser struct {
	file    declared.File
	found   *findings
	section string
	known   bool // whether the section has a name of systemd
	list    []assignment

	logical strings.Builder // of a continued line
	parts   []part
}

// parse returns the assignments of a file in sections that a service can have. ok is false
// if systemd or this package cannot read the file.
func parse(file declared.File, found *findings) (list []assignment, ok bool) {
	p := parser{file: file, found: found}
	text := string(file.Text)
	if !p.checkText(text) {
		return nil, false
	}
	text = strings.TrimPrefix(text, "\ufeff")
	for n := 1; text != ""; n++ {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if !p.line(strings.TrimSuffix(line, "\r"), n) {
			return nil, false
		}
	}
	// A backslash at the end of the file continues nothing.
	return p.list, p.flush()
}

// checkText refuses what is not text: a NUL, or a carriage return without a line feed, ends a line for
// systemd, but not for an editor.
func (p *parser) checkText(text string) bool {
	line := 1
	start := 0
	fail := func(offset int, message string) bool {
		at := policy.Position{Line: line, Column: utf8.RuneCountInString(text[start:offset]) + 1}
		at.EndLine, at.EndColumn = at.Line, at.Column+1
		p.found.add(declared.Syntax, declared.Source{File: p.file.Name, Position: at}, "", "%s", message)
		return false
	}
	if err := p.file.Check(); err != nil {
		return fail(0, err.Error())
	}
	for n := 0; n < len(text); {
		switch r, size := utf8.DecodeRuneInString(text[n:]); {
		case r == utf8.RuneError && size == 1:
			return fail(n, "the file is not UTF-8")
		case r == 0:
			return fail(n, "the file has a NUL byte")
		case r == '\r' && !strings.HasPrefix(text[n:], "\r\n"):
			return fail(n, "the file has a carriage return that does not belong to a line end")
		case r == '\n':
			line, start = line+1, n+1
			n += size
		default:
			n += size
		}
	}
	return true
}

// line reads one physical line.
func (p *parser) line(text string, number int) bool {
	if trimmed := strings.TrimLeft(text, white); trimmed != "" && (trimmed[0] == '#' || trimmed[0] == ';') {
		return true // also between continued lines
	}
	p.parts = append(p.parts, part{p.logical.Len(), number, 1})
	if isContinued(text) {
		p.logical.WriteString(text[:len(text)-1] + " ")
		return true
	}
	p.logical.WriteString(text)
	return p.flush()
}

// isContinued reports whether a line ends with a backslash that is not itself escaped.
// Backslashes count from the beginning of the first line on; those that continued a line
// are spaces by then.
func isContinued(text string) bool {
	if !strings.HasSuffix(text, `\`) {
		return false
	}
	// A run of backslashes escapes in pairs, wherever it begins, and what is before text
	// ends with a space.
	run := len(text) - len(strings.TrimRight(text, `\`))
	return run%2 == 1
}

// flush reads the logical line.
func (p *parser) flush() bool {
	text, parts := p.logical.String(), p.parts
	p.logical.Reset()
	p.parts = nil
	if strings.Trim(text, white) == "" {
		return true
	}
	return p.statement(text, parts)
}

// statement reads a section or an assignment.
func (p *parser) statement(text string, parts []part) bool {
	whole := assignment{file: p.file.Name, value: text, parts: parts}
	start := len(text) - len(strings.TrimLeft(text, white))
	trimmed := strings.Trim(text, white)
	at := declared.Source{File: p.file.Name, Position: whole.position(start, len(trimmed)), Text: clip(trimmed)}
	if trimmed[0] == '[' {
		return p.header(trimmed, at)
	}
	if p.section == "" {
		p.found.add(declared.Ignored, at, "write it below [Service]", "assignment outside of a section")
		return true
	}
	if !p.known {
		return true
	}
	equals := strings.IndexByte(text, '=')
	if equals < 0 {
		p.found.add(declared.Ignored, at, "write KEY=VALUE", "line without '='")
		return true
	}
	key := strings.Trim(text[:equals], white)
	if key == "" {
		p.found.add(declared.Ignored, at, "write KEY=VALUE", "no key before '='")
		return true
	}
	if len(p.list) == maxAssignments {
		p.found.add(declared.Syntax, at, "", "the file has more than %d assignments", maxAssignments)
		return false
	}
	value := strings.Trim(text[equals+1:], white)
	from := equals + 1 + len(text[equals+1:]) - len(strings.TrimLeft(text[equals+1:], white))
	p.list = append(p.list, assignment{
		file: p.file.Name, section: p.section, key: key, value: value,
		keyAt: whole.position(start, len(key)), parts: whole.partsFrom(from),
	})
	return true
}

// partsFrom returns the parts of a value from an offset on.
func (a *assignment) partsFrom(from int) []part {
	line, column := a.place(min(from, len(a.value)))
	list := []part{{0, line, column}}
	for _, p := range a.parts {
		if p.offset > from {
			list = append(list, part{p.offset - from, p.line, p.column})
		}
	}
	return list
}

// header reads the line of a section.
func (p *parser) header(text string, at declared.Source) bool {
	name, ok := strings.CutSuffix(text[1:], "]")
	if !ok || name == "" || strings.ContainsFunc(name, isControl) || strings.ContainsAny(name, `"'\`) {
		p.found.add(declared.Syntax, at, "write a section as [Service]", "invalid section")
		return false
	}
	p.section, p.known = name, isSection(name)
	if !p.known && !strings.HasPrefix(name, "X-") {
		hint := ""
		if meant := policy.Suggest(name, unitSections[:]); meant != "" {
			hint = "write [" + meant + "]"
		}
		p.found.add(declared.Ignored, at, hint, "unknown section [%s]: systemd ignores everything in it", clip(name))
	}
	return true
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
