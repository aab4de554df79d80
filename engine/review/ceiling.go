package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/policy"
)

// ceilingRule is the rule that aboveCeiling checks.
var ceilingRule = policy.Rule{Name: "above-ceiling", Severity: policy.Error, Summary: "The profile grants more than the ceiling."}

// aboveCeiling reports what a plan grants beyond a ceiling. Both are compiled for
// the same caller. The ceiling bounds privilege; it does not fix the user or the
// root directory:
//
//   - All ordinary users are equal, and so are ordinary primary groups. Uid 0, the
//     groups of privilegedGroups and each supplementary group that the ceiling
//     lacks are more: a number or a name does not tell what a group can access. A
//     name and a number are different groups. Under a ceiling that is uid 0, every
//     user is allowed.
//   - A profile must declare each restriction of the ceiling: chroot, no_new_privs,
//     securebits and locks, limits, env, groups, new_session. The caller is not
//     known, so its own restrictions do not count.
//   - All root directories are equal unless one contains the other. "/" is no
//     restriction, and a link of a process may lead anywhere.
//   - no_setuid_fixup and the values of variables are ignored.
//   - Only unlimited exceeds a limit that the ceiling does not declare.
func aboveCeiling(ceiling, plan *engine.Plan) []Finding {
	c := ceilingCheck{reporter: reporter{profile: plan.Profile, rule: ceilingRule}, ceiling: ceiling, plan: plan, name: ceiling.Profile.File}
	comparison := compare.Compare(ceiling, plan)
	for _, d := range comparison.Differences {
		switch d.Dimension {
		case compare.UID:
			c.identity(d)
		case compare.GID, compare.Groups: // reported with the uid
		case compare.Effective: // together with the other sets and no_new_privs
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
		case compare.Keyring:
			c.keyring(d)
		case compare.Session:
			c.session(d)
		default:
			if d.Order.Widens() {
				c.report(c.profile.Position(string(d.Dimension)), string(d.Dimension)+": "+d.Text()+c.more(), "set it as in "+c.name)
			}
		}
	}
	return c.found
}

// A ceilingCheck reports what is above a ceiling.
type ceilingCheck struct {
	reporter
	ceiling, plan *engine.Plan
	name          string // of the ceiling
}

func (c *ceilingCheck) more() string { return ": more than " + c.name + " allows" }

// at returns the position of the first of the keys that is present.
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
			who = "no user declared, so uid 0 if root starts it"
		}
		c.report(c.at("uid", "user"), who+c.more(), "declare another user")
		return
	}
	c.groups()
}

// groups compares the declared groups. Those of an entry in the user database are
// not known here.
func (c *ceilingCheck) groups() {
	p, limit := c.profile, c.ceiling.Profile
	allowed := slices.Clone(limit.Groups)
	if limit.GID != nil {
		allowed = append(allowed, *limit.GID)
	}
	for _, g := range privilegedGroups {
		if p.GID != nil && g.has(c.plan, *p.GID) && !slices.Contains(allowed, *p.GID) {
			c.report(c.at("gid"), "gid "+p.GID.String()+c.more(), "declare another group")
		}
	}
	var gained []string
	var first policy.Position
	for i, g := range p.Groups {
		if slices.Contains(allowed, g) || p.GID != nil && *p.GID == g {
			continue
		}
		if gained = append(gained, g.String()); len(gained) == 1 {
			first = c.at(fmt.Sprintf("groups[%d]", i), "groups")
		}
	}
	if gained != nil {
		c.report(first, "groups "+strings.Join(gained, ",")+c.more(), "remove "+strings.Join(gained, ",")+" from groups; some groups, such as docker and disk, are equivalent to root")
	}
	if limit.Groups != nil && p.Groups == nil && p.User != "" {
		c.report(c.at("user"), fmt.Sprintf("the groups of user %s come from the user database, but %s declares the allowed groups", p.User, c.name),
			"declare groups, for example groups: []")
	}
}
