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

// capsNotCanonical finds capability texts that say in a hard way what an easy
// one says, and lists of lint.ignore with numbers. The order of names, clauses
// and flags, and "all", are a matter of taste.
func capsNotCanonical(p *engine.Plan, say func(policy.Position, string, string)) {
	if text := p.Profile.Caps; text != nil && !isOneClause(*text) {
		if set, err := cap.ParseText(*text, cap.NamedCount); err == nil {
			if want := set.Text(cap.NamedCount); !slices.Equal(clausesOf(*text), clausesOf(want)) {
				sayCanonical(p, "caps", want, say)
			}
		}
	}
	if text := p.Profile.IAB; text != nil && !isPlainIAB(*text) {
		if iab, err := cap.ParseIAB(*text); err == nil {
			sayCanonical(p, "iab", iab.String(), say)
		}
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
		say(p.Profile.Position(fmt.Sprintf("lint.ignore[%d].caps", i)), "names are plainer than numbers", "write caps: ["+strings.Join(names, ", ")+"]")
	}
}

// isNumber reports whether a capability is given by its number.
func isNumber(name string) bool { return strings.Trim(name, "0123456789") == "" }

func sayCanonical(p *engine.Plan, key, want string, say func(policy.Position, string, string)) {
	say(p.Profile.Position(key), "there is a plainer text for the same capabilities, the one that tools print", "write "+key+": "+quoted(want))
}

// quoted puts a capability text in the quotes that YAML needs for it.
func quoted(text string) string {
	if text == "" || strings.IndexByte("=!%", text[0]) >= 0 {
		return `"` + text + `"`
	}
	return text
}

// isOneClause reports whether a text is what most are: names, each once, one
// operator and flags, each once.
func isOneClause(text string) bool {
	op := strings.IndexAny(text, "=+")
	if op < 0 {
		return false
	}
	names, flags := text[:op], text[op+1:]
	if names == "" || names == "all" {
		return len(flags) <= 3 && onlyFlags(flags)
	}
	return flags != "" && onlyFlags(flags) && eachOnce(names, "")
}

// onlyFlags reports whether text is made of flags, each once.
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

// eachOnce reports whether each capability of a list stands there once and by
// its name, after any of the marks.
func eachOnce(list, marks string) bool {
	var seen cred.Caps
	for item := range strings.SplitSeq(list, ",") {
		name := strings.TrimLeft(item, marks)
		v, err := cap.FromName(name)
		if err != nil || v >= cap.NamedCount || name != v.String() || seen.Has(int(v)) {
			return false
		}
		seen = seen.With(int(v))
	}
	return true
}

// isPlainIAB reports whether an IAB text says each capability once, by its
// name, and each mark to some effect: "^" makes inheritable what "%" would.
func isPlainIAB(text string) bool {
	if text == "" {
		return true
	}
	for item := range strings.SplitSeq(text, ",") {
		ambient, inheritable, blocked := strings.Count(item, "^"), strings.Count(item, "%"), strings.Count(item, "!")
		if ambient+inheritable > 1 || blocked > 1 {
			return false
		}
	}
	return eachOnce(text, "!^%")
}

// clausesOf returns the clauses of a capability text in a form that does not
// tell matters of taste.
func clausesOf(text string) []string {
	var clauses []string
	for n, clause := range strings.Fields(text) {
		op := strings.IndexAny(clause, "=+-")
		if op < 0 {
			return nil
		}
		names := strings.Split(clause[:op], ",")
		slices.Sort(names)
		joined := strings.Join(names, ",")
		if joined == "all" {
			joined = ""
		}
		rest := clause[op:]
		if n == 0 && joined != "" && rest[0] == '=' {
			// The first clause adds to nothing, whether it says so or not.
			rest = "+" + rest[1:]
		}
		clauses = append(clauses, joined+sortedFlags(rest))
	}
	slices.Sort(clauses)
	return clauses
}

// sortedFlags sorts the flags after each operator.
func sortedFlags(operations string) string {
	b := []byte(operations)
	for begin := 0; begin < len(b); {
		end := begin + 1
		for end < len(b) && strings.IndexByte("=+-", b[end]) < 0 {
			end++
		}
		slices.Sort(b[begin+1 : end])
		begin = end
	}
	return string(b)
}
