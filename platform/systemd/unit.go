package systemd

import (
	"slices"
	"strings"

	"caprun/cap"
	"caprun/platform/declared"
	"caprun/policy"
)

// A unit is what the assignments of a service come to: ExecContext of systemd.
type unit struct {
	name  unitName
	file  declared.File
	found *findings

	// last has the last valid assignment of each key that has one value, without those
	// whose value is empty.
	last map[string]*assignment

	// lists has the assignments of keys with lists since the last empty one.
	lists map[string][]*assignment

	bounding, ambient capabilitySet
	secbits           cap.Secbits
	limits            map[string]limitSetting
	commands          map[string][]command
	total             int // of commands
}

type limitSetting struct {
	policy.Rlimit
	from *assignment
}

// newUnit reads the assignments of a unit and its drop-ins in their order.
func newUnit(file declared.File, list []assignment, found *findings) *unit {
	u := &unit{
		name: nameOf(file), file: file, found: found,
		last: map[string]*assignment{}, lists: map[string][]*assignment{},
		bounding: capabilitySet{initial: everything, value: everything},
		limits:   map[string]limitSetting{}, commands: map[string][]command{},
	}
	candidates := privilegeKeys()
	for n := range list {
		a := &list[n]
		a.order = n
		if a.section != serviceSection {
			u.checkSection(a)
			continue
		}
		u.assign(a, candidates)
	}
	return u
}

// refuse records a mistake for which systemd does not load a unit. It reads a drop-in until
// there.
func (u *unit) refuse(at declared.Source, hint, format string, args ...any) {
	u.found.add(declared.Refused, at, hint, format+": systemd stops reading the file here", args...)
}

// ignored records an assignment that systemd ignores.
func (u *unit) ignored(a *assignment, hint, format string, args ...any) {
	u.found.add(declared.Ignored, a.source(), hint, "systemd ignores %s=: "+format, append([]any{a.key}, args...)...)
}

// checkSection reports a key that belongs into [Service].
func (u *unit) checkSection(a *assignment) {
	_, lost := findLost(a.key)
	if lost || slices.Contains(ownKeys[:], a.key) {
		u.found.add(declared.Ignored, a.keySource(), "move it to [Service]", "%s= in [%s]: systemd ignores it", clip(a.key), a.section)
	}
}

// booleans are the keys with a boolean value that this package interprets.
var booleans = [...]string{
	"DynamicUser", "NoNewPrivileges", "PermissionsStartOnly", "RootDirectoryStartOnly",
	"PrivateDevices", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock",
	"ProtectHostname", "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
	"RemainAfterExit", "PrivateMounts", "ProtectControlGroups", "RemoveIPC", "MountAPIVFS", "IgnoreSIGPIPE",
}

// An enumeration is a key with words as values.
type enumeration struct {
	key     string
	words   []string
	boolean bool // a boolean is a value, too
}

var enumerations = [...]enumeration{
	{"KeyringMode", []string{"inherit", "private", "shared"}, false},
	{"Type", []string{"simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"}, false},
	{"ProtectSystem", []string{"yes", "no", "full", "strict"}, true},
	{"ProtectHome", []string{"yes", "no", "read-only", "tmpfs"}, true},
	{"NotifyAccess", []string{"none", "main", "exec", "all"}, false},
}

// accepts reports whether a value is one of the words.
func (e enumeration) accepts(value string) bool {
	_, isBool := parseBool(value)
	return e.boolean && isBool || slices.Contains(e.words, value)
}

// appending are the keys whose assignments add up, besides lostKeys.
var appending = [...]string{"SupplementaryGroups", "Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment", "ExecSearchPath"}

// assign reads one assignment.
func (u *unit) assign(a *assignment, candidates []string) {
	if accounts := [...]string{"User", "Group", "SupplementaryGroups"}; slices.Contains(accounts[:], a.key) && a.value != "" {
		u.checkAccounts(a)
	}
	if a.key == namespacesKey && !u.checkNamespaces(a) {
		return
	}
	lost, isLost := findLost(a.key)
	switch {
	case slices.Contains(commandKeys[:], a.key):
		u.assignCommands(a)
	case a.key == "CapabilityBoundingSet":
		u.bounding.assign(a, u.found)
	case a.key == "AmbientCapabilities":
		u.ambient.assign(a, u.found)
	case a.key == "SecureBits":
		u.secbits = readSecureBits(a, u.found)
		u.last[a.key] = a
	case strings.HasPrefix(a.key, "Limit"):
		u.assignLimit(a, candidates)
	case isLost && lost.list || slices.Contains(appending[:], a.key):
		if a.value == "" {
			delete(u.lists, a.key)
			return
		}
		u.lists[a.key] = append(u.lists[a.key], a)
	case isLost || slices.Contains(ownKeys[:], a.key) || slices.Contains(booleans[:], a.key) || slices.Contains(otherKeys[:], a.key):
		u.assignOne(a)
	default:
		u.unknownKey(a, candidates)
	}
}

