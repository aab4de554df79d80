package policy

import (
	"errors"
	"strings"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

// capabilityText returns a text of capabilities of a bounded length.
func (r *reader) capabilityText(f field) (s string, ok bool) {
	s, ok = r.text(f.value, f.name)
	if ok && len(s) > maxCapabilityText {
		r.reportAt(f.value, tooLong, "name each capability once", "%s has %d bytes; at most %d make sense", f.name, len(s), maxCapabilityText)
		return "", false
	}
	return s, ok
}

func (r *reader) readCaps(f field) {
	s, ok := r.capabilityText(f)
	if !ok {
		return
	}
	set, clauses, err := cap.ReadText(s, cap.NamedCount)
	if len(clauses) == 0 {
		r.reportAt(f.value, badCaps, `write "=" for no capabilities, or leave the key out`, "caps is empty")
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

// checkClause reports the names of a clause that no kernel has, all of them,
// or else what is wrong with its form. It returns false for the latter.
func (r *reader) checkClause(n *yaml.Node, clause cap.Clause) (formed bool) {
	good := true
	for _, name := range clause.Names {
		if name.Text != "" && clause.List != "all" {
			good = r.checkCapability(n, name, badCaps) && good
		}
	}
	if !good {
		return clause.Actions != nil
	}
	if clause.Err != nil {
		r.reportText(n, badCaps, "write it like cap_kill,cap_net_raw=eip", clause.Err)
	}
	return clause.Err == nil
}

// reportText reports an error of package cap in the text of a scalar.
func (r *reader) reportText(n *yaml.Node, which rule, hint string, fault *cap.TextError) {
	r.reportIn(n, fault.Offset, fault.Length, which, hint, "%s: %s", quote(fault.Word), fault.Reason)
}

// checkCapability reports a name that is no capability that a kernel has, and
// a number that other tools read in another base.
func (r *reader) checkCapability(n *yaml.Node, name cap.Name, which rule) bool {
	v, err := cap.FromName(name.Text)
	switch {
	case err == nil && v < cap.NamedCount && (name.Text == v.String() || isDecimal(name.Text) && notation(name.Text) == ""):
		return true
	case err == nil && v >= cap.NamedCount, isDecimal(name.Text) && err != nil:
		last := cap.Value(cap.NamedCount - 1)
		r.reportIn(n, name.Offset, len(name.Text), unknownCapability, "the last one is 40, "+last.String(), "no kernel has a capability %s", name.Text)
	case err == nil:
		r.reportIn(n, name.Offset, len(name.Text), which, "write "+v.String(), "%s is another number to other tools", quote(name.Text))
	default:
		r.reportIn(n, name.Offset, len(name.Text), unknownCapability, capabilityHint(name.Text), "%s is no capability", quote(name.Text))
	}
	return false
}

func capabilityHint(name string) string {
	switch {
	case name == "all":
		return "all stands alone, and only in caps: name the capabilities"
	case strings.TrimSpace(name) != name:
		return "leave the white space out"
	}
	short := make([]string, 0, cap.NamedCount)
	for v := cap.Value(0); v < cap.NamedCount; v++ {
		short = append(short, strings.TrimPrefix(v.String(), "cap_"))
	}
	if best := Suggest(strings.TrimPrefix(plainName(name), "cap_"), short); best != "" {
		return didYouMean("cap_" + best)
	}
	return ""
}

// checkDiscarded reports each clause before the last one with "=". The Go
// package reads "cap_kill=p cap_chown=p" as cap_chown=p, as documented, and
// the C tools as cap_kill,cap_chown=p.
func (r *reader) checkDiscarded(n *yaml.Node, clauses []cap.Clause) {
	last := len(clauses) - 1
	for last > 0 && clauses[last].Actions[0].Op != '=' {
		last--
	}
	for _, early := range clauses[:last] {
		r.reportIn(n, early.Offset, len(early.Text), discardedClause, discardedHint(early, clauses[last]),
			"%s is discarded by the later %s, though C tools read both", quote(early.Text), quote(clauses[last].Text))
	}
}

func discardedHint(early, late cap.Clause) string {
	op := late.Text[len(late.List):]
	switch {
	case late.List == "":
		return "leave it out, or put " + late.Text + " first"
	case early.List != "" && early.Text[len(early.List):] == op:
		return "join them: " + early.List + "," + late.Text
	case len(op) > 1:
		return "add with + instead: " + late.List + "+" + op[1:]
	}
	return "leave it out"
}

func (r *reader) readIAB(f field) {
	s, ok := r.capabilityText(f)
	if !ok {
		return
	}
	tuple, fields, err := cap.ReadIAB(s)
	good := true
	for _, field := range fields {
		if field.Name.Text != "" {
			good = r.checkCapability(f.value, field.Name, badIAB) && good
		}
	}
	var fault *cap.TextError
	switch {
	case !good:
	case errors.As(err, &fault):
		r.reportText(f.value, badIAB, "write it like ^cap_net_raw,!cap_kill", fault)
	case err == nil:
		r.profile.IAB = newIAB(s, tuple, fields)
	}
}
