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

// otherNames are what other tools call a key, as plainName writes it.
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

func (r *reader) readProfile(root *yaml.Node) {
	if r.opaque(root) {
		return
	}
	fields, ok := r.fields(root, "", "a profile")
	if !ok {
		return
	}
	r.top = fields
	for _, f := range fields {
		r.readKey(f)
	}
	if _, ok := r.key("version"); !ok {
		at := r.source.offset(root.Line, root.Column)
		r.report(r.source.span(at, at), missingKey, "write version: 1", "the profile has no version")
	}
	r.checkIdentity()
	r.exclusive("mode", "secbits")
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
		r.reportUnknown(f, unknownKey, "a profile", didYouMean(suggestKey(f.name)))
	case !f.bad:
		r.readValue(f)
	}
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
		r.profile.UID = r.readID(f)
	case "gid":
		r.profile.GID = r.readID(f)
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
		r.profile.NoNewPrivs = r.readTrue(f, "no_new_privs cannot be unset, so false would promise what nobody can keep")
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
		r.profile.NewSession = r.readTrue(f, "a process cannot go back to a session, so false would promise what nobody can keep")
	case "keyring":
		r.readKeyring(f)
	case "lint":
		r.readLint(f)
	default:
		r.reportInternal("nothing reads the key %s", f.name)
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

// exclusive reports two keys that exclude each other, at the later one.
func (r *reader) exclusive(a, b string) {
	first, ok := r.key(a)
	second, both := r.key(b)
	if !ok || !both {
		return
	}
	if r.source.node(second.key).compare(r.source.node(first.key)) < 0 {
		first, second = second, first
	}
	r.reportAt(second.key, conflictingKeys, "keep one of them", "%s and %s exclude each other; %s is on line %d", first.name, second.name, first.name, first.key.Line)
}

func (r *reader) readVersion(f field) {
	if !r.isNumber(f.value, "version") {
		return
	}
	if f.value.Value != "1" {
		r.reportAt(f.value, badVersion, "write version: 1", "the format has no version %s", f.value.Value)
	}
}

func (r *reader) readName(f field) {
	s, ok := r.text(f.value, "name")
	if !ok {
		return
	}
	if !isName(s) {
		r.reportAt(f.value, badName, "use at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit", "%s cannot be the name of a profile", quote(s))
		return
	}
	r.profile.Name = s
}

func isName(s string) bool {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return s != "" && len(s) <= maxNameLength && strings.Trim(s, alphanumeric+"._-") == "" && strings.IndexByte(alphanumeric, s[0]) >= 0
}

func (r *reader) readDescription(f field) {
	s, ok := r.text(f.value, "description")
	if !ok {
		return
	}
	if n := utf8.RuneCountInString(s); n > maxDescriptionLength {
		r.reportAt(f.value, tooLong, "put what is more into comments", "the description has %d characters; at most %d are read", n, maxDescriptionLength)
		return
	}
	r.profile.Description = s
}
