package policy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// keys are the keys of a profile, in the order of the format.
var keys = [...]string{
	"version", "name", "description", "command",
	"user", "uid", "gid", "groups",
	"caps", "iab", "mode", "secbits", "no_new_privs",
	"chroot", "cwd", "umask", "env", "rlimits", "keep_fds", "new_session", "keyring",
	"lint",
}

// otherNames are the names that other tools have for a key, as plainName writes them.
var otherNames = [...][2]string{
	{"capabilities", "caps"}, {"cap", "caps"}, {"ambient", "caps"}, {"ambientcapabilities", "caps"},
	{"noneweprivileges", "no_new_privs"}, {"nonewprivileges", "no_new_privs"}, {"no_new_privileges", "no_new_privs"}, {"nnp", "no_new_privs"},
	{"securebits", "secbits"}, {"root", "chroot"}, {"rootdirectory", "chroot"},
	{"workdir", "cwd"}, {"workingdirectory", "cwd"}, {"working_directory", "cwd"}, {"directory", "cwd"},
	{"environment", "env"}, {"limits", "rlimits"}, {"ulimits", "rlimits"},
	{"cmd", "command"}, {"args", "command"}, {"exec", "command"}, {"execstart", "command"},
	{"username", "user"}, {"group", "gid"}, {"supplementarygroups", "groups"},
	{"fds", "keep_fds"}, {"setsid", "new_session"}, {"session", "new_session"}, {"title", "name"},
	{"ignore", "lint"}, {"suppress", "lint"}, {"disable", "lint"}, {"nolint", "lint"},
}

var profileKind = mappingKind{
	what:     "a profile",
	required: []string{"version", "user", "uid", "gid"},
	hint:     func(*yaml.Node) string { return "write KEY: VALUE lines, for example version: 1" },
}

func (r *reader) readProfile(root *yaml.Node) {
	if r.opaque(root) {
		return
	}
	fields, ok := r.fields(root, "", profileKind)
	if !ok {
		return
	}
	r.top = fields
	for _, f := range fields {
		r.readKey(f)
	}
	if _, ok := r.key("version"); !ok {
		at := r.source.offset(root.Line, root.Column)
		r.report(r.source.span(at, at), missingKey, "add version: 1", "missing key \"version\"")
	}
	r.checkIdentity()
	r.checkExclusive("mode", "secbits", "remove mode or secbits")
}

// key returns a key of the profile.
func (r *reader) key(name string) (f field, ok bool) {
	n := slices.IndexFunc(r.top, func(f field) bool { return f.name == name })
	if n < 0 {
		return field{}, false
	}
	return r.top[n], true
}

func (r *reader) readKey(f field) {
	switch {
	case !slices.Contains(keys[:], f.name):
		r.unknownKey(f, "", r.profileKeyHint(f))
	case !f.bad:
		r.readValue(f)
	}
}

// profileKeyHint is the hint for a key that profiles do not have.
func (r *reader) profileKeyHint(f field) string {
	name := suggestKey(f.name)
	if name == "" {
		return ""
	}
	hint := r.keyHint(f, name, r.top, (*reader).readValue)
	if hint != didYouMean(name) {
		return hint
	}
	if why := r.conflictOf(name); why != "" {
		return "the key is " + name + ", but " + why
	}
	return hint
}

// conflictOf returns why a key cannot be added to the profile, or "".
func (r *reader) conflictOf(name string) string {
	has := func(name string) bool { _, ok := r.key(name); return ok }
	for _, pair := range [...][2]string{{"user", "uid"}, {"uid", "user"}, {"mode", "secbits"}, {"secbits", "mode"}} {
		if name == pair[0] && has(pair[1]) {
			return "it excludes " + pair[1]
		}
	}
	switch hasUser := has("user") || has("uid"); {
	case name == "uid" && !has("gid"):
		return "it requires gid"
	case name == "gid" && !hasUser, name == "groups" && !hasUser:
		return "it requires uid or user"
	}
	return ""
}

// readValue reads the value of a key that profiles have.
func (r *reader) readValue(f field) {
	switch f.name {
	case "version":
		r.readVersion(f)
	case "name":
		r.readName(f)
	case "description":
		r.readDescription(f)
	case "command":
		r.readCommand(f)
	case "user":
		r.readUser(f)
	case "uid":
		r.profile.UID = r.readID(f, uidKind)
	case "gid":
		r.profile.GID = r.readID(f, gidKind)
	case "groups":
		r.readGroups(f)
	case "caps":
		r.readCaps(f)
	case "iab":
		r.readIAB(f)
	case "mode":
		r.readMode(f)
	case "secbits":
		r.readSecbits(f)
	case "no_new_privs":
		r.profile.NoNewPrivs = r.readTrue(f, "no process can clear no_new_privs")
	case "chroot":
		r.profile.Chroot = r.readPath(f)
	case "cwd":
		r.profile.Cwd = r.readPath(f)
	case "umask":
		r.readUmask(f)
	case "env":
		r.readEnv(f)
	case "rlimits":
		r.readRlimits(f)
	case "keep_fds":
		r.readKeepFDs(f)
	case "new_session":
		r.profile.NewSession = r.readTrue(f, "no process can return to its previous session")
	case "keyring":
		r.readKeyring(f)
	case "lint":
		r.readLint(f)
	default:
		r.reportInternal("the key %s has no reader", f.name)
	}
}

func suggestKey(name string) string {
	plain := plainName(name)
	for _, other := range otherNames {
		if other[0] == plain {
			return other[1]
		}
	}
	return Suggest(name, keys[:])
}

// checkExclusive reports two keys of which a profile can have one, at the later one.
func (r *reader) checkExclusive(a, b, hint string) {
	first, ok := r.key(a)
	second, both := r.key(b)
	if !ok || !both {
		return
	}
	if r.source.node(second.key).compare(r.source.node(first.key)) < 0 {
		first, second = second, first
	}
	r.reportAt(second.key, conflictingKeys, hint, "%s and %s are mutually exclusive (%s is on line %d)", first.name, second.name, first.name, first.key.Line)
}

var versionKind = numberKind{what: "version", lo: 1, hi: 1, rule: badVersion, hint: "write 1"}

func (r *reader) readVersion(f field) { r.whole(f.value, versionKind) }

var nameKind = textKind{
	what:  "name",
	valid: isName,
	hint:  "use at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit",
}

func (r *reader) readName(f field) {
	s, ok := r.text(f.value, nameKind)
	if !ok {
		return
	}
	if !isName(s) {
		r.reportAt(f.value, badName, nameKind.hint, "invalid name %s", quote(s))
		return
	}
	r.profile.Name = s
}

func isName(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("._-", s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= maxNameLength && isAlphanumeric(s[0])
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

var descriptionKind = textKind{what: "description", hint: "write text"}

func (r *reader) readDescription(f field) {
	s, ok := r.text(f.value, descriptionKind)
	if !ok {
		return
	}
	if n := utf8.RuneCountInString(s); n > maxDescriptionLength {
		r.reportAt(f.value, tooLong, "move the excess into comments", "description is %d characters; the limit is %d", n, maxDescriptionLength)
		return
	}
	r.profile.Description = s
}
