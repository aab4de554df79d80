package policy

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

var (
	capsKind = textKind{
		what: "caps", fix: func(s string) string { return fixCaps([]string{s}) }, join: fixCaps,
		hint: "write text, for example cap_kill,cap_net_raw=eip",
	}
	iabKind = textKind{
		what: "iab", fix: func(s string) string { return fixIAB([]string{s}) }, join: fixIAB,
		hint: "write text, for example ^cap_net_raw,!cap_kill",
	}
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
	s, ok := r.capabilityText(f.value, capsKind)
	if !ok {
		return
	}
	set, clauses, err := cap.ReadText(s, cap.NamedCount)
	if len(clauses) == 0 {
		r.reportAt(f.value, badCaps, `write "=" to grant none, or remove the key`, "caps is empty")
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
		hint = capsHint(n)
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
		r.reportText(n, badCaps, capsHint(n), clause.Err)
	}
	return clause.Err == nil
}

// capsHint is the hint for a text that is no text of capabilities.
func capsHint(n *yaml.Node) string {
	return writeKey("caps", fixCaps([]string{n.Value}), "write names and flags, for example caps: cap_kill,cap_net_raw=eip")
}

// writeKey is the hint to write another value for a key, at a word of it.
func writeKey(key, value, otherwise string) string {
	if value == "" {
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

// capabilityName returns the name of the capability that was meant, or "".
func capabilityName(word string) string {
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
	s, ok := r.capabilityText(f.value, iabKind)
	if !ok {
		return
	}
	tuple, fields, err := cap.ReadIAB(s)
	good := true
	for _, field := range fields {
		if field.Name.Text != "" {
			good = r.checkCapability(f.value, field.Name, badIAB, "", nil) && good
		}
	}
	var fault *cap.TextError
	switch {
	case !good:
	case errors.As(err, &fault):
		r.reportText(f.value, badIAB, writeKey("iab", fixIAB([]string{s}), "write marks and names, for example iab: ^cap_net_raw,!cap_kill"), fault)
	case err == nil:
		r.profile.IAB = newIAB(s, tuple, fields)
	}
}
