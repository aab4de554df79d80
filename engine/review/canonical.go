package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// capsNotCanonical reports capability texts for which a simpler text exists, and
// lists in lint.ignore with numbers. It accepts any order of names, clauses and
// flags, and "all".
func capsNotCanonical(p *engine.Plan, report func(policy.Position, string, string)) {
	if c := p.Profile.Caps; c != nil && !isOneClause(c.Clauses) {
		want := cap.SetOf(c.Effective, c.Permitted, c.Inheritable).Text(cap.NamedCount)
		if _, clauses, _ := cap.ReadText(want, cap.NamedCount); !slices.Equal(clausesOf(c.Clauses), clausesOf(clauses)) {
			reportCanonical(p, "caps", want, report)
		}
	}
	if v := p.Profile.IAB; v != nil && !isPlainIAB(v.Fields) {
		reportCanonical(p, "iab", cap.IABOf(v.Inheritable, v.Ambient, v.Blocked).String(), report)
	}
	for i, entry := range p.Profile.Ignored {
		if !slices.ContainsFunc(entry.Caps, isNumber) {
			continue
		}
		names := make([]string, len(entry.Caps))
		for n, name := range entry.Caps {
			names[n] = name
			if v, err := cap.FromName(name); err == nil {
				names[n] = v.String()
			}
		}
		report(p.Profile.Position(fmt.Sprintf("lint.ignore[%d].caps", i)), "capabilities are given by number", "write caps: ["+strings.Join(names, ", ")+"]")
	}
}

// isNumber reports whether a capability is given by its number.
func isNumber(name string) bool { return strings.Trim(name, "0123456789") == "" }

func reportCanonical(p *engine.Plan, key, want string, report func(policy.Position, string, string)) {
	report(p.Profile.Position(key), key+" is not in canonical form", "write "+key+": "+quoted(want))
}

// quoted puts a capability text in the quotes that YAML needs for it.
func quoted(text string) string {
	if text == "" || strings.IndexByte("=!%", text[0]) >= 0 {
		return `"` + text + `"`
	}
	return text
}

// isOneClause reports whether a text is one clause of distinct names, one operator
// and distinct flags.
func isOneClause(clauses []cap.Clause) bool {
	if len(clauses) != 1 || len(clauses[0].Actions) != 1 {
		return false
	}
	c, a := clauses[0], clauses[0].Actions[0]
	switch {
	case a.Op == '-' || !onlyFlags(a.Flags):
		return false
	case c.List == "" || c.List == "all":
		return true
	}
	var seen cred.Caps
	for _, n := range c.Names {
		if !isNewName(n, &seen) {
			return false
		}
	}
	return a.Flags != ""
}

// onlyFlags reports whether text consists of distinct flags.
func onlyFlags(text string) bool {
	seen := byte(0)
	for i := range len(text) {
		n := strings.IndexByte("epi", text[i])
		if n < 0 || seen&(1<<n) != 0 {
			return false
		}
		seen |= 1 << n
	}
	return true
}

// isNewName reports whether a capability is given by its name and not in seen.
func isNewName(n cap.Name, seen *cred.Caps) bool {
	v := n.Caps.Lowest()
	if v >= cap.NamedCount || n.Text != cap.Value(v).String() || seen.Has(v) {
		return false
	}
	*seen = seen.With(v)
	return true
}

// isPlainIAB reports whether an IAB text has each capability once, by its name,
// and no redundant mark: "^" implies "%".
func isPlainIAB(fields []cap.Field) bool {
	var seen cred.Caps
	for _, f := range fields {
		ambient, inheritable, blocked := strings.Count(f.Marks, "^"), strings.Count(f.Marks, "%"), strings.Count(f.Marks, "!")
		if ambient+inheritable > 1 || blocked > 1 || !isNewName(f.Name, &seen) {
			return false
		}
	}
	return true
}

// clausesOf returns clauses with names and flags sorted, and without "all".
func clausesOf(clauses []cap.Clause) []string {
	var plain []string
	for n, c := range clauses {
		names := strings.Split(c.List, ",")
		slices.Sort(names)
		text := strings.Join(names, ",")
		if text == "all" {
			text = ""
		}
		// In the first clause, "+" and "=" mean the same.
		adds := n == 0 && text != ""
		for k, a := range c.Actions {
			if k == 0 && adds && a.Op == '=' {
				a.Op = '+'
			}
			flags := []byte(a.Flags)
			slices.Sort(flags)
			text += string(a.Op) + string(flags)
		}
		plain = append(plain, text)
	}
	slices.Sort(plain)
	return plain
}
