package policy

import (
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

const idHint = "0 to 4294967294 are ids; 4294967295 and -1 mean \"no change\" to the kernel"

// id returns the user or group id that a node is.
func (r *reader) id(n *yaml.Node, what string) (id uint32, ok bool) {
	v, ok := r.whole(n, what, 0, maxID, badID, idHint)
	return uint32(v), ok
}

func (r *reader) readID(f field) *uint32 {
	if id, ok := r.id(f.value, f.name); ok {
		return &id
	}
	return nil
}

// readUser reads a number that has an entry in the user database, or a name.
func (r *reader) readUser(f field) {
	if looksNumeric(f.value) {
		if _, ok := r.id(f.value, "user"); ok {
			r.profile.User = f.value.Value
		}
		return
	}
	s, ok := r.text(f.value, "user")
	if !ok {
		return
	}
	if why := badUserName(s); why != "" {
		hint := "write the name of a user, or a number without quotes"
		if isDecimal(s) && notation(s) == "" {
			hint = "write " + s + " without quotes"
		}
		r.reportAt(f.value, badUser, hint, "%s cannot be a user: %s", quote(s), why)
		return
	}
	r.profile.User = s
}

// badUserName says why s cannot be the name of an entry in /etc/passwd, or "".
// Names that begin with a digit or a plus sign are left out too, although such
// an entry can be made: elsewhere they have become numbers, and uid 0.
func badUserName(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > maxUserLength:
		return "it is too long"
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "it has white space"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "it has a control character"
	case strings.ContainsAny(s, ":/"):
		return "it has a colon or a slash"
	case s[0] == '-' || s[0] == '+' || '0' <= s[0] && s[0] <= '9':
		return "a name begins with neither a digit nor a sign"
	}
	return ""
}

func (r *reader) readGroups(f field) {
	items, ok := r.items(f.value, "groups", maxGroups)
	if !ok {
		return
	}
	groups := make([]uint32, 0, len(items))
	ids := newOnce[uint32](r)
	for i, n := range items {
		id, ok := r.id(n, "a group")
		if !ok || !ids.first(n, id, "the group "+n.Value) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		groups = append(groups, id)
	}
	r.profile.Groups = groups
}

// checkIdentity demands that an identity is whole: a new uid with the old
// group, or new groups with the old uid, is what nobody means to ask for.
func (r *reader) checkIdentity() {
	r.exclusive("user", "uid")
	_, user := r.key("user")
	uid, hasUID := r.key("uid")
	gid, hasGID := r.key("gid")
	groups, hasGroups := r.key("groups")
	if hasUID && !hasGID && !user {
		r.reportAt(uid.key, missingGID, "add gid, or write user: NAME", "uid needs gid: without it the target would keep the caller's group")
	}
	if hasUID || user {
		return
	}
	if hasGID {
		r.reportAt(gid.key, missingUID, "add uid, or write user: NAME", "gid needs uid or user")
	}
	if hasGroups {
		r.reportAt(groups.key, missingUID, "add uid and gid, or write user: NAME", "groups needs user, or uid and gid")
	}
}
