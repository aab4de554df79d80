package review

import (
	"fmt"
	"regexp"
	"strings"

	"caprun/cap"
)

var removed = regexp.MustCompile(`^remove (\S+) from (caps|iab|caps and iab)(?:, and set the limit to what the target needs)?$`)

// changeCaps follows a hint about the capabilities in caps or iab: those that it names,
// or those of the finding.
func (e *editor) changeCaps(words string) bool {
	mask := cap.Mask(e.finding.Caps)
	if m := removed.FindStringSubmatch(words); m != nil {
		if m[1] != "it" && m[1] != "them" {
			set, err := cap.FromText(m[1] + "=p")
			if err != nil {
				return false
			}
			_, mask, _, _ = set.Masks()
		}
		if mask == 0 {
			return false
		}
		ok := true
		if strings.HasPrefix(m[2], "caps") {
			ok = e.changeSet(func(s *sets) { s.clear(mask) })
		}
		if ok && strings.HasSuffix(m[2], "iab") {
			e.parse()
			ok = e.changeTuple(func(s *sets) { s.clear(mask) })
		}
		return ok
	}
	words = strings.NewReplacer(" it ", " them ").Replace(words)
	switch words {
	case "give them the flags eip in caps":
		return e.changeSet(func(s *sets) { s.raise(mask) })
	case "give them the mark ^ in iab":
		return e.changeTuple(func(s *sets) { s.i, s.a = s.i|mask, s.a|mask })
	case "remove the flag i from caps":
		return e.changeSet(func(s *sets) { s.i &^= mask })
	case "remove the mark % from iab":
		return e.changeTuple(func(s *sets) { s.i &^= mask })
	case "remove them from iab and block them with !":
		return e.changeTuple(func(s *sets) { s.clear(mask); s.blocked |= mask })
	case "block them with ! in iab":
		return e.changeTuple(func(s *sets) { s.blocked |= mask })
	case "add secbits: [noroot, noroot_locked] and use the flags eip in caps":
		return e.changeSet(func(s *sets) { s.raise(s.p) }) && e.insert(e.root, []string{"secbits: [noroot, noroot_locked]"})
	}
	return false
}

// sets are those of caps, or of iab.
type sets struct{ e, p, i, a, blocked cap.Mask }

func (s *sets) raise(mask cap.Mask) { s.e, s.p, s.i = s.e|mask, s.p|mask, s.i|mask }

func (s *sets) clear(mask cap.Mask) {
	s.e, s.p, s.i, s.a = s.e&^mask, s.p&^mask, s.i&^mask, s.a&^mask
}

func (e *editor) changeSet(change func(*sets)) bool {
	return e.rewrite("caps", func(text string) string {
		set, _, err := cap.ReadText(text, cap.NamedCount)
		if err != nil {
			return ""
		}
		var s sets
		s.e, s.p, s.i, _ = set.Masks()
		change(&s)
		return cap.SetOf(s.e, s.p, s.i).Text(cap.NamedCount)
	})
}

func (e *editor) changeTuple(change func(*sets)) bool {
	return e.rewrite("iab", func(text string) string {
		tuple, _, err := cap.ReadIAB(text)
		if err != nil {
			return ""
		}
		var s sets
		s.i, s.a, s.blocked, _ = tuple.Masks()
		change(&s)
		return cap.IABOf(s.i, s.a, s.blocked).String()
	})
}

// rewrite replaces the text of a key of the profile with what change returns for it.
func (e *editor) rewrite(key string, change func(string) string) bool {
	if e.root == nil || keyIndex(e.root, key) < 0 {
		return false
	}
	i := keyIndex(e.root, key)
	begin, end := entrySpan(e.text, e.root, i)
	return e.splice(begin, end, fmt.Sprintf("%s: %q", key, change(e.root.Content[i+1].Value)))
}
