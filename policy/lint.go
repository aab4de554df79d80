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
// profile's author accepts. It has no effect on a launch. Whether the rule
// exists, is about capabilities, and may be ignored, is the business of package
// review.
type Ignore struct {
	Rule   string   // as in Rule.Name, if there is such a rule
	Caps   []string // what is accepted, each as cap.FromName reads it, and once; nil for all that the rule finds
	Reason string   // with a letter or a digit
	Until  string   // the last day on which it holds, as 2027-01-31; empty for ever
}

// Equal reports whether two entries say the same in the same words.
func (e Ignore) Equal(other Ignore) bool {
	return e.Rule == other.Rule && e.Reason == other.Reason && e.Until == other.Until &&
		(e.Caps == nil) == (other.Caps == nil) && slices.Equal(e.Caps, other.Caps)
}

func (r *reader) readLint(f field) {
	fields, ok := r.fields(f.value, f.path, "lint")
	if !ok {
		return
	}
	for _, f := range fields {
		switch {
		case f.name != "ignore":
			r.reportUnknown(f, unknownKey, "lint", didYouMean(Suggest(f.name, []string{"ignore"})))
		case !f.bad:
			r.readIgnored(f)
		}
	}
}

func (r *reader) readIgnored(f field) {
	items, ok := r.items(f.value, "ignore", maxIgnored)
	if !ok {
		return
	}
	earlier := map[string]ignored{}
	for i, n := range items {
		if r.opaque(n) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		if entry, ok := r.readIgnore(n, item(f.path, i), earlier); ok {
			r.profile.Ignored = append(r.profile.Ignored, entry)
		}
	}
}

func (r *reader) readIgnore(n *yaml.Node, path string, earlier map[string]ignored) (entry Ignore, ok bool) {
	fields, ok := r.fields(n, path, "an entry of ignore")
	if !ok {
		return entry, false
	}
	has := map[string]*yaml.Node{}
	var caps []ignoredCap
	for _, f := range fields {
		has[f.name] = f.value
		switch {
		case !slices.Contains(ignoreKeys[:], f.name):
			r.reportUnknown(f, unknownKey, "an entry of ignore", didYouMean(suggestIgnoreKey(f.name)))
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
		r.reportAt(n, missingKey, "add rule: NAME, as it stands in brackets after a finding", "the entry names no rule")
	}
	if has["reason"] == nil {
		r.reportAt(n, missingKey, "add reason: why the finding is accepted", "the entry gives no reason")
	}
	if entry.Rule != "" {
		earlier[entry.Rule] = r.joinIgnored(earlier[entry.Rule], entry.Rule, has["rule"], caps, has["caps"] == nil)
	}
	return entry, true
}

// ignoreKeys are the keys of an entry of lint.ignore.
var ignoreKeys = [...]string{"rule", "caps", "reason", "until"}

func suggestIgnoreKey(name string) string {
	if s := suggestKey(name); s == "caps" {
		return s
	}
	return Suggest(name, ignoreKeys[:])
}

func (r *reader) readIgnoredRule(n *yaml.Node) string {
	s, ok := r.text(n, "rule")
	if !ok {
		return ""
	}
	if !isName(s) {
		r.reportAt(n, badSuppression, "write the name that stands in brackets after a finding", "%s cannot be the name of a rule", quote(s))
		return ""
	}
	return s
}

func (r *reader) readReason(n *yaml.Node) string {
	s, ok := r.text(n, "reason")
	if !ok {
		return ""
	}
	if length := utf8.RuneCountInString(s); length > maxReasonLength {
		r.reportAt(n, tooLong, "put what is more into comments", "the reason has %d characters; at most %d are read", length, maxReasonLength)
		return ""
	}
	// Some letters have no shape, as the fillers of Hangul.
	visible := func(c rune) bool {
		return (unicode.IsLetter(c) || unicode.IsNumber(c)) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c)
	}
	if !strings.ContainsFunc(s, visible) {
		r.reportAt(n, badSuppression, "say why the finding is accepted, to who reads it in a year", "the reason says nothing")
		return ""
	}
	return s
}

// readUntil reads a day. Without quotes it is a date to some readers of YAML
// and text to others, and the same day to all of them.
func (r *reader) readUntil(n *yaml.Node) string {
	const hint = "write a day as 2027-01-31"
	if !isScalar(n) || looksNumeric(n) || isNull(n) || isPlain(n) && n.Tag == "!!bool" {
		r.reportAt(n, badType, hint, "until must be a day, not %s", kindOf(n))
		return ""
	}
	if !isDay(n.Value) {
		r.reportAt(n, badSuppression, hint, "there is no day %s", quote(n.Value))
		return ""
	}
	return n.Value
}

// isDay reports whether s is a day of the calendar, as 2027-01-31.
func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
