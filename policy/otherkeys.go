package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// An otherKey is what other tools call a key, or a key that only they have.
type otherKey struct {
	names   string                      // in lower case without separators
	key     string                      // the key of profiles that it stands for, or ""
	hint    string                      // what to do where profiles have no such key
	hintFor func(*reader, field) string // for a hint that depends on values and other keys
}

// otherKeys are keys of systemd units, containers, Kubernetes and setpriv(1).
var otherKeys = [...]otherKey{
	{key: "name", names: "title"},
	{key: "command", names: "cmd args exec execstart entrypoint"},
	{key: "user", names: "username"},
	{key: "uid", names: "runasuser reuid ruid euid"},
	{key: "gid", names: "group runasgroup regid rgid egid"},
	{key: "groups", names: "supplementarygroups supplementalgroups additionalgids groupadd fsgroup"},
	{key: "caps", names: "cap capability capabilities capadd ambient ambientcaps ambientcapabilities effective permitted"},
	{key: "secbits", names: "securebits"},
	{key: "no_new_privs", names: "nonewprivileges nnp"},
	{key: "chroot", names: "root rootdirectory"},
	{key: "cwd", names: "workdir workingdir workingdirectory directory"},
	{key: "env", names: "environment"},
	{key: "rlimits", names: "limits ulimits"},
	{key: "keep_fds", names: "fds"},
	{key: "new_session", names: "setsid session"},
	{key: "lint", names: "ignore suppress disable nolint"},

	{names: "capdrop dropcapabilities", hintFor: (*reader).dropHint},
	{names: "bounding boundingset capabilityboundingset", hintFor: (*reader).boundingHint},
	{names: "inheritable inhcaps", hintFor: (*reader).inheritableHint},
	{names: "privileged", hint: "remove it; caps lists the capabilities that the target has"},
	{names: "allowprivilegeescalation", hintFor: (*reader).escalationHint},
	{names: "securityopt", hintFor: (*reader).securityOptHint},
	{names: "securitycontext podsecuritycontext", hint: "move its keys to the top level of the profile"},
	{names: "readonly readonlyrootfilesystem", hint: "remove it; caprun mounts nothing: start it in a container with a read-only root, or set ProtectSystem=strict in the unit"},
	{names: "nice", hint: "remove it; start caprun with nice(1), or set Nice= in the unit"},
	{names: "oomscoreadj oomscoreadjust", hint: "remove it; start caprun with choom(1), or set OOMScoreAdjust= in the unit"},
	{names: "envfile environmentfile", hint: "remove it; write the variables below env.set, or set EnvironmentFile= in the unit"},
	{names: "runtimedirectory", hint: "remove it; create the directory before the launch, or set RuntimeDirectory= in the unit"},
	{names: "include includes extends", hint: "remove it; a profile is one file: write the keys of the other file here"},
}

// otherKeyOf returns the entry of otherKeys for a name, or the zero value. A limit of
// systemd, such as LimitNOFILE, stands for rlimits.
func otherKeyOf(name string) otherKey {
	if len(name) > maxNameLength {
		return otherKey{}
	}
	plain := strings.ReplaceAll(plainName(name), "_", "")
	for _, other := range otherKeys {
		for known := range strings.FieldsSeq(other.names) {
			if known == plain {
				return other
			}
		}
	}
	if strings.Contains(plain, "limit") && limitOf(plain) != "" {
		return otherKey{key: "rlimits", hintFor: (*reader).ownLimitHint}
	}
	return otherKey{}
}

func suggestKey(name string) string {
	return cmp.Or(otherKeyOf(name).key, Suggest(name, keys[:]))
}

// profileKeyHint is the hint for a key that profiles do not have.
func (r *reader) profileKeyHint(f field) string {
	other := otherKeyOf(f.name)
	switch {
	case other.hintFor != nil:
		return other.hintFor(r, f)
	case f.meant == "":
		return other.hint
	}
	if hint := r.alreadyHint(f, f.meant); hint != "" {
		return hint
	}
	hint, conflict := "the key is "+f.meant, r.conflictOf(f)
	switch wrong := r.valueMistake(f, f.meant, (*reader).readValue); {
	case wrong == nil && conflict == "":
		return didYouMean(f.meant)
	case wrong == nil:
	case isSwitch(f.meant) && isFalse(f.value):
		return "remove it; " + f.meant + " is true or absent"
	case meantValue(f.meant, f.value) == "":
		return wrongToo(f.meant, wrong)
	default:
		hint = writeKey(f.meant, meantValue(f.meant, f.value), "")
	}
	return hint + conflict
}

// alreadyHint is the hint for a key that stands for one that the profile has, or for
// the same key as an earlier one; "" for the only one. A list can have values from both.
func (r *reader) alreadyHint(f field, name string) string {
	declared, meant := r.declared.key(name), r.meant.key(name)
	first := cmp.Or(declared, meant)
	switch {
	case first == nil || first.key == f.key:
		return ""
	case slices.Contains([]string{"command", "groups", "env", "rlimits"}, name):
		hint := fmt.Sprintf("move its value to %s on line %d", first.name, r.source.line(first.key))
		if declared == nil {
			hint += ", which becomes " + name
		}
		return hint
	case declared == nil:
		return fmt.Sprintf("remove it; %s on line %d becomes %s", meant.name, r.source.line(meant.key), name)
	}
	return r.repeatedHint(*declared)
}

// declares reports whether the profile has a key, or one of another tool that stands
// for it.
func (r *reader) declares(name string) bool {
	return r.declared.key(name) != nil || r.meant.key(name) != nil
}

