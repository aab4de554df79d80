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
// Every accepted profile is then checked against the schema. A refusal there
// is an internal-error: a mistake of this package.
func Parse(name string, src []byte) (*Profile, []Diagnostic) {
	return parse(name, bytes.Clone(src), validateSchema)
}

// Read is Parse without the check against the schema, for reviews of many
// files: that check takes as long as half of the rest, finds nothing but
// mistakes of this package, and Parse does it before every launch.
// FuzzReaderIsStricter and TestReaderRefusesWhatTheSchemaRefuses hold that
// Read gives the same answers. The profile keeps src, which must not change any
// more.
func Read(name string, src []byte) (*Profile, []Diagnostic) {
	return parse(name, src, nil)
}

func parse(name string, src []byte, validate func(*yaml.Node) error) (*Profile, []Diagnostic) {
	r := &reader{file: name, profile: &Profile{File: name}, validate: validate}
	r.read(src)
	Sort(r.found)
	// Where a word has no position of its own, its value's is said for each.
	r.found = slices.Compact(r.found)
	if HasErrors(r.found) {
		return nil, bounded(r.found)
	}
	return r.profile, r.found
}

// bounded cuts off what nobody reads, and says so.
func bounded(found []Diagnostic) []Diagnostic {
	rest := len(found) - maxFound
	if rest <= 0 {
		return found
	}
	last := found[maxFound]
	last.Rule, last.Severity = rules[tooComplex].Name, rules[tooComplex].Severity
	last.Message, last.Hint = fmt.Sprintf("%d more findings begin here", rest), "correct the others first"
	return append(found[:maxFound], last)
}

// A reader makes one profile of one file.
type reader struct {
	file    string
	source  *source
	profile *Profile
	top     []field // the keys of the profile, also those with bad values
	found   []Diagnostic
	words   scalarPlace // of the scalar that reportIn was asked about last

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
	// A place stands for an item of a list, or for a key and its value.
	r.profile.places = make(map[string]place, nodes*2/3)
	r.readProfile(root)
	if r.validate != nil && !HasErrors(r.found) {
		r.checkSchema(root)
	}
}

// checkSchema validates a profile without mistakes against the schema, and
// reports a refusal as an internal error.
func (r *reader) checkSchema(root *yaml.Node) {
	if err := r.validate(root); err != nil {
		r.reportInternal("the reader accepts the profile and the schema does not: %v", err)
	}
}

// reportInternal reports a mistake of this package, which no file may cause.
func (r *reader) reportInternal(format string, args ...any) {
	r.report(start, internalError, "this is a mistake in caprun and not in the profile: please report it, with the file", format, args...)
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

// reportIn is reportAt for a word of a scalar: length bytes from offset on. It
// falls back to the scalar where that is written with escapes or over several
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

// A scalarPlace is where a scalar stands, which takes time to find for a long
// one with many words.
type scalarPlace struct {
	node  *yaml.Node
	whole Position
	text  int // where its text begins, or -1; see source.verbatim
}

// printable keeps what a file says from disturbing or filling a terminal.
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

// quote shows a word of the file in a message.
func quote(word string) string { return strconv.Quote(shorten(word, maxNameLength)) }

// shorten cuts a text after so many characters.
func shorten(text string, length int) string {
	if utf8.RuneCountInString(text) <= length {
		return text
	}
	return string([]rune(text)[:length]) + "..."
}
