package policy

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// An Ignore is an entry of lint.ignore: a rule of a review whose findings the
// profile's author accepts. It has no effect on a launch. Package review checks
// whether the rule exists, is about capabilities, and may be ignored.
type Ignore struct {
	Rule   string   // as in Rule.Name, if there is such a rule
	Caps   []string // what is accepted, each as cap.FromName reads it, and once; nil for everything that the rule finds
	Reason string   // with a letter or a digit
	Until  string   // the last day on which the entry is valid, as 2027-01-31; empty for no end
}

// Equal reports whether two entries are equal.
func (e Ignore) Equal(other Ignore) bool {
	return e.Rule == other.Rule && e.Reason == other.Reason && e.Until == other.Until &&
		(e.Caps == nil) == (other.Caps == nil) && slices.Equal(e.Caps, other.Caps)
}

// ignoreKeys are the keys of an entry of lint.ignore.
var ignoreKeys = [...]string{"rule", "caps", "reason", "until"}

var (
	lintKind = mappingKind{what: "lint", hint: func(*yaml.Node) string {
		return "write a mapping, for example {ignore: [{rule: umask-open, reason: WHY}]}"
	}}
	ignoreKind = listKind{
		what: "lint.ignore", limit: maxIgnored, separators: ",",
		fix: func(word string) string {
			if !isName(word) {
				return ""
			}
			return "{rule: " + inList(word) + ", reason: WHY}"
		},
		hint: "write a list, for example [{rule: umask-open, reason: WHY}]",
	}
	entryKind = mappingKind{
		what:     "an entry of lint.ignore",
		required: []string{"rule", "reason", "caps"}, // without caps an entry accepts more
	}
	ruleKind   = textKind{what: "rule", valid: isName, hint: "write the name in brackets after a finding"}
	reasonKind = textKind{what: "reason", valid: isReason, hint: "write why the finding is accepted"}
	untilKind  = textKind{what: "until", valid: isDate, hint: "write a date, for example 2027-01-31"}
)

func (r *reader) readLint(f field) {
	fields, ok := r.fields(f.value, f.path, lintKind)
	if !ok {
		return
	}
	for _, f := range fields {
		switch {
		case f.name != "ignore":
			r.unknownKey(f, "lint", r.lintKeyHint(f, fields))
		case !f.bad:
			r.readIgnored(f)
		}
	}
}

func (r *reader) lintKeyHint(f field, fields []field) string {
	if Suggest(f.name, []string{"ignore"}) == "" {
		return "the key of lint is ignore"
	}
	return r.keyHint(f, "ignore", fields, (*reader).readIgnored)
}

func (r *reader) readIgnored(f field) {
	items, ok := r.items(f.value, ignoreKind)
	if !ok {
		return
	}
	earlier := map[string]ignored{}
	for i, n := range items {
		if r.opaque(n) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		if entry, ok := r.readIgnore(n, item(f.path, i), items, earlier); ok {
			r.profile.Ignored = append(r.profile.Ignored, entry)
		}
	}
}

func (r *reader) readIgnore(n *yaml.Node, path string, items []*yaml.Node, earlier map[string]ignored) (entry Ignore, ok bool) {
	kind := entryKind
	kind.hint = func(n *yaml.Node) string { return entryHint(n, items) }
	fields, ok := r.fields(n, path, kind)
	if !ok {
		return entry, false
	}
	has := map[string]*yaml.Node{}
	var caps []ignoredCap
	for _, f := range fields {
		has[f.name] = f.value
		switch {
		case !slices.Contains(ignoreKeys[:], f.name):
			r.unknownKey(f, "an entry of lint.ignore", r.ignoreKeyHint(f, fields))
		case f.bad:
		case f.name == "rule":
			entry.Rule = r.readIgnoredRule(f.value)
		case f.name == "caps":
			caps = r.readIgnoredCaps(f)
			for _, c := range caps {
				entry.Caps = append(entry.Caps, c.node.Value)
			}
		case f.name == "reason":
			entry.Reason = r.readReason(f.value)
		case f.name == "until":
			entry.Until = r.readUntil(f.value)
		}
	}
	if has["rule"] == nil {
		r.reportAt(n, missingKey, "add rule: NAME; the name is in brackets after a finding", "missing key \"rule\"")
	}
	if has["reason"] == nil {
		r.reportAt(n, missingKey, "add reason: WHY", "missing key \"reason\"")
	}
	if entry.Rule != "" {
		earlier[entry.Rule] = r.joinIgnored(earlier[entry.Rule], entry.Rule, has["rule"], caps, has["caps"] == nil)
	}
	return entry, true
}

// entryHint is the hint for an entry that is not a mapping: the name of a rule.
func entryHint(n *yaml.Node, items []*yaml.Node) string {
	names := scalarsOf(n)
	if len(names) != 1 || !isName(names[0]) {
		return "write a mapping, for example {rule: umask-open, reason: WHY}"
	}
	for _, other := range items {
		if i := slices.IndexFunc(other.Content, func(n *yaml.Node) bool { return n.Value == names[0] }); other != n && i > 0 && other.Content[i-1].Value == "rule" {
			return "remove it; another entry is for rule " + names[0]
		}
	}
	return write("{rule: "+inList(names[0])+", reason: WHY}", "")
}

func (r *reader) ignoreKeyHint(f field, fields []field) string {
	name := suggestKey(f.name)
	if name != "caps" {
		name = Suggest(f.name, ignoreKeys[:])
	}
	if name == "" {
		return "the keys of an entry are rule, caps, reason and until"
	}
	return r.keyHint(f, name, fields, func(r *reader, f field) {
		switch f.name {
		case "rule":
			r.readIgnoredRule(f.value)
		case "caps":
			r.readIgnoredCaps(f)
		case "reason":
			r.readReason(f.value)
		case "until":
			r.readUntil(f.value)
		}
	})
}

func (r *reader) readIgnoredRule(n *yaml.Node) string {
	s, ok := r.text(n, ruleKind)
	if !ok {
		return ""
	}
	if !isName(s) {
		r.reportAt(n, badSuppression, ruleKind.hint, "invalid rule %s", quote(s))
		return ""
	}
	return s
}

func (r *reader) readReason(n *yaml.Node) string {
	s, ok := r.text(n, reasonKind)
	if !ok {
		return ""
	}
	if length := utf8.RuneCountInString(s); length > maxReasonLength {
		r.reportAt(n, tooLong, "move the excess into comments", "reason is %d characters; the limit is %d", length, maxReasonLength)
		return ""
	}
	if !isReason(s) {
		r.reportAt(n, badSuppression, reasonKind.hint, "reason has no letter or digit")
		return ""
	}
	return s
}

// isReason reports whether a text has a letter or a digit that is visible. The
// fillers of Hangul are letters without a shape.
func isReason(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return (unicode.IsLetter(c) || unicode.IsNumber(c)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c)
	})
}

// readUntil reads a day. Without quotes it is a date to some YAML readers and
// text to others, and the same day to all of them.
func (r *reader) readUntil(n *yaml.Node) string {
	if !isScalar(n) || looksNumeric(n) || isNull(n) || isPlain(n) && n.Tag == "!!bool" {
		r.reportAt(n, badType, untilKind.hintFor(n), "until must be a date, not %s", kindOf(n))
		return ""
	}
	if !isDate(n.Value) {
		r.reportAt(n, badSuppression, untilKind.hint, "invalid date %s: want YYYY-MM-DD", quote(n.Value))
		return ""
	}
	return n.Value
}

// isDate reports whether s is a day of the calendar, as 2027-01-31.
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
