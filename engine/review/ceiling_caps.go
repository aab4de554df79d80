package review

import (
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/policy"
)

// capabilitySets are the dimensions in which capabilities are compared.
var capabilitySets = [...]compare.Dimension{compare.Effective, compare.Permitted, compare.Inheritable, compare.Ambient, compare.Bounding, compare.Regainable}

// caps reports capabilities that are gained in several sets once, and those that
// no_new_privs would keep from being regained together with its absence.
func (c *ceilingCheck) caps(comparison compare.Comparison) {
	const held, regainable = 1<<0 | 1<<1, 1 << 5 // by index of capabilitySets
	nnp := comparison.Find(compare.NoNewPrivs).Order == compare.More
	gained := map[int]cred.Caps{} // by set of sets
	for n := range 64 {
		in := 0
		for k, name := range capabilitySets {
			if comparison.Find(name).GainedCaps().Has(n) {
				in |= 1 << k
			}
		}
		if in != 0 {
			gained[in] = gained[in].With(n)
		}
	}
	if nnp {
		what := "set-user-ID programs and file capabilities take effect, which " + c.name + " does not allow"
		regained := gained[regainable]
		if regained != 0 {
			what = fmt.Sprintf("set-user-ID programs and file capabilities can grant %s, which %s does not allow", regained.String(), c.name)
		}
		delete(gained, regainable)
		c.reportCaps(policy.Position{}, regained, "no_new_privs is not set: "+what, "add no_new_privs: true")
	}
	for set, caps := range gained {
		var names []string
		for k, name := range capabilitySets {
			if set&(1<<k) != 0 {
				names = append(names, string(name))
			}
		}
		at, hint := c.capsPlace(caps, set&held != 0)
		c.reportCaps(at, caps, caps.String()+" in "+enumeration(names)+c.more(), hint)
	}
}

// capsPlace returns where the profile grants caps, and the hint for that place.
func (c *ceilingCheck) capsPlace(caps cred.Caps, held bool) (at policy.Position, hint string) {
	p, them := c.profile, pronoun(caps)
	switch {
	case p.IAB != nil && (p.Caps == nil || !held):
		named := false
		eachNameIn(p, "iab", func(_ policy.Position, v cap.Value) { named = named || caps.Has(int(v)) })
		if !named {
			return namePosition(p, "iab", caps), "remove iab and declare caps, or block " + them + " with ! in iab"
		}
		return namePosition(p, "iab", caps), "remove " + them + " from iab and block " + them + " with !"
	case p.Caps != nil && p.IAB != nil:
		return namePosition(p, "caps", caps), "remove " + them + " from caps and iab"
	case p.Caps != nil:
		return namePosition(p, "caps", caps), "remove " + them + " from caps"
	}
	if held {
		at = c.at("uid", "user")
	}
	return at, "declare caps with only the capabilities that the target needs"
}

func (c *ceilingCheck) securebits(d compare.Difference) {
	if !d.Order.Widens() {
		return
	}
	limit, has := cred.Securebits(d.Old.(compare.Bits)), cred.Securebits(d.New.(compare.Bits))
	missing := limit &^ has
	if missing.Has(cred.SecNoSetuidFixup) {
		missing &^= cred.SecNoSetuidFixup | cred.SecNoSetuidFixupLocked
	}
	if missing == 0 {
		return
	}
	names := strings.Join(missing.Names(), ",")
	hint := "add " + names + " to secbits"
	if missing.Has(cred.SecNoRoot) && gainsCapsAsRoot(c.plan) && c.plan.AfterExec.Permitted != 0 {
		hint += ", and declare capabilities that uid 0 can have under noroot"
	}
	if c.profile.Mode != nil {
		hint = "write secbits: [" + strings.Join(missing.Names(), ", ") + "] instead of mode"
	}
	c.report(c.at("secbits", "mode"), "missing securebits "+names+c.more(), hint)
}
