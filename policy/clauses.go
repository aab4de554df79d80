package policy

import (
	"slices"
	"strings"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

// lastReset returns the index of the last clause with "=", which discards all
// before it; 0 if there is none.
func lastReset(clauses []cap.Clause) int {
	last := len(clauses) - 1
	for last > 0 && clauses[last].Actions[0].Op != '=' {
		last--
	}
	return max(last, 0)
}

// checkDiscarded reports each clause before the last one with "=". The Go
// package reads "cap_kill=p cap_chown=p" as cap_chown=p, as documented, and
// the C tools as cap_kill,cap_chown=p.
func (r *reader) checkDiscarded(n *yaml.Node, clauses []cap.Clause) {
	last := lastReset(clauses)
	for i, early := range clauses[:last] {
		r.reportIn(n, early.Offset, len(early.Text), discardedClause, discardedHint(clauses, i, last),
			"%s is discarded by the later clause with \"=\"; C tools keep both", quote(early.Text))
	}
}

// discardedHint is the hint for a clause that a later one discards.
func discardedHint(clauses []cap.Clause, i, last int) string {
	early, late := clauses[i], clauses[last]
	texts := make([]string, len(clauses))
	for n, c := range clauses {
		texts[n] = c.Text
	}
	without := func(n int) []string { return slices.Delete(slices.Clone(texts), n, n+1) }
	var fixed [][]string
	switch op := late.Text[len(late.List):]; {
	case late.List == "" && last == i+1:
		// Whether the clause or its place is the mistake is not certain.
		fixed = [][]string{slices.Insert(without(last), i, late.Text), without(i)}
	case late.List == "":
		fixed = [][]string{without(i)}
	case early.List != "" && early.Text[len(early.List):] == op:
		texts[last] = early.List + "," + late.Text
		fixed = [][]string{without(i)}
	default:
		added := slices.Clone(texts)
		for n := i + 1; n <= last; n++ {
			added[n] = strings.Replace(texts[n], "=", "+", 1)
		}
		fixed = [][]string{added}
		if _, _, err := cap.ReadText(strings.Join(added, " "), cap.NamedCount); err != nil {
			fixed = [][]string{without(i)}
		}
	}
	var hints []string
	for _, texts := range fixed {
		text := strings.Join(texts, " ")
		_, left, err := cap.ReadText(text, cap.NamedCount)
		if err == nil && (len(left) < len(clauses) || lastReset(left) <= i) && inYAML(text) != "" {
			hints = append(hints, "write caps: "+inYAML(text))
		}
	}
	if hints == nil {
		return "remove it"
	}
	return strings.Join(hints, ", or ")
}

// noCaps is the value of caps for no capability.
const noCaps = `"="`

// meantCaps returns, as YAML, the text of capabilities that was meant by a text, a list,
// or the lists of a container; "" if that is not certain.
func meantCaps(n *yaml.Node) string {
	if n.Kind != yaml.MappingNode {
		return fixCaps(scalarsOf(n))
	}
	meant := ""
	for i := 0; i+1 < len(n.Content); i += pair {
		names := scalarsOf(n.Content[i+1])
		switch strings.ToLower(n.Content[i].Value) {
		case "add", "effective", "permitted", "ambient":
			text := fixCaps(names)
			if text == "" || meant != "" && meant != text {
				return ""
			}
			meant = text
		case "drop":
			// The target has no others than those that are added.
			if len(n.Content) == pair && meansAll(names) {
				return noCaps
			}
		case "bounding", "inheritable":
		default:
			return ""
		}
	}
	return meant
}

// meansAll reports whether names are ALL, as containers write it.
func meansAll(names []string) bool { return len(names) == 1 && strings.EqualFold(names[0], "all") }

// fixCaps returns, as YAML, the one clause that was meant by names with blanks
// or commas between them, or in a list, and flags behind the last one or none;
// "" if that is not certain. A new target that is not root needs all flags.
func fixCaps(texts []string) string {
	switch {
	case texts != nil && len(texts) == 0, len(texts) == 1 && strings.EqualFold(texts[0], "none"):
		return noCaps
	case len(texts) == 1 && isCaps(texts[0]):
		return inYAML(texts[0])
	}
	words := wordsOf(strings.Join(texts, " "), ",")
	flags := "=eip"
	if len(words) > 0 {
		last := &words[len(words)-1]
		if n := strings.IndexAny(*last, "=+"); n > 0 {
			*last, flags = (*last)[:n], strings.ToLower((*last)[n:])
		}
	}
	if names := capabilityNames(words); names != "" && isCaps(names+flags) {
		return inYAML(names + flags)
	}
	return ""
}

// capabilityNames returns the names of the capabilities that were meant, as caps and iab
// take them: separated by commas, or all; "" if that is not certain. setpriv(1) writes
// -all,+net_raw.
func capabilityNames(words []string) string {
	var names []string
	for i, word := range words {
		if i == 0 && len(words) > 1 && strings.EqualFold(word, "-all") {
			continue
		}
		name := strings.ToLower(strings.TrimPrefix(word, "+"))
		if name != "all" {
			name = capabilityName(name)
		}
		if name == "" {
			return ""
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if slices.Contains(names, "all") {
		return "all"
	}
	return strings.Join(names, ",")
}

// isCaps reports whether a text is right for caps.
func isCaps(s string) bool {
	_, clauses, err := cap.ReadText(s, cap.NamedCount)
	if err != nil || len(s) > maxCapabilityText || lastReset(clauses) > 0 {
		return false
	}
	for _, clause := range clauses {
		for _, name := range clause.Names {
			if clause.List != "all" && !isCapability(name.Text) {
				return false
			}
		}
	}
	return true
}

// meantIAB is fixCaps for iab: it joins fields with commas.
func meantIAB(texts []string) string {
	text := strings.Join(wordsOf(strings.Join(texts, ","), ","), ",")
	_, fields, err := cap.ReadIAB(text)
	if err != nil || text == "" && !slices.Equal(texts, []string{""}) {
		return ""
	}
	for _, field := range fields {
		if !isCapability(field.Name.Text) {
			return ""
		}
	}
	return inYAML(text)
}
