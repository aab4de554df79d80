package policy

import (
	"errors"
	"strings"
	"unicode"

	"caprun/cap"

	"gopkg.in/yaml.v3"
)

// A word is a part of a text, and where it begins there, in bytes.
type word struct {
	text   string
	offset int
}

// split returns the parts of text between separators, empty ones too.
func split(text string, separator byte) []word {
	var words []word
	at := 0
	for {
		n := strings.IndexByte(text[at:], separator)
		if n < 0 {
			return append(words, word{text[at:], at})
		}
		words = append(words, word{text[at : at+n], at})
		at += n + 1
	}
}

// clauses returns the parts of text between white space.
func clauses(text string) []word {
	var words []word
	begin := -1
	for i, c := range text + " " {
		switch space := unicode.IsSpace(c); {
		case space && begin >= 0:
			words = append(words, word{text[begin:i], begin})
			begin = -1
		case !space && begin < 0:
			begin = i
		}
	}
	return words
}

// capabilityText returns a text of capabilities of a bounded length.
func (r *reader) capabilityText(f field) (s string, ok bool) {
	s, ok = r.text(f.value, f.name)
	if ok && len(s) > maxCapabilityText {
		r.sayAt(f.value, tooLong, "name each capability once", "%s has %d bytes; at most %d make sense", f.name, len(s), maxCapabilityText)
		return "", false
	}
	return s, ok
}

func (r *reader) readCaps(f field) {
	s, ok := r.capabilityText(f)
	if !ok {
		return
	}
	words := clauses(s)
	if len(words) == 0 {
		r.sayAt(f.value, badCaps, `write "=" for no capabilities, or leave the key out`, "caps is empty")
		return
	}
	formed := true
	for _, clause := range words {
		formed = r.checkClause(f.value, clause) && formed
	}
	if formed {
		r.checkDiscarded(f.value, words)
	}
	r.profile.Caps = &s
}

// checkClause reports the names of a clause that no kernel has, all of them,
// or else what is wrong with its form. It returns false for the latter.
func (r *reader) checkClause(n *yaml.Node, clause word) (formed bool) {
	names := split(namesOf(clause.text), ',')
	good := true
	for _, name := range names {
		if name.text == "" || name.text == "all" && len(names) == 1 {
			continue
		}
		good = r.checkCapability(n, word{name.text, clause.offset + name.offset}, badCaps) && good
	}
	if !good {
		return namesOf(clause.text) != clause.text
	}
	_, err := cap.ParseText(clause.text, cap.NamedCount)
	if err != nil {
		r.sayText(n, clause.offset, badCaps, "write it like cap_kill,cap_net_raw=eip", err)
	}
	return err == nil
}

// namesOf returns what stands before the first operator of a clause.
func namesOf(clause string) string {
	if n := strings.IndexAny(clause, "=+-"); n >= 0 {
		return clause[:n]
	}
	return clause
}

// sayText reports an error of package cap, in a text that begins at offset of
// the scalar.
func (r *reader) sayText(n *yaml.Node, offset int, which rule, hint string, err error) {
	var fault *cap.TextError
	if !errors.As(err, &fault) {
		r.sayBug("a text is refused without saying which word: %v", err)
		return
	}
	r.sayIn(n, offset+fault.Offset, fault.Length, which, hint, "%s: %s", quote(fault.Word), fault.Reason)
}

// checkCapability reports a name that is no capability that a kernel has, and
// a number that other tools read in another base.
func (r *reader) checkCapability(n *yaml.Node, name word, which rule) bool {
	v, err := cap.FromName(name.text)
	switch {
	case err == nil && v < cap.NamedCount && (name.text == v.String() || isDecimal(name.text) && notation(name.text) == ""):
		return true
	case err == nil && v >= cap.NamedCount, isDecimal(name.text) && err != nil:
		last := cap.Value(cap.NamedCount - 1)
		r.sayIn(n, name.offset, len(name.text), unknownCapability, "the last one is 40, "+last.String(), "no kernel has a capability %s", name.text)
	case err == nil:
		r.sayIn(n, name.offset, len(name.text), which, "write "+v.String(), "%s is another number to other tools", quote(name.text))
	default:
		r.sayIn(n, name.offset, len(name.text), unknownCapability, capabilityHint(name.text), "%s is no capability", quote(name.text))
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
func (r *reader) checkDiscarded(n *yaml.Node, words []word) {
	last := len(words) - 1
	for last > 0 && !resets(words[last].text) {
		last--
	}
	for i := range last {
		r.sayIn(n, words[i].offset, len(words[i].text), discardedClause, discardedHint(words[i].text, words[last].text),
			"%s is discarded by the later %s, though C tools read both", quote(words[i].text), quote(words[last].text))
	}
}

// resets reports whether a clause sets, rather than adds or removes.
func resets(clause string) bool { return strings.HasPrefix(clause[len(namesOf(clause)):], "=") }

func discardedHint(early, late string) string {
	earlyNames, lateNames := namesOf(early), namesOf(late)
	op := late[len(lateNames):]
	switch {
	case lateNames == "":
		return "leave it out, or put " + late + " first"
	case earlyNames != "" && early[len(earlyNames):] == op:
		return "join them: " + earlyNames + "," + late
	case len(op) > 1:
		return "add with + instead: " + lateNames + "+" + op[1:]
	}
	return "leave it out"
}

func (r *reader) readIAB(f field) {
	s, ok := r.capabilityText(f)
	if !ok {
		return
	}
	good := true
	for _, element := range split(s, ',') {
		name := strings.TrimLeft(element.text, "!^%")
		if name == "" {
			continue
		}
		at := element.offset + len(element.text) - len(name)
		good = r.checkCapability(f.value, word{name, at}, badIAB) && good
	}
	if !good {
		return
	}
	if _, err := cap.ParseIAB(s); err != nil {
		r.sayText(f.value, 0, badIAB, "write it like ^cap_net_raw,!cap_kill", err)
		return
	}
	r.profile.IAB = &s
}
