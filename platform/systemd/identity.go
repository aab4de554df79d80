package systemd

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"caprun/platform/declared"
	"caprun/policy"
)

// readIdentity declares the user and the groups, as get_fixed_user, get_fixed_group and
// get_supplementary_groups of systemd.
func (b *builder) readIdentity() {
	user, group := b.account("User"), b.account("Group")
	if !b.rank.setuid {
		b.stayRoot(user, group)
		return
	}
	number, isNumber := idOf(user)
	dynamic := b.isOn("DynamicUser")
	switch {
	case b.last["User"] != nil && user == "":
		b.unknownAccount(b.last["User"], "user")
		return
	case dynamic && !isNumber && user != "root" && !(user == "" && b.name.prefix == "root"):
		b.dynamicUser(user)
		return
	case dynamic && isNumber && number != 0:
		// The primary group has the same number, and systemd adds no groups.
		b.Profile.UID, b.Profile.GID = &number, &policy.Group{ID: number}
		b.from("uid", b.last["User"])
		b.addFinding(declared.Ignored, b.last["User"].source(), "write a name", "DynamicUser=yes allocates no user for a number: the process is uid %d", number)
	case user == "" || user == "root" || user == "0":
		zero := uint32(0)
		b.Profile.UID = &zero
		b.Profile.GID = &policy.Group{}
		b.Profile.Groups = []policy.Group{}
		b.from("uid", b.last["User"])
		if dynamic {
			a := cmp.Or(b.last["User"], b.last["DynamicUser"])
			b.addFinding(declared.Ignored, a.source(), "write another User=", "DynamicUser=yes allocates no user for root: the process is uid 0")
		}
	case !isAccount(user):
		b.unknownAccount(b.last["User"], "user")
		return
	default:
		b.Profile.User = user
		b.from("user", b.last["User"])
	}
	if a := b.last["Group"]; a != nil {
		if g, ok := groupOf(group); ok {
			b.Profile.GID = &g
			b.from("gid", a)
		} else {
			b.unknownAccount(a, "group")
			return
		}
	}
	members := b.last["User"] != nil && (!dynamic || b.isRoot()) && (b.Profile.GID == nil || *b.Profile.GID != policy.Group{})
	b.readGroups(members)
	if members && b.isRoot() {
		b.addLoss(b.last["User"], "systemd also adds the groups of root in the group database")
	}
	if a := b.last["PAMName"]; a != nil && b.last["User"] != nil {
		b.addLoss(a, "PAM can add groups, resource limits and variables")
	}
}

// stayRoot declares the identity of a command that keeps the user of the manager. systemd
// nevertheless calls initgroups(3) for User=, before it checks that.
func (b *builder) stayRoot(user, group string) {
	zero := uint32(0)
	b.Profile.UID = &zero
	b.Profile.GID = &policy.Group{}
	b.Profile.Groups = []policy.Group{}
	from, of := b.last["User"], clip(user)
	dynamic := b.isOn("DynamicUser")
	if from == nil && dynamic {
		from, user, of = b.last["DynamicUser"], b.name.prefix, "the allocated user"
	} else if user == "" && from != nil {
		of = clip(from.value)
	}
	root := user == "root" || user == "0"
	g, known := groupOf(group)
	hasGroup := b.last["Group"] != nil && group != ""
	if from == nil || hasGroup && known && g == (policy.Group{}) || root && !hasGroup {
		return // systemd looks up no groups for the group of root
	}
	number, isNumber := idOf(user)
	if hasGroup && known {
		b.Profile.Groups = append(b.Profile.Groups, g)
		b.from("groups", b.last["Group"])
	} else if dynamic && isNumber && !hasGroup {
		b.Profile.Groups = append(b.Profile.Groups, policy.Group{ID: number})
		b.from("groups", from)
	}
	if dynamic && isNumber && len(b.Profile.Groups) > 0 {
		return
	}
	b.Process.AddLoss(from.source(), "the command runs as root with the supplementary groups of %s", of)
}

// readGroups declares the supplementary groups. members reports that systemd adds those of
// the user in the group database. It does not for a user whose primary group is that of
// root, which the unit does not show.
func (b *builder) readGroups(members bool) {
	assignments := b.lists["SupplementaryGroups"]
	if len(assignments) == 0 {
		if members && b.Profile.User != "" {
			return // the profile adds those of the user as well
		}
		b.Profile.Groups = []policy.Group{}
		return
	}
	b.Profile.Groups = []policy.Group{}
	seen := map[policy.Group]bool{}
	for _, a := range assignments {
		list, _ := words(a.value, 0) // checkAccounts has reported an error
		for _, w := range list {
			text, unknown := b.name.expand(w.text)
			g, ok := groupOf(text)
			const most = 1024 // of package policy
			switch {
			case unknown != "":
				b.addLoss(a, "the group %s depends on the specifier %s", clip(w.text), unknown)
			case !ok || len(b.Profile.Groups) == most:
				b.addLoss(a, "a profile cannot have the group %s", clip(text))
			case !seen[g]:
				seen[g] = true
				b.Profile.Groups = append(b.Profile.Groups, g)
			}
		}
		b.from("groups", a)
	}
	if members && b.Profile.User != "" {
		b.addLoss(assignments[0], "systemd also adds the groups of %s in the group database", clip(b.Profile.User))
	}
}

