package policy

import (
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

var (
	uidKind    = numberKind{what: "uid", hi: maxID, rule: badID, hint: "write a user ID"}
	gidKind    = numberKind{what: "gid", hi: maxID, rule: badID, hint: "write a group ID"}
	groupKind  = numberKind{what: "group", hi: maxID, rule: badID, hint: "write a group ID"}
	groupsKind = listKind{
		what: "groups", limit: maxGroups, separators: ",", fix: groupKind.fix,
		hint: "write a list of group IDs; [] means no groups",
	}
	userKind = textKind{
		what: "user",
		fix: func(s string) string {
			if isPlainDecimal(s) {
				return userIDKind.fix(s)
			}
			if badUserName(s) != "" {
				return ""
			}
			return inYAML(s)
		},
		hint: "write the name of a user, or write a number without quotes",
	}
	userIDKind = numberKind{what: "user", hi: maxID, rule: badID, hint: "write the name or the number of a user"}
)

// id returns the user or group ID that a node is.
func (r *reader) id(n *yaml.Node, k numberKind) (id uint32, ok bool) {
	k.hint = r.idHint(n, k)
	v, ok := r.whole(n, k)
	return uint32(v), ok
}

// idHint is the hint for a node that is not an ID: how to find the number of a
// name.
func (r *reader) idHint(n *yaml.Node, k numberKind) string {
	switch {
	case !isScalar(n):
	case n.Value == "-1" || n.Value == "4294967295":
		return `4294967295 and -1 mean "no change" to the kernel; ` + k.hint
	case looksNumeric(n) || isAmbiguous(n) || !isName(n.Value) || isDecimal(n.Value):
	case k.what != uidKind.what:
		return "write its number; getent group " + n.Value + " prints it"
	default:
		find := "write its number; getent passwd " + n.Value + " prints it"
		if _, ok := r.key("user"); ok || badUserName(n.Value) != "" {
			return find
		}
		return "write user: " + inYAML(n.Value) + ", or " + find
	}
	return k.hint
}

func (r *reader) readID(f field, k numberKind) *uint32 {
	if id, ok := r.id(f.value, k); ok {
		return &id
	}
	return nil
}

// readUser reads a number that has an entry in the user database, or a name.
func (r *reader) readUser(f field) {
	if looksNumeric(f.value) {
		if _, ok := r.id(f.value, userIDKind); ok {
			r.profile.User = f.value.Value
		}
		return
	}
	s, ok := r.text(f.value, userKind)
	if !ok {
		return
	}
	if why := badUserName(s); why != "" {
		r.reportAt(f.value, badUser, userKind.hintFor(f.value), "invalid user %s: %s", quote(s), why)
		return
	}
	r.profile.User = s
}

// badUserName returns why s cannot be the name of an entry in /etc/passwd, or "".
// Names that begin with a digit or a plus sign are refused too, although such
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
	items, ok := r.items(f.value, groupsKind)
	if !ok {
		return
	}
	groups := make([]uint32, 0, len(items))
	ids := newOnce[uint32](r)
	for i, n := range items {
		k := groupKind
		k.items = items
		id, ok := r.id(n, k)
		if !ok || !ids.first(n, id, "group "+n.Value) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		groups = append(groups, id)
	}
	r.profile.Groups = groups
}

// checkIdentity requires a complete identity. A new uid with the caller's
// group, or new groups with the caller's uid, is never what is meant.
func (r *reader) checkIdentity() {
	uid, hasUID := r.key("uid")
	gid, hasGID := r.key("gid")
	groups, hasGroups := r.key("groups")
	_, hasUser := r.key("user")
	exclusive := "remove uid"
	if hasGID {
		exclusive = "remove user or uid"
	}
	r.checkExclusive("user", "uid", exclusive)
	if hasUID && !hasGID && !hasUser {
		r.reportAt(uid.key, missingGID, "add gid: NUMBER, or write user: NAME instead of uid", "uid requires gid: without it the target keeps the caller's group")
	}
	if hasUID || hasUser {
		return
	}
	if hasGID {
		r.reportAt(gid.key, missingUID, "add uid: NUMBER, or add user: NAME", "gid requires uid or user")
	}
	switch {
	case !hasGroups:
	case hasGID:
		r.reportAt(groups.key, missingUID, "add uid: NUMBER, or add user: NAME", "groups requires uid or user")
	default:
		r.reportAt(groups.key, missingUID, "add uid: NUMBER and gid: NUMBER, or add user: NAME", "groups requires uid and gid, or user")
	}
}