// unknownKey reports a key that is probably misspelt. Others can be of a later version.
func (u *unit) unknownKey(a *assignment, candidates []string) {
	if strings.HasPrefix(a.key, "X-") || isServiceKey(a.key) {
		return
	}
	if meant := policy.Suggest(a.key, candidates); meant != "" {
		u.found.add(declared.Ignored, a.keySource(), "write "+meant+"=", "unknown key %q: systemd ignores it", clip(a.key))
	}
}

// assignOne reads the value of a key with one value.
func (u *unit) assignOne(a *assignment) {
	if slices.Contains(booleans[:], a.key) {
		if _, ok := parseBool(a.value); !ok {
			u.ignored(a, "write yes or no", "%q is not a boolean", clip(a.value))
			return
		}
		u.last[a.key] = a
		return
	}
	if a.value == "" {
		delete(u.last, a.key)
		return
	}
	for _, e := range enumerations {
		if e.key == a.key && !e.accepts(a.value) {
			hint := "the values are " + strings.Join(e.words, ", ")
			if meant := policy.Suggest(a.value, e.words); meant != "" {
				hint = "write " + meant
			}
			u.ignored(a, hint, "unknown value %q", clip(a.value))
			return
		}
	}
	if a.key == "WorkingDirectory" || a.key == "RootDirectory" {
		if !u.checkPath(a) {
			return
		}
	}
	if a.key == "UMask" {
		if _, ok := parseMode(a.value); !ok {
			u.ignored(a, "write octal digits, such as 0027", "%q is not a mode", clip(a.value))
			return
		}
	}
	u.last[a.key] = a
}

// checkPath reports whether a path is absolute and without "..". systemd refuses others, and
// ignores them after '-'.
func (u *unit) checkPath(a *assignment) bool {
	text, optional := strings.CutPrefix(a.value, "-")
	if a.key != "WorkingDirectory" {
		text, optional = a.value, false
	}
	text, unknown := u.name.expand(text)
	if unknown != "" || text == "~" && a.key == "WorkingDirectory" {
		return true
	}
	why := ""
	switch {
	case !strings.HasPrefix(text, "/"):
		why = "the path is not absolute"
	case slices.Contains(strings.Split(text, "/"), ".."):
		why = `the path has ".."`
	default:
		return true
	}
	if optional {
		u.ignored(a, "write an absolute path without ..", "%s", why)
	} else {
		u.refuse(a.source(), "write an absolute path without ..", "%s", why)
	}
	return false
}

// assignLimit reads a resource limit. An empty one is invalid, and resets nothing.
func (u *unit) assignLimit(a *assignment, candidates []string) {
	name, kind, ok := limitOf(a.key)
	if !ok {
		u.unknownKey(a, candidates)
		return
	}
	limit, why := parseLimit(name, kind, a.value)
	if why != "" {
		u.ignored(a, "", "%s", why)
		return
	}
	u.limits[name] = limitSetting{limit, a}
}

// assignCommands reads the commands of a line.
func (u *unit) assignCommands(a *assignment) {
	if a.value == "" {
		u.total -= len(u.commands[a.key])
		delete(u.commands, a.key)
		return
	}
	list := u.readCommands(a)
	if u.total += len(list); u.total > maxCommands {
		u.found.add(declared.Syntax, a.source(), "", "the unit has more than %d commands", maxCommands)
		return
	}
	u.commands[a.key] = append(u.commands[a.key], list...)
}

// value returns the last value of a key.
func (u *unit) value(key string) string {
	if a := u.last[key]; a != nil {
		return a.value
	}
	return ""
}

// isOn reports whether a key with a boolean value is set.
func (u *unit) isOn(key string) bool {
	on, _ := parseBool(u.value(key))
	return on
}
