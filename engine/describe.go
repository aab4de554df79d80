package engine

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Describe returns a description of a step with its arguments, such as "set uid 33".
func (p *Plan) Describe(s Step) string {
	if text := kindOf(s.Kind).text; text != nil {
		return text(p, s)
	}
	return s.Kind.String()
}

func (p *Plan) describeDescriptors(s Step) string {
	if len(s.Keep) == 0 {
		return "close every descriptor above 2 on exec"
	}
	return "close every descriptor above 2 on exec, but " + joinNumbers(s.Keep)
}

func (p *Plan) describeGroups(s Step) string {
	if len(s.Groups) == 0 {
		// See groupsEquivalent.
		return "keep the empty group list, equivalent to gid " + p.groupsText(p.Identity.Groups)
	}
	text := p.groupsText(s.Groups)
	if strings.HasPrefix(text, "the ") {
		return "set groups to " + text
	}
	return "set groups " + text
}

func (p *Plan) describePath(s Step) string { return s.Kind.String() + " to " + s.Path }

func (p *Plan) describeCaps(s Step) string {
	return s.Kind.String() + " to " + s.Caps.String()
}

func (p *Plan) describeBound(s Step) string {
	rest := p.Caller.All.Minus(s.Caps)
	if rest == 0 {
		return "empty the bounding set"
	}
	if drop := p.Caller.All.Intersect(s.Caps); drop.Len() <= rest.Len() {
		return "drop from the bounding set " + drop.String()
	}
	return "drop from the bounding set all but " + rest.String()
}

func (p *Plan) describeRlimit(s Step) string {
	name := machine.RlimitName(s.Resource)
	declared, soft, hard := p.Profile.Rlimit(name), policy.LimitText(s.Soft), policy.LimitText(s.Hard)
	known := p.knowsLimit(s.Resource)
	switch {
	case declared.InheritSoft:
		soft = callersLimit(soft, known)
	case declared.InheritHard:
		hard = callersLimit(hard, known)
	case s.Soft == s.Hard:
		return fmt.Sprintf("set limit %s to %s", name, soft)
	}
	return fmt.Sprintf("set limit %s to soft %s, hard %s", name, soft, hard)
}

func (p *Plan) describeDeathSignal(s Step) string {
	if !p.Target.Supervised {
		return fmt.Sprintf("set the caller's parent-death signal, %d", s.Signal)
	}
	if p.losesDeathSignal() {
		return "set a parent-death signal, which exec clears"
	}
	return fmt.Sprintf("set the parent-death signal %d, sent when caprun ends", s.Signal)
}

// SecbitsText returns the names of the set bits, joined with commas; "none" if no bit
// is set.
func SecbitsText(bits cred.Securebits) string {
	if bits == 0 {
		return "none"
	}
	return strings.Join(bits.Names(), ",")
}

// LimitEntry returns a limit as it is written below rlimits.
func LimitEntry(l policy.Rlimit) string {
	soft, hard := policy.LimitText(l.Soft), policy.LimitText(l.Hard)
	switch {
	case l.InheritSoft:
		return fmt.Sprintf("%s: {hard: %s}", l.Name, hard)
	case l.InheritHard:
		return fmt.Sprintf("%s: {soft: %s}", l.Name, soft)
	case l.Soft == l.Hard:
		return l.Name + ": " + soft
	}
	return fmt.Sprintf("%s: {soft: %s, hard: %s}", l.Name, soft, hard)
}

func uidText(id machine.Identity, uid uint32) string {
	if of, unknown := id.UnknownUID(uid); unknown {
		return of.String()
	}
	if id.Entry != nil {
		return fmt.Sprintf("%d (%s)", uid, id.Entry.Name)
	}
	return fmt.Sprint(uid)
}

// gidText returns a gid as text: a number, also with the name that the profile has for it,
// or whose gid it is.
func (p *Plan) gidText(gid uint32) string {
	if of, unknown := p.Identity.UnknownGID(gid); unknown {
		return of.String()
	}
	if name := p.groupName(gid); name != "" {
		return fmt.Sprintf("%d (%s)", gid, name)
	}
	return fmt.Sprint(gid)
}

// groupName returns the name by which the profile declares a gid; empty if it declares no
// such name, or if the name was not looked up.
func (p *Plan) groupName(gid uint32) string {
	accounts := p.Target.Accounts
	if accounts == nil {
		return ""
	}
	declared := p.Profile.Groups
	if p.Profile.GID != nil {
		declared = append([]policy.Group{*p.Profile.GID}, declared...)
	}
	for _, g := range declared {
		if n, ok := accounts.Groups[g.Name]; ok && n == gid {
			return g.String()
		}
	}
	return ""
}

