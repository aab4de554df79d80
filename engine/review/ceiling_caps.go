package review

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// vectors are the respects in which capabilities are compared.
var vectors = [...]string{"effective", "permitted", "inheritable", "ambient", "bounding", "regainable"}

// caps says once what is gained in several vectors, and what no_new_privs
// would keep from being regained together with its absence.
func (x *excess) caps(dimensions []engine.Dimension) {
	const held, regainable = 1<<0 | 1<<1, 1 << 5 // by index of vectors
	nnp := slices.ContainsFunc(dimensions, func(d engine.Dimension) bool { return d.Name == "no_new_privs" && d.Order == engine.More })
	gained := map[int]cred.Caps{} // by set of vectors
	for n := range 64 {
		set := 0
		for _, d := range dimensions {
			if v := slices.Index(vectors[:], d.Name); v >= 0 && d.GainedCaps().Has(n) {
				set |= 1 << v
			}
		}
		if set != 0 {
			gained[set] = gained[set].With(n)
		}
	}
	if nnp {
		what := "set-user-id programs and file capabilities work, which " + x.name + " does not allow"
		if later := gained[regainable]; later != 0 {
			what = fmt.Sprintf("set-user-id programs and file capabilities can give %s, which %s does not allow", engine.CapNames(later), x.name)
		}
		delete(gained, regainable)
		x.say(policy.Position{}, "no_new_privs missing: "+what, "add no_new_privs: true")
	}
	for set, caps := range gained {
		var names []string
		for v, name := range vectors {
			if set&(1<<v) != 0 {
				names = append(names, name)
			}
		}
		at, hint := x.capsPlace(caps, set&held != 0)
		x.say(at, engine.CapNames(caps)+" in "+enumeration(names)+x.more(), hint)
	}
}

// capsPlace returns where the profile asks for caps, and what to do there.
func (x *excess) capsPlace(caps cred.Caps, held bool) (at policy.Position, hint string) {
	p, them := x.profile, pronoun(bits.OnesCount64(uint64(caps)))
	switch {
	case p.IAB != nil && (p.Caps == nil || !held):
		return x.word("iab", *p.IAB, caps), "take " + them + " out of iab, and block " + them + " with !"
	case p.Caps != nil:
		return x.word("caps", *p.Caps, caps), "take " + them + " out of caps"
	}
	if held {
		at = x.at("uid", "user")
	}
	return at, "declare caps, with what the program needs and no more"
}

// word returns where the text at key grants the only one of caps, or all of
// the text.
func (x *excess) word(key, text string, caps cred.Caps) policy.Position {
	for n := range 64 {
		name := cap.Value(n).String()
		if caps != cred.Caps(0).With(n) {
			continue
		}
		if offset := granted(text, name); offset >= 0 {
			return x.profile.TextPosition(key, offset, len(name))
		}
	}
	return x.at(key)
}

// granted returns where a text of caps or iab names a capability other than to
// take it away, or -1.
func granted(text, name string) int {
	for from := 0; ; {
		n := strings.Index(text[from:], name)
		if n < 0 {
			return -1
		}
		begin, end := from+n, from+n+len(name)
		from = end
		if begin > 0 && (inWord(text[begin-1]) || text[begin-1] == '!') || end < len(text) && inWord(text[end]) {
			continue
		}
		clause := text[end:]
		if end := strings.IndexAny(clause, " \t\n"); end >= 0 {
			clause = clause[:end]
		}
		// A clause that only lowers: names, then -FLAGS.
		if op := strings.IndexAny(clause, "+-="); op >= 0 && !strings.ContainsAny(clause, "+=") {
			continue
		}
		return begin
	}
}

func inWord(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func (x *excess) securebits() {
	has, fixup := x.plan.After.Securebits, cred.SecNoSetuidFixup|cred.SecNoSetuidFixupLocked
	lacks := x.ceiling.After.Securebits &^ has
	if lacks.Has(cred.SecNoSetuidFixup) {
		lacks &^= fixup
	}
	if lacks == 0 {
		return
	}
	names := strings.Join(lacks.Names(), ",")
	x.say(x.at("secbits", "mode"), "the securebits lack "+names+x.more(), "add "+names+" to secbits")
}
