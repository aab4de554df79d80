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
	for i := range fields {
		r.index(&fields[i])
	}
	for _, f := range fields {
		r.readKey(f)
	}
	if _, ok := r.key("version"); !ok {
		at := r.source.offset(root.Line, root.Column)
		r.report(r.source.span(at, at), missingKey, "add version: 1", "missing key \"version\"")
	}
	r.checkKeys()
}

// checkKeys reports keys that exclude or require others.
func (r *reader) checkKeys() {
	r.checkIdentity()
	r.checkExclusive("mode", "secbits", "remove mode or secbits")
}

// A keyIndex has the fields of a profile, each at the index of its key in keys; nil for
// a key that is absent.
type keyIndex [len(keys)]*field

func (x *keyIndex) key(name string) *field {
	if n := slices.Index(keys[:], name); n >= 0 {
		return x[n]
	}
	return nil
}

// index records a field of the profile by its key, or by the one that was meant.
func (r *reader) index(f *field) {
	if n := slices.Index(keys[:], f.name); n >= 0 {
		r.declared[n] = f
		return
	}
	f.meant = suggestKey(f.name)
	if f.meant == "uid" && isUserName(f.value) {
		f.meant = "user"
	}
	if n := slices.Index(keys[:], f.meant); n >= 0 && r.meant[n] == nil {
		r.meant[n] = f
	}
}

// key returns a key of the profile.
func (r *reader) key(name string) (f field, ok bool) {
	if f := r.declared.key(name); f != nil {
		return *f, true
	}
	return field{}, false
}

func (r *reader) readKey(f field) {
	switch {
	case !slices.Contains(keys[:], f.name):
		r.unknownKey(f, "", r.profileKeyHint(f))
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
		r.profile.UID = r.readID(f, uidKind)
	case "gid":
		r.readGID(f)
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
