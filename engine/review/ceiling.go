package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// ceilingRule is the rule about what a profile grants next to a ceiling.
var ceilingRule = policy.Rule{Name: "above-ceiling", Severity: policy.Error, Summary: "The profile grants more than the ceiling does."}

// aboveCeiling finds what a plan grants beyond a ceiling, respect by respect,
// both from the same start. The ceiling says how much a profile may grant, and
// not which user it runs as or which directory it lives in:
//
//   - Two ordinary users are equal, and two ordinary primary groups. Uid 0,
//     a gid that is known to be as good as root, and each further group that
//     the ceiling lacks are more: nobody can tell from its number whether
//     another group is. A ceiling that is uid 0 may be everyone.
//   - What the ceiling takes away by a key, the profile takes away too: a root
//     directory, no_new_privs, a securebit or its lock, a limit, the caller's
//     variables, groups, the terminal. That the caller may take it away does not count.
//   - Two root directories are equal unless one contains the other. "/" is
//     none, and a link of a process may be any.
//   - no_setuid_fixup gives and takes, within the vectors, and does not count.
//     Nor do the values of variables.
//   - A limit that the ceiling leaves to the caller is exceeded by unlimited
//     alone.
func aboveCeiling(ceiling, plan *engine.Plan) []Finding {
	x := excess{speaker: speaker{profile: plan.Profile, rule: ceilingRule}, ceiling: ceiling, plan: plan, name: ceiling.Profile.File}
	comparison := engine.Compare(ceiling, plan)
	for _, d := range comparison.Dimensions {
		switch d.Name {
		case "uid":
			x.identity()
		case "gid", "groups": // with the uid
		case "effective": // with the others, and with no_new_privs
			x.caps(comparison.Dimensions)
		case "permitted", "inheritable", "ambient", "bounding", "regainable", "no_new_privs":
		case "secbits":
			if d.Order == engine.More || d.Order == engine.Incomparable {
				x.securebits()
			}
		case "chroot":
			x.root()
		case "env":
			x.environment()
		case "rlimits":
			x.limits()
		case "keep_fds":
			x.descriptors(d.Gained)
		default:
			if d.Order == engine.More || d.Order == engine.Incomparable {
				x.say(x.profile.Position(d.Name), d.Name+": "+d.Text()+x.more(), "make it the same as there")
			}
		}
	}
	x.session()
	return x.found
}

// An excess is what is found above a ceiling.
type excess struct {
	speaker
	ceiling, plan *engine.Plan
	name          string // of the ceiling
}

func (x *excess) more() string { return ": more than " + x.name + " allows" }

// at returns the place of the first of the keys that the profile has.
func (x *excess) at(keys ...string) policy.Position {
	for _, key := range keys {
		if at := x.profile.Position(key); at.IsKnown() {
			return at
		}
	}
	return policy.Position{}
}

func mayBeRoot(c cred.Cred) bool { return c.UID == 0 || c.EUID == 0 || c.SUID == 0 || c.FSUID == 0 }

func (x *excess) identity() {
	if mayBeRoot(x.ceiling.After) {
		return
	}
	if mayBeRoot(x.plan.After) {
		who := "uid 0"
		if !x.plan.Identity.Declared {
			who = "no user, so uid 0 where root starts it"
		}
		x.say(x.at("uid", "user"), who+x.more(), "declare another user")
		return
	}
	p, limit := x.profile, x.ceiling.Profile
	allowed := slices.Clone(limit.Groups)
	if limit.GID != nil {
		allowed = append(allowed, *limit.GID)
	}
	for _, g := range rootLikeGroups {
		if p.GID != nil && *p.GID == g.id && !slices.Contains(allowed, g.id) {
			x.say(x.at("gid"), fmt.Sprintf("gid %d", g.id)+x.more(), "declare another group")
		}
	}
	var gained []string
	var first policy.Position
	for i, g := range p.Groups {
		if slices.Contains(allowed, g) || p.GID != nil && *p.GID == g {
			continue
		}
		if gained = append(gained, fmt.Sprint(g)); len(gained) == 1 {
			first = x.at(fmt.Sprintf("groups[%d]", i), "groups")
		}
	}
	if gained != nil {
		x.say(first, "groups "+strings.Join(gained, ",")+x.more(), "take "+pronounFor(len(gained))+" out of groups; docker and disk are groups, and as good as root")
	}
	if limit.Groups != nil && p.Groups == nil && p.User != "" {
		x.say(x.at("user"), fmt.Sprintf("the groups of user %s come from the user database, and %s says which are allowed", p.User, x.name),
			"declare groups, as in groups: []")
	}
}