// groupsText returns groups as text, such as "4,33,www and the gid of user web".
func (p *Plan) groupsText(groups []uint32) string {
	var list, names []string
	ofUser := ""
	for _, n := range groups {
		switch of, unknown := p.Identity.UnknownGID(n); {
		case !unknown:
			list = append(list, p.gidText(n))
		case of.Group != "":
			names = append(names, of.String())
		case of.Supplementary:
			ofUser = "groups"
		case ofUser == "":
			ofUser = "gid"
		}
	}
	slices.Sort(names)
	list = append(list, names...)
	user := " of user " + p.Identity.User
	switch {
	case len(groups) == 0:
		return "none"
	case ofUser == "":
		return strings.Join(list, ",")
	case list != nil:
		return strings.Join(list, ",") + " and the " + ofUser + user
	case ofUser == "groups":
		return "of user " + p.Identity.User
	}
	return "the gid" + user
}

func joinNumbers[T int | uint32](list []T) string {
	var b strings.Builder
	for n, v := range list {
		if n > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// IdentityText returns the target's uids, gids and groups as text, such as "33" or
// "33,4". An ID that belongs to a user that was not looked up is "of user NAME"; that of a
// group is its name.
func (p *Plan) IdentityText() (uid, gid, groups string) {
	a := p.AfterExec
	knownUID, knownGID, _ := p.KnownIDs()
	uid, gid = uidText(p.Identity, p.Identity.UID), p.gidText(p.Identity.GID)
	if knownUID {
		uid = IDsText(a.UID, a.EUID, a.SUID, a.FSUID)
	}
	if knownGID {
		gid = IDsText(a.GID, a.EGID, a.SGID, a.FSGID)
	}
	return uid, gid, p.groupsText(a.Groups)
}

// IDsText returns the real, effective, saved and file system ID, joined with commas.
// If all are the same, it returns the ID once.
func IDsText(r, e, s, fs uint32) string {
	if r == e && e == s && s == fs {
		return fmt.Sprint(r)
	}
	return joinNumbers([]uint32{r, e, s, fs})
}

// FieldName returns the term for a field of [cred.Cred] in messages. The names of the
// fields are those that [cred.Cred.Diff] returns; another name is returned unchanged.
func FieldName(field string) string {
	switch field {
	case "UID", "EUID", "SUID", "FSUID", "GID", "EGID", "SGID", "FSGID", "Groups", "Securebits":
		return strings.ToLower(field)
	case "Inheritable", "Permitted", "Effective", "Bounding", "Ambient":
		return strings.ToLower(field) + " set"
	case "NoNewPrivs":
		return "no_new_privs"
	case "All":
		return "set of the kernel's capabilities"
	case "UserNS":
		return "user namespace"
	case "Chrooted":
		return "root directory"
	case "SharedFS":
		return "sharing of the root directory (CLONE_FS)"
	case "Traced":
		return "tracer"
	case "TracerUID":
		return "uid of the tracer"
	}
	return field
}

// FieldText returns one field of c as text. The names of the fields are those that
// [cred.Cred.Diff] returns. For a field without a text form it returns "different".
func FieldText(c cred.Cred, field string) string {
	switch field {
	case "UID":
		return fmt.Sprint(c.UID)
	case "EUID":
		return fmt.Sprint(c.EUID)
	case "SUID":
		return fmt.Sprint(c.SUID)
	case "FSUID":
		return fmt.Sprint(c.FSUID)
	case "GID":
		return fmt.Sprint(c.GID)
	case "EGID":
		return fmt.Sprint(c.EGID)
	case "SGID":
		return fmt.Sprint(c.SGID)
	case "FSGID":
		return fmt.Sprint(c.FSGID)
	case "Groups":
		if len(c.Groups) == 0 {
			return "none"
		}
		return joinNumbers(c.Groups)
	case "Inheritable":
		return c.Inheritable.String()
	case "Permitted":
		return c.Permitted.String()
	case "Effective":
		return c.Effective.String()
	case "Bounding":
		return c.Bounding.String()
	case "Ambient":
		return c.Ambient.String()
	case "Securebits":
		return SecbitsText(c.Securebits)
	case "NoNewPrivs":
		return fmt.Sprint(c.NoNewPrivs)
	}
	return "different"
}
