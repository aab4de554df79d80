package systemd

import (
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
	if b.isOn("DynamicUser") {
		b.unknownUser(b.last["DynamicUser"], "systemd allocates the user at the start: DynamicUser=yes")
		return
	}
	switch {
	case b.last["User"] != nil && user == "":
		b.unknownUser(b.last["User"], "only systemd knows the user")
		return
	case user == "" || user == "root" || user == "0":
		zero := uint32(0)
		b.Profile.UID = &zero
		b.Profile.GID = &policy.Group{}
		b.Profile.Groups = []policy.Group{}
		b.from("uid", b.last["User"])
	case !isAccount(user):
		b.unknownUser(b.last["User"], "a profile cannot have the name of the user")
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
			b.unknownUser(a, "only systemd knows the group")
			return
		}
	}
	members := b.last["User"] != nil && (b.Profile.GID == nil || *b.Profile.GID != policy.Group{})
	b.readGroups(members)
	if members && b.isRoot() {
		b.lose(b.last["User"], "systemd also adds the groups of root in the group database")
	}
	if a := b.last["PAMName"]; a != nil && b.last["User"] != nil {
		b.lose(a, "PAM can add groups, resource limits and variables")
	}
}

// stayRoot declares the identity of a command that keeps the user of the manager. systemd
// nevertheless calls initgroups(3) for User=, before it knows that.
func (b *builder) stayRoot(user, group string) {
	zero := uint32(0)
	b.Profile.UID = &zero
	b.Profile.GID = &policy.Group{}
	b.Profile.Groups = []policy.Group{}
	root := user == "root" || user == "0"
	g, known := groupOf(group)
	hasGroup := b.last["Group"] != nil && group != ""
	if b.last["User"] == nil || hasGroup && known && g == (policy.Group{}) || root && !hasGroup || b.isOn("DynamicUser") {
		return // systemd looks up no groups for the group of root
	}
	if hasGroup && known {
		b.Profile.Groups = append(b.Profile.Groups, g)
		b.from("groups", b.last["Group"])
	}
	b.Process.Lose(b.last["User"].source(), "the command runs as root with the supplementary groups of %s", clip(b.last["User"].value))
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
				b.lose(a, "only systemd knows the group %s", clip(w.text))
			case !ok || len(b.Profile.Groups) == most:
				b.lose(a, "a profile cannot have the group %s", clip(text))
			case !seen[g]:
				seen[g] = true
				b.Profile.Groups = append(b.Profile.Groups, g)
			}
		}
		b.from("groups", a)
	}
	if members && b.Profile.User != "" {
		b.lose(assignments[0], "systemd also adds the groups of %s in the group database", clip(b.Profile.User))
	}
}

// unknownUser declares no identity.
func (b *builder) unknownUser(a *assignment, format string, args ...any) {
	b.Profile.User, b.Profile.UID, b.Profile.GID, b.Profile.Groups = "", nil, nil, nil
	b.Sets.UnknownUID = true
	b.find(declared.UnknownIdentity, a.source(), "", format, args...)
	for _, other := range append([]*assignment{b.last["Group"]}, b.lists["SupplementaryGroups"]...) {
		if other != nil && other != a {
			b.lose(other, "a profile without a user has no groups")
		}
	}
}

// account returns the user or group of a key. It returns "" if there is none, or if only
// systemd knows it.
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