// conflictOf returns what a hint says about the first mistake that a key with the name
// that was meant would add to the profile; "" if it adds none. It names the key that
// prevents the mistake under the name that was meant.
func (r *reader) conflictOf(f field) string {
	mistakes := func(declared keyIndex) []Diagnostic {
		trial := r.trial()
		trial.declared = declared
		trial.checkKeys()
		return trial.found
	}
	before := mistakes(r.declared)
	added := func(declared keyIndex) (message string) {
		for _, d := range mistakes(declared) {
			if !slices.Contains(before, d) {
				return d.Message
			}
		}
		return ""
	}
	renamed := r.declared
	rename := func(f field) {
		name := f.meant
		f.name = name
		renamed[slices.Index(keys[:], name)] = &f
	}
	rename(f)
	message := added(renamed)
	if message == "" {
		return ""
	}
	for n, other := range r.meant {
		if other == nil || renamed[n] != nil || r.valueMistake(*other, other.meant, (*reader).readValue) != nil {
			continue
		}
		rename(*other)
		if added(renamed) == "" {
			return fmt.Sprintf(", and %s on line %d is %s", other.name, r.source.line(other.key), other.meant)
		}
		renamed[n] = nil
	}
	return ", but " + message
}

// meantValue returns, as YAML, the value of a key that was meant by one that is wrong;
// "" if that is not certain, or if a hint cannot show it.
func meantValue(name string, n *yaml.Node) string {
	meant := ""
	switch name {
	case "command":
		meant = commandKind.meant(n)
	case "user":
		meant = userKind.meant(n)
	case "uid":
		meant = uidKind.meant(n)
	case "gid":
		meant = cmp.Or(gidKind.meant(n), groupNameKind.meant(n))
	case "groups":
		meant = groupsKind.meant(n)
	case "caps":
		meant = meantCaps(n)
	case "secbits":
		meant = secbitsKind.meant(n)
	case "chroot", "cwd":
		meant = pathKind(name).meant(n)
	case "umask":
		meant = umaskKind.meant(n)
	case "env":
		meant = meantEnv(n)
	case "rlimits":
		meant = meantRlimits(n)
	default:
		if isSwitch(name) && isWord(n, "true", "yes", "on", "1") {
			meant = "true"
		}
	}
	if len(meant) > maxShown {
		return ""
	}
	return meant
}

// isSwitch reports whether a key is true or absent.
func isSwitch(name string) bool { return name == "no_new_privs" || name == "new_session" }

// isFalse reports whether other tools read a value as false.
func isFalse(n *yaml.Node) bool { return isWord(n, "false", "no", "off", "0") }

func isWord(n *yaml.Node, words ...string) bool {
	return isScalar(n) && slices.Contains(words, strings.ToLower(n.Value))
}

// dropHint is the hint for a list of capabilities to drop.
func (r *reader) dropHint(f field) string {
	switch {
	case r.declares("caps") || r.declares("iab"):
		return "remove it; the target has only what caps or iab gives it"
	case meansAll(scalarsOf(f.value)):
		return writeKey("caps", noCaps, "")
	}
	return "declare caps with only the capabilities that the target needs; it has no others then"
}

// boundingHint is the hint for a bounding set.
func (r *reader) boundingHint(field) string {
	if r.declares("caps") || r.declares("iab") {
		return "remove it; the bounding set follows from caps or iab"
	}
	return "declare caps with only the capabilities that the target needs; the bounding set follows from it"
}

// inheritableHint is the hint for an inheritable set.
func (r *reader) inheritableHint(f field) string {
	if r.declares("caps") || r.declares("iab") {
		return "remove it; caps or iab declares the inheritable set"
	}
	names := capabilityNames(scalarsOf(f.value))
	if names != "" {
		names = meantIAB([]string{names}) // all is none of its names
	}
	return writeKey("iab", names, "write the names of capabilities, for example iab: cap_kill,cap_net_raw")
}

// escalationHint is the hint for allowPrivilegeEscalation of Kubernetes, the opposite of
// no_new_privs.
func (r *reader) escalationHint(f field) string {
	if isFalse(f.value) {
		return r.noNewPrivsHint(f)
	}
	return "remove it; only no_new_privs: true forbids it"
}

func (r *reader) noNewPrivsHint(f field) string {
	return cmp.Or(r.alreadyHint(f, "no_new_privs"), "write no_new_privs: true")
}

// securityOptHint is the hint for security_opt of Docker and Compose.
func (r *reader) securityOptHint(f field) string {
	for _, option := range scalarsOf(f.value) {
		if option = strings.ReplaceAll(plainName(option), "_", ""); strings.HasPrefix(option, "nonewprivileges") && !strings.HasSuffix(option, "false") {
			return r.noNewPrivsHint(f)
		}
	}
	return "remove it; caprun sets neither a seccomp filter nor a security label"
}

// ownLimitHint is the hint for a limit that is a key of its own.
func (r *reader) ownLimitHint(f field) string {
	name, value := limitOf(f.name), meantLimit(scalarsOf(f.value))
	switch {
	case value == "":
		return "write a number for the limit, for example rlimits: {" + name + ": 1024}"
	case r.alreadyHint(f, "rlimits") != "":
		return "remove it, and add " + name + ": " + value + " to rlimits"
	}
	return writeKey("rlimits", "{"+name+": "+value+"}", "")
}

// isUserName reports whether a value is the name of a user rather than a number.
func isUserName(n *yaml.Node) bool {
	return isScalar(n) && !isAmbiguous(n) && kindOf(n) == "text" && badAccountName(n.Value) == ""
}
