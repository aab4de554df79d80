package policy

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

// capabilityText returns a text of capabilities of a bounded length.
func (r *reader) capabilityText(n *yaml.Node, k textKind) (s string, ok bool) {
	s, ok = r.text(n, k)
	if ok && len(s) > maxCapabilityText {
		r.reportAt(n, tooLong, "write each capability once", "%s is %d bytes; the limit is %d", k.what, len(s), maxCapabilityText)
		return "", false
	}
	return s, ok
}

func (r *reader) readCaps(f field) {
	s, ok := r.capabilityText(f.value, textKind{what: "caps", hintOf: r.capsHint})
	if !ok {
		return
	}
	set, clauses, err := cap.ReadText(s, cap.NamedCount)
	if len(clauses) == 0 {
		r.reportAt(f.value, badCaps, `write caps: "=" to grant none, or remove the key`, "caps is empty")
		return
	}
	formed := true
	for _, clause := range clauses {
		formed = r.checkClause(f.value, clause) && formed
	}
	if formed {
		r.checkDiscarded(f.value, clauses)
	}
	if err == nil {
		r.profile.Caps = newCaps(s, set, clauses)
	}
}

// checkClause reports each unknown name of a clause, and if there is none what
// is wrong with its form. It returns false for the latter.
func (r *reader) checkClause(n *yaml.Node, clause cap.Clause) (formed bool) {
	good, hint := true, ""
	flags := clause.Text[len(clause.List):]
	if _, _, err := cap.ReadText("cap_chown"+flags, cap.NamedCount); err != nil {
		// To correct a name alone would leave the flags wrong.
		hint = r.capsHint(n)
	}
	for _, name := range clause.Names {
		if name.Text != "" && clause.List != "all" {
			good = r.checkCapability(n, name, badCaps, hint, nil) && good
		}
	}
	if !good && clause.Actions != nil {
		return true
	}
	if clause.Err != nil && good {
		r.reportText(n, badCaps, r.capsHint(n), clause.Err)
	}
	return clause.Err == nil
}

// capsHint is the hint for what is no text of capabilities.
func (r *reader) capsHint(n *yaml.Node) string {
	if text := meantIAB(scalarsOf(n)); text != "" && hasMarks(n) && !r.declares("iab") {
		return writeKey("iab", text, "") + " instead of caps"
	}
	return writeKey("caps", meantCaps(n), "write names and flags, for example caps: cap_kill,cap_net_raw=eip")
}

// iabHint is the hint for what is no IAB tuple.
func (r *reader) iabHint(n *yaml.Node) string {
	if texts := scalarsOf(n); len(texts) == 1 && isCaps(texts[0]) && !r.declares("caps") {
		return writeKey("caps", inYAML(texts[0]), "") + " instead of iab"
	}
	return writeKey("iab", meantIAB(scalarsOf(n)), "write marks and names, for example iab: ^cap_net_raw,!cap_kill")
}

// hasMarks reports whether a text, or the first of a list, begins with a mark of an IAB tuple.
func hasMarks(n *yaml.Node) bool {
	texts := scalarsOf(n)
	return len(texts) > 0 && texts[0] != "" && strings.IndexByte("^!%", texts[0][0]) >= 0
}

// writeKey is the hint to write another value for a key, at a word of it.
func writeKey(key, value, otherwise string) string {
	if value == "" || len(value) > maxShown {
		return otherwise
	}
	return "write " + key + ": " + value
}

// reportText reports an error of package cap in the text of a scalar.
func (r *reader) reportText(n *yaml.Node, which rule, hint string, fault *cap.TextError) {
	r.reportIn(n, fault.Offset, fault.Length, which, hint, "%s: %s", quote(fault.Word), fault.Reason)
}

// checkCapability reports an unknown name, and a number that other tools read
// in another base. The hint, if any, is for the text that the name is in; the
// items, if any, are those of the list.
func (r *reader) checkCapability(n *yaml.Node, name cap.Name, which rule, hint string, items []*yaml.Node) bool {
	reportName := func(which rule, format, another string) {
		r.reportIn(n, name.Offset, len(name.Text), which, cmp.Or(hint, another), format, quote(name.Text))
	}
	v, err := cap.FromName(name.Text)
	switch {
	case isCapability(name.Text):
		return true
	case err == nil && v >= cap.NamedCount, isDecimal(name.Text) && err != nil:
		reportName(unknownCapability, "unknown capability %s", fmt.Sprintf("the last capability is %d, %v", cap.NamedCount-1, cap.Value(cap.NamedCount-1)))
	case err == nil && hasItem(items, v.String()):
		reportName(which, "ambiguous capability number %s: other tools read it differently", meantItem(v.String(), items))
	case err == nil:
		reportName(which, "ambiguous capability number %s: other tools read it differently", "write "+v.String())
	default:
		reportName(unknownCapability, "unknown capability %s", capabilityHint(name.Text, items))
	}
	return false
}

// isCapability reports whether a text is the name of a capability, or its
// number as all tools read it.
func isCapability(text string) bool {
	v, err := cap.FromName(text)
	return err == nil && v < cap.NamedCount && (text == v.String() || isPlainDecimal(text))
}

func capabilityHint(name string, items []*yaml.Node) string {
	switch meant := capabilityName(name); {
	case name == "all":
		return "write the names of capabilities; all cannot be in a list of names"
	case meant != "" && strings.TrimSpace(name) != name:
		return "write " + meant + " without white space"
	case meant != "":
		return meantItem(meant, items)
	}
	return ""
}

// capabilityName returns the name of the capability that was meant, or "". In other tools
// a name after one of the signs is to be removed.
func capabilityName(word string) string {
	if word != "" && strings.IndexByte("-!~", word[0]) >= 0 {
		return ""
	}
	if isPlainDecimal(word) {
		if v, err := cap.FromName(word); err == nil && v < cap.NamedCount {
			return v.String()
		}
		return ""
	}
	short := make([]string, 0, cap.NamedCount)
	for v := cap.Value(0); v < cap.NamedCount; v++ {
		short = append(short, strings.TrimPrefix(v.String(), "cap_"))
	}
	if best := Suggest(strings.TrimPrefix(plainName(word), "cap_"), short); best != "" {
		return "cap_" + best
	}
	return ""
}

func (r *reader) readIAB(f field) {
	s, ok := r.capabilityText(f.value, textKind{what: "iab", hintOf: r.iabHint})
	if !ok {
		return
	}
	tuple, fields, err := cap.ReadIAB(s)
	good, hint := true, ""
	if isCaps(s) {
		hint = r.iabHint(f.value)
	}
	for _, field := range fields {
		if field.Name.Text != "" {
			good = r.checkCapability(f.value, field.Name, badIAB, hint, nil) && good
		}
	}
	var fault *cap.TextError
	switch {
	case !good:
	case errors.As(err, &fault):
		r.reportText(f.value, badIAB, r.iabHint(f.value), fault)
	case err == nil:
		r.profile.IAB = newIAB(s, tuple, fields)
	}
}