// dynamicUser declares the identity of DynamicUser=. systemd allocates no user if there is
// one with the name: that of User=, or else the prefix of the unit's name.
func (b *builder) dynamicUser(user string) {
	if b.last["User"] != nil {
		b.unknownUser(b.last["DynamicUser"], notRoot, "", "DynamicUser=yes: systemd uses the account %s if it exists, and otherwise allocates the user at the start", clip(user))
		return
	}
	b.unknownUser(b.last["DynamicUser"], notRoot, "", "DynamicUser=yes: systemd allocates the user at the start")
}

// unknownAccount declares no identity: the user or the group of an assignment depends on a
// specifier, or is a name that a profile cannot have.
func (b *builder) unknownAccount(a *assignment, what string) {
	_, unknown := b.name.expand(a.value)
	who := notRoot
	switch {
	case a.key == "User" && unknown != "":
		who = mayBeRoot
	case a.key == "Group" && b.isRoot():
		who = isRoot
	}
	hint := "write a number, such as " + a.key + "=33"
	if unknown == "" {
		b.unknownUser(a, who, hint, "a profile cannot have the name of the %s", what)
		return
	}
	if b.name.template && strings.IndexByte("iInN", unknown[1]) >= 0 {
		hint = "pass an instance, such as " + clip(b.name.prefix) + "@1000.service"
	}
	b.unknownUser(a, who, hint, "the %s depends on the specifier %s", what, unknown)
}

// What is known about the uid of a process without an identity.
const (
	mayBeRoot = iota
	notRoot
	isRoot
)

// An unknownIdentity is a user that may be root, or a group of root.
type unknownIdentity struct {
	from          *assignment
	isRoot        bool
	hint, message string
}

// unknownUser declares no identity. It is a loss if the user is not root. Otherwise
// reportUnknown reports it.
func (b *builder) unknownUser(a *assignment, who int, hint, format string, args ...any) {
	b.Profile.User, b.Profile.UID, b.Profile.GID, b.Profile.Groups = "", nil, nil, nil
	b.Sets.UnknownUID, b.Sets.NotRoot = true, who == notRoot
	if who == notRoot {
		b.addLoss(a, format, args...)
	} else {
		b.unknown = &unknownIdentity{a, who == isRoot, hint, fmt.Sprintf(format, args...)}
	}
	for _, other := range append([]*assignment{b.last["Group"]}, b.lists["SupplementaryGroups"]...) {
		if other != nil && other != a {
			b.addLoss(other, "a profile without a user has no groups")
		}
	}
}

// reportUnknown reports an unknown user who may be root. The sets are known.
func (b *builder) reportUnknown() {
	u := b.unknown
	switch {
	case u == nil || !b.hasUser:
	case u.isRoot:
		b.found.add(declared.UnknownIdentity, u.from.source(), u.hint, "%s, and the process is uid 0", u.message)
	default:
		b.found.add(declared.UnknownIdentity, u.from.source(), u.hint, "%s: %s", u.message, b.IfRoot())
	}
}

// account returns the user or group of a key. It returns "" if there is none, or if it
// depends on an unknown specifier.
func (b *builder) account(key string) string {
	a := b.last[key]
	if a == nil {
		return ""
	}
	text, _ := b.name.expand(a.value)
	return text
}

// checkAccounts refuses names that systemd refuses, also where a later assignment
// replaces them.
func (u *unit) checkAccounts(a *assignment) {
	list := []word{{a.value, 0, len(a.value)}}
	if a.key == "SupplementaryGroups" {
		var err error
		if list, err = words(a.value, 0); err != nil {
			u.refuse(a.source(), "remove the backslash", "invalid list of groups")
			return
		}
	}
	for _, w := range list {
		if text, unknown := u.name.expand(w.text); unknown == "" && !isSystemdName(text) {
			u.refuse(a.word(w.offset, w.length), "write a name or a number", "invalid name in %s=: %q", a.key, clip(text))
			return // as systemd does
		}
	}
}

// isSystemdName is valid_user_group_name of systemd with VALID_USER_RELAX.
func isSystemdName(s string) bool {
	if _, ok := idOf(s); ok {
		return true
	}
	digits := strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, " ") == s && !strings.ContainsFunc(s, unicode.IsControl) &&
		!strings.ContainsAny(s, ":/") && strings.Trim(digits, "0123456789") != "" && s != "." && s != ".."
}

// idOf is parse_uid of systemd: a decimal number without a leading zero.
func idOf(s string) (n uint32, ok bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	id, err := strconv.ParseUint(s, 10, 32)
	const no16, no32 = 1<<16 - 1, 1<<32 - 1 // -1 as uid_t of 16 and 32 bits
	return uint32(id), err == nil && id != no16 && id != no32
}

// isAccount reports whether a profile can have the name or number of a user or group.
func isAccount(s string) bool {
	const most = 255
	if _, ok := idOf(s); ok {
		return true
	}
	return s != "" && len(s) <= most && isText(s) && !strings.ContainsFunc(s, unicode.IsSpace) &&
		!strings.ContainsAny(s, ":/") && strings.IndexByte("+-0123456789", s[0]) < 0
}

// groupOf returns the group of a name or a number.
func groupOf(s string) (g policy.Group, ok bool) {
	if n, ok := idOf(s); ok {
		return policy.Group{ID: n}, true
	}
	if s == "root" {
		return policy.Group{}, true
	}
	return policy.Group{Name: s}, isAccount(s)
}
