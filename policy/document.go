package policy

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// keys are the keys of a profile, in the order of the format.
var keys = [...]string{
	"version", "name", "description", "command",
	"user", "uid", "gid", "groups",
	"caps", "iab", "mode", "secbits", "no_new_privs",
	"chroot", "cwd", "umask", "env", "rlimits", "keep_fds", "new_session",
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
	r.top = make(map[string]field, len(keys))
	for _, f := range fields {
		r.top[f.name] = f
		r.readKey(f)
	}
	if _, ok := r.top["version"]; !ok {
		at := r.source.offset(root.Line, root.Column)
		r.say(r.source.span(at, at), missingKey, "write version: 1", "the profile has no version")
	}
	r.checkIdentity()
	r.exclusive("mode", "secbits")
}

func (r *reader) readKey(f field) {
	read := r.keyReader(f.name)
	if read == nil {
		r.sayUnknown(f, unknownKey, "a profile", didYouMean(suggestKey(f.name)))
	} else if !f.bad {
		read(f)
	}
}

// keyReader returns what reads the value of a key, or nil.
func (r *reader) keyReader(name string) func(field) {
	switch name {
	case "version":
		return r.readVersion
	case "name":
		return r.readName
	case "description":
		return r.readDescription
	case "command":
		return r.readCommand
	case "user":
		return r.readUser
	case "uid":
		return func(f field) { r.profile.UID = r.readID(f) }
	case "gid":
		return func(f field) { r.profile.GID = r.readID(f) }
	case "groups":
		return r.readGroups
	case "caps":
		return r.readCaps
	case "iab":
		return r.readIAB
	case "mode":
		return r.readMode
	case "secbits":
		return r.readSecbits
	case "no_new_privs":
		return func(f field) {
			r.profile.NoNewPrivs = r.readTrue(f, "no_new_privs cannot be unset, so false would promise what nobody can keep")
		}
	case "chroot":
		return func(f field) { r.profile.Chroot = r.readPath(f) }
	case "cwd":
		return func(f field) { r.profile.Cwd = r.readPath(f) }
	case "umask":
		return r.readUmask
	case "env":
		return r.readEnv
	case "rlimits":
		return r.readRlimits
	case "keep_fds":
		return r.readKeepFDs
	case "new_session":
		return func(f field) {
			r.profile.NewSession = r.readTrue(f, "a process cannot go back to a session, so false would promise what nobody can keep")
		}
	case "lint":
		return r.readLint
	}
	return nil
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
	first, ok := r.top[a]
	second, both := r.top[b]
	if !ok || !both {
		return
	}
	if r.source.node(second.key).compare(r.source.node(first.key)) < 0 {
		first, second = second, first
	}
	r.sayAt(second.key, conflictingKeys, "keep one of them", "%s and %s exclude each other; %s is on line %d", first.name, second.name, first.name, first.key.Line)
}

func (r *reader) readVersion(f field) {
	if !r.isNumber(f.value, "version") {
		return
	}
	if f.value.Value != "1" {
		r.sayAt(f.value, badVersion, "write version: 1", "the format has no version %s", f.value.Value)
	}
}

func (r *reader) readName(f field) {
	s, ok := r.text(f.value, "name")
	if !ok {
		return
	}
	if !isName(s) {
		r.sayAt(f.value, badName, "use at most 64 letters, digits, '.', '_' and '-', beginning with a letter or a digit", "%s cannot be the name of a profile", quote(s))
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
		r.sayAt(f.value, tooLong, "put what is more into comments", "the description has %d characters; at most %d are read", n, maxDescriptionLength)
		return
	}
	r.profile.Description = s
}
