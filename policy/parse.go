package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Parse reads a profile. The name is what diagnostics call the file; nothing
// is opened. It returns the profile if there is no Error among the
// diagnostics, and nil otherwise. The diagnostics are sorted, and the same
// bytes always give the same ones.
//
// Every accepted profile is then checked against the schema. A refusal by the
// schema is an internal-error: a bug of this package.
func Parse(name string, src []byte) (*Profile, []Diagnostic) {
	return parse(name, bytes.Clone(src), validateSchema)
}

// Read is Parse without the check against the schema, for reviews of many
// files: that check takes half as long as everything else, and finds only bugs of
// this package. FuzzReaderIsStricter and TestReaderRefusesWhatTheSchemaRefuses
// test that Read returns what Parse returns. The profile keeps src, which must
// not change afterwards.
func Read(name string, src []byte) (*Profile, []Diagnostic) {
	return parse(name, src, nil)
}

func parse(name string, src []byte, validate func(*yaml.Node) error) (*Profile, []Diagnostic) {
	r := &reader{file: name, profile: &Profile{File: name}, validate: validate}
	r.read(src)
	Sort(r.found)
	// Words without a position have that of their value, and may have one message.
	r.found = slices.Compact(r.found)
	if HasErrors(r.found) {
		return nil, bounded(r.found)
	}
	return r.profile, r.found
}

// bounded limits the number of diagnostics. The last one counts the others.
func bounded(found []Diagnostic) []Diagnostic {
	rest := len(found) - maxFound
	if rest <= 0 {
		return found
	}
	last := found[maxFound]
	last.Rule, last.Severity = rules[tooComplex].Name, rules[tooComplex].Severity
	last.Message, last.Hint = fmt.Sprintf("%d more findings from here on", rest), "fix the others first"
	return append(found[:maxFound], last)
}

// A reader reads one profile from one file.
type reader struct {
	file    string
	source  *source
	profile *Profile
	found   []Diagnostic
	words   scalarPlace // of the last scalar of reportIn

	declared keyIndex // the keys of the profile, also those with bad values
	meant    keyIndex // for each key, the first one that was meant to be it

	validate func(*yaml.Node) error // validateSchema; nil for none
}

func (r *reader) read(src []byte) {
	text, ok := r.checkText(src)
	if !ok {
		return
	}
	r.source = newSource(text)
	r.profile.source = r.source
	root := r.parseYAML()
	if root == nil {
		return
	}
	nodes, ok := r.checkTree(root)
	if !ok {
		return
	}
	// An item of a list has a place, and so has a key with its value.
	r.profile.places = make(map[string]place, nodes*2/3)
	r.readProfile(root)
	if r.validate != nil && !HasErrors(r.found) {
		r.checkSchema(root)
	}
}

// checkSchema validates a profile without errors against the schema, and reports
// a refusal as an internal error.
func (r *reader) checkSchema(root *yaml.Node) {
	if err := r.validate(root); err != nil {
		r.reportInternal("the reader accepts the profile, but the schema does not: %v", err)
	}
}

// reportInternal reports a bug of this package, which no file may cause.
func (r *reader) reportInternal(format string, args ...any) {
	r.report(start, internalError, "report this bug of caprun, and attach the file", format, args...)
}

// report adds a diagnostic.
func (r *reader) report(at Position, which rule, hint, format string, args ...any) {
	r.found = append(r.found, Diagnostic{
		File:     r.file,
		Position: at,
		Severity: rules[which].Severity,
		Rule:     rules[which].Name,
		Message:  printable(fmt.Sprintf(format, args...)),
		Hint:     printable(hint),
	})
}

// reportAt is report for the position of a node.
func (r *reader) reportAt(n *yaml.Node, which rule, hint, format string, args ...any) {
	r.report(r.source.node(n), which, hint, format, args...)
}

// reportIn is reportAt for a word of a scalar: length bytes from offset on. The
// position is that of the scalar if it is written with escapes or on several
// lines.
func (r *reader) reportIn(n *yaml.Node, offset, length int, which rule, hint, format string, args ...any) {
	if r.words.node != n {
		r.words = scalarPlace{n, r.source.node(n), r.source.verbatim(n)}
	}
	at := r.words.whole
	if text := r.words.text; text >= 0 {
		at = r.source.span(text+offset, text+offset+length)
	}
	r.report(at, which, hint, format, args...)
}

// A scalarPlace is the place of a scalar. Finding it takes time for a long scalar
// with many words.
type scalarPlace struct {
	node  *yaml.Node
	whole Position
	text  int // where its text begins, or -1; see source.verbatim
}

// printable makes text from a file harmless for a terminal, and short.
func printable(text string) string {
	if text = shorten(text, maxMessageLength); strings.ContainsFunc(text, isForbidden) {
		var b strings.Builder
		for _, c := range text {
			if isForbidden(c) {
				b.WriteString(codePoint(c))
			} else {
				b.WriteRune(c)
			}
		}
		return b.String()
	}
	return text
}

func isForbidden(c rune) bool { return c == '\n' || c == '\t' || forbidden(c) != "" }

// quote returns a word of the file for a message.
func quote(word string) string { return strconv.Quote(shorten(word, maxNameLength)) }

// shorten cuts a text after that many characters.
func shorten(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length]) + "..."
}
