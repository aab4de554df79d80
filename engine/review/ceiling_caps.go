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
		later := gained[regainable]
		if later != 0 {
			what = fmt.Sprintf("set-user-id programs and file capabilities can give %s, which %s does not allow", engine.CapNames(later), x.name)
		}
		delete(gained, regainable)
		x.sayCaps(policy.Position{}, later, "no_new_privs missing: "+what, "add no_new_privs: true")
	}
	for set, caps := range gained {
		var names []string
		for v, name := range vectors {
			if set&(1<<v) != 0 {
				names = append(names, name)
			}
		}
		at, hint := x.capsPlace(caps, set&held != 0)
		x.sayCaps(at, caps, engine.CapNames(caps)+" in "+enumeration(names)+x.more(), hint)
	}
}

// capsPlace returns where the profile asks for caps, and what to do there.
func (x *excess) capsPlace(caps cred.Caps, held bool) (at policy.Position, hint string) {
	p, them := x.profile, pronoun(caps)
	switch {
	case p.IAB != nil && (p.Caps == nil || !held):
		named := false
		eachWordOf(p, "iab", func(_ policy.Position, v cap.Value) { named = named || caps.Has(int(v)) })
		if !named {
			return wordPosition(p, "iab", caps), "leave iab out and declare caps, or block " + them + " with ! in iab"
		}
		return wordPosition(p, "iab", caps), "take " + them + " out of iab, and block " + them + " with !"
	case p.Caps != nil && p.IAB != nil:
		return wordPosition(p, "caps", caps), "take " + them + " out of caps and of iab"
	case p.Caps != nil:
		return wordPosition(p, "caps", caps), "take " + them + " out of caps"
	}
	if held {
		at = x.at("uid", "user")
	}
	return at, "declare caps, with what the program needs and no more"
}

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
	hint := "add " + names + " to secbits"
	if x.profile.Mode != nil {
		hint = "leave mode out, which excludes secbits, and declare secbits with " + names
	}
	x.say(x.at("secbits", "mode"), "the securebits lack "+names+x.more(), hint)
}
