package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/compare"
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
	c := ceilingCheck{reporter: reporter{profile: plan.Profile, rule: ceilingRule}, ceiling: ceiling, plan: plan, name: ceiling.Profile.File}
	comparison := compare.Compare(ceiling, plan)
	for _, d := range comparison.Differences {
		switch d.Dimension {
		case compare.UID:
			c.identity(d)
		case compare.GID, compare.Groups: // with the uid
		case compare.Effective: // with the other sets, and with no_new_privs
			c.caps(comparison)
		case compare.Permitted, compare.Inheritable, compare.Ambient, compare.Bounding, compare.Regainable, compare.NoNewPrivs:
		case compare.Securebits:
			c.securebits(d)
		case compare.Chroot:
			c.root(d)
		case compare.Environment:
			c.environment(d)
		case compare.Limits:
			c.limits(d)
		case compare.Descriptors:
			c.descriptors(d)
		case compare.Session:
			c.session(d)
		default:
			if d.Order.Widens() {
				c.report(c.profile.Position(string(d.Dimension)), string(d.Dimension)+": "+d.Text()+c.more(), "make it the same as there")
			}
		}
	}
	return c.found
}

// A ceilingCheck finds what is above a ceiling.
type ceilingCheck struct {
	reporter
	ceiling, plan *engine.Plan
	name          string // of the ceiling
}

func (c *ceilingCheck) more() string { return ": more than " + c.name + " allows" }

// at returns the place of the first of the keys that the profile has.
func (c *ceilingCheck) at(keys ...string) policy.Position {
	for _, key := range keys {
		if at := c.profile.Position(key); at.IsKnown() {
			return at
		}
	}
	return policy.Position{}
}

func (c *ceilingCheck) identity(d compare.Difference) {
	limit, uids := d.Old.(compare.IDs), d.New.(compare.IDs)
	if limit.MayBeRoot() {
		return
	}
	if uids.MayBeRoot() {
		who := "uid 0"
		if !c.plan.Identity.Declared {
			who = "no user, so uid 0 where root starts it"
		}
		c.report(c.at("uid", "user"), who+c.more(), "declare another user")
		return
	}
	c.groups()
}

// groups compares what the two profiles name: which groups an entry of the user
// database has, no profile says.
func (c *ceilingCheck) groups() {
	p, limit := c.profile, c.ceiling.Profile
	allowed := slices.Clone(limit.Groups)
	if limit.GID != nil {
		allowed = append(allowed, *limit.GID)
	}
	for _, g := range rootLikeGroups {
		if p.GID != nil && *p.GID == g.id && !slices.Contains(allowed, g.id) {
			c.report(c.at("gid"), fmt.Sprintf("gid %d", g.id)+c.more(), "declare another group")
		}
	}
	var gained []string
	var first policy.Position
	for i, g := range p.Groups {
		if slices.Contains(allowed, g) || p.GID != nil && *p.GID == g {
			continue
		}
		if gained = append(gained, fmt.Sprint(g)); len(gained) == 1 {
			first = c.at(fmt.Sprintf("groups[%d]", i), "groups")
		}
	}
	if gained != nil {
		c.report(first, "groups "+strings.Join(gained, ",")+c.more(), "take "+pronounFor(len(gained))+" out of groups; docker and disk are groups, and as good as root")
	}
	if limit.Groups != nil && p.Groups == nil && p.User != "" {
		c.report(c.at("user"), fmt.Sprintf("the groups of user %s come from the user database, and %s says which are allowed", p.User, c.name),
			"declare groups, as in groups: []")
	}
}
