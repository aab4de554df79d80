package policy

import (
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

var (
	uidKind  = numberKind{what: "uid", hi: maxID, rule: badID, hint: "write a user ID"}
	userKind = textKind{
		what: "user", fix: func(s string) string { return fixAccount(s, inYAML) },
		hint: "write the name of a user, or write a number without quotes",
	}
	userIDKind = numberKind{what: "user", hi: maxID, rule: badID, hint: "write the name or the number of a user"}
)

// fixAccount returns a number as it is, and the name of an account as yaml writes it. It
// returns "" for any other text.
func fixAccount(s string, yaml func(string) string) string {
	switch {
	case isPlainDecimal(s):
		return userIDKind.fix(s)
	case badAccountName(s) != "":
		return ""
	}
	return yaml(s)
}

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
	case k.what == uidKind.what:
		find := "write its number; getent passwd " + n.Value + " prints it"
		if _, ok := r.key("user"); ok || badAccountName(n.Value) != "" {
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
	if why := badAccountName(s); why != "" {
		r.reportAt(f.value, badUser, userKind.hintFor(f.value), "invalid user %s: %s", quote(s), why)
		return
	}
	r.profile.User = s
}

// badAccountName returns why s cannot be the name of an entry in /etc/passwd or /etc/group,
// or "". Names that begin with a digit or a plus sign are refused too, although such an
// entry can be made: elsewhere they have become numbers, and uid 0.
func badAccountName(s string) string {
	switch {
	case s == "":
		return "it is empty"
	case len(s) > maxAccountName:
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
