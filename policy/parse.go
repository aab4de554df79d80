package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
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
	r := &reader{file: name, profile: &Profile{File: name, places: map[string]place{}}}
	r.read(src)
	Sort(r.found)
	r.found = slices.Compact(r.found)
	if HasErrors(r.found) {
		return nil, r.found
	}
	return r.profile, r.found
}

// A reader makes one profile of one file.
type reader struct {
	file    string
	source  *source
	profile *Profile
	top     map[string]field // the keys of the profile, also those with bad values
	found   []Diagnostic
}

func (r *reader) read(src []byte) {
	text, ok := r.checkText(bytes.Clone(src))
	if !ok {
		return
	}
	r.source = newSource(text)
	r.profile.source = r.source
	root := r.parseYAML()
	if root == nil || !r.checkTree(root) {
		return
	}
	r.readProfile(root)
	if !HasErrors(r.found) {
		r.checkSchema(root)
	}
}

// say adds a diagnostic.
func (r *reader) say(at Position, which rule, hint, format string, args ...any) {
	r.found = append(r.found, Diagnostic{
		File:     r.file,
		Position: at,
		Severity: rules[which].Severity,
		Rule:     rules[which].Name,
		Message:  fmt.Sprintf(format, args...),
		Hint:     hint,
	})
}

// sayAt is say for the position of a node.
func (r *reader) sayAt(n *yaml.Node, which rule, hint, format string, args ...any) {
	r.say(r.source.node(n), which, hint, format, args...)
}

// sayIn is sayAt for a word of a scalar: length bytes from offset on. It falls
// back to the scalar where that is written with escapes or over several lines.
func (r *reader) sayIn(n *yaml.Node, offset, length int, which rule, hint, format string, args ...any) {
	at := r.source.node(n)
	if text := r.source.verbatim(n); text >= 0 {
		at = r.source.span(text+offset, text+offset+length)
	}
	r.say(at, which, hint, format, args...)
}

// quote shows a word of the file in a message, without what could disturb a
// terminal.
func quote(word string) string {
	cut := ""
	if utf8.RuneCountInString(word) > maxNameLength {
		word, cut = string([]rune(word)[:maxNameLength]), "..."
	}
	return strconv.Quote(word) + cut
}
