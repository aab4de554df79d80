package systemd

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// A rank says which of the unit's settings apply to a command.
type rank struct {
	main    bool // the command is one of ExecStart=
	sandbox bool // capabilities, limits, no_new_privs and the like apply
	setuid  bool // User=, Group= and SupplementaryGroups= apply
	chroot  bool
}

// rankOf returns the rank of a command.
func (u *unit) rankOf(key string, c command) rank {
	r := rank{main: key == startKey, chroot: true}
	applies := true
	if !r.main {
		applies = !u.isOn("PermissionsStartOnly")
		r.chroot = !u.isOn("RootDirectoryStartOnly")
	}
	r.sandbox = applies && !c.privileged
	r.setuid = r.sandbox && !c.keepsUser
	return r
}

// builder makes the process of a command.
type builder struct {
	*unit
	*declared.Process
	command command
	rank    rank

	// reports is set for one process, that of an ordinary main command: what it has is
	// found and lost for the whole unit.
	reports bool

	// hasUser is set for one process that User= applies to, if there is one.
	hasUser bool

	// unknown is set for a user who may be root.
	unknown *unknownIdentity

	// first is the first process of the unit, which has the losses of the whole unit.
	first *declared.Process
}

// declare sets the process of the command.
func (b *builder) declare(sockets []socket) {
	b.readIdentity()
	b.readSets()
	b.reportUnknown()
	b.readNoNewPrivileges()
	b.readDirectories()
	b.readLimits()
	b.readRest()
	b.readDescriptors(sockets)
	b.readEnvironment()
	b.readCommand()
	b.addRestLosses()
	if b.reports && b.rank.sandbox {
		b.checkAmbient()
		b.checkSetID()
	}
	b.fit()
}

// from records the assignment behind a key, if there is one.
func (b *builder) from(key string, list ...*assignment) {
	for _, a := range list {
		if a != nil {
			b.Process.From(key, a.source())
		}
	}
}

// addLoss records a loss of the whole unit, or of every process if it is about the command.
func (b *builder) addLoss(a *assignment, format string, args ...any) {
	if b.reports {
		b.first.AddLoss(a.source(), format, args...)
	}
}

// readCommand declares the command.
func (b *builder) readCommand() {
	c := b.command
	if c.unknown != "" {
		b.Process.AddLoss(c.source(), "the command depends on the specifier %s", c.unknown)
		return
	}
	list := append([]string{c.path}, c.args...)
	if c.shell {
		b.Process.AddLoss(c.source(), "the prefix | starts the command in the shell of the user; systemd 252 refuses the unit")
		return
	}
	if c.argv0 != "" {
		b.Process.AddLoss(c.source(), "the prefix @ starts the program with the name %q", clip(c.argv0))
	}
	if !c.literal {
		list = append(list[:1], b.substitute(list[1:])...)
	}
	const most = 1024 // of package policy
	if len(list) > most || slices.ContainsFunc(list, func(s string) bool { return !isText(s) }) {
		b.Process.AddLoss(c.source(), "a profile cannot have the command: it is too long, or has control characters")
		return
	}
	b.Profile.Command = list
	b.from("command", c.from)
}

// readSets declares the capability sets and the securebits.
func (b *builder) readSets() {
	all := cred.FirstCaps(cap.NamedCount)
	b.Sets.Bounding = all
	if !b.rank.sandbox {
		return
	}
	b.Sets.Bounding = b.bounding.value.Intersect(all)
	b.from("caps", b.bounding.from...)
	b.from("iab", b.bounding.from...)
	for _, s := range shrinking {
		if b.isOn(s.key) && b.Sets.Bounding.Intersect(s.caps) != 0 {
			b.Sets.Bounding = b.Sets.Bounding.Minus(s.caps)
			b.from("caps", b.last[s.key])
			b.from("iab", b.last[s.key])
		}
	}
	// systemd does not raise what is not in the bounding set: capability_ambient_set_apply.
	b.Sets.Ambient = b.ambient.value.Intersect(b.Sets.Bounding)
	b.Sets.Inheritable = b.Sets.Ambient
	b.from("caps", b.ambient.from...)
	b.from("iab", b.ambient.from...)
	b.readSecbits()
}

// readSecbits declares the securebits that remain after exec.
func (b *builder) readSecbits() {
	bits := b.secbits
	a := b.last["SecureBits"]
	if bits&cap.SecbitKeepCaps != 0 {
		bits &^= cap.SecbitKeepCaps
		b.addFinding(declared.Ignored, a.source(), "remove it", "keep-caps has no effect on the program: exec clears it")
	}
	for _, lock := range [...]cap.Secbits{cap.SecbitNoRootLocked, cap.SecbitNoSetUIDFixupLocked} {
		if bits&lock != 0 && bits&(lock>>1) == 0 {
			bits &^= lock
			b.addLoss(a, "SecureBits= locks a bit without setting it, which a profile refuses")
		}
	}
	if bits != 0 {
		b.Profile.Secbits = &bits
		b.from("secbits", a)
	}
}

// shrinking are the keys that remove capabilities from the bounding set:
// unit_patch_contexts of systemd.
var shrinking = [...]struct {
	key  string
	caps cred.Caps
}{
	{"PrivateDevices", 1<<cred.MKNOD | 1<<sysRawIO},
	{"ProtectKernelModules", 1 << sysModule},
	{"ProtectKernelLogs", 1 << syslog},
	{"ProtectClock", 1<<sysTime | 1<<wakeAlarm},
}

// Capabilities that package cred does not name: linux/capability.h.
const (
	sysModule = 16
	sysRawIO  = 17
	sysTime   = 25
	syslog    = 34
	wakeAlarm = 35
)

// readDirectories declares the root and the working directory.
func (b *builder) readDirectories() {
	if root := b.last["RootDirectory"]; root != nil && b.rank.chroot {
		if text := b.directory(root, root.value); text != "/" {
			b.Profile.Chroot = text
			b.from("chroot", root)
		}
	}
	b.Profile.Cwd = "/"
	a := b.last["WorkingDirectory"]
	if a == nil {
		return
	}
	value, optional := strings.CutPrefix(a.value, "-")
	b.Profile.Cwd = ""
	if value == "~" {
		b.addLoss(a, "WorkingDirectory=~ is the home directory of the user")
		return
	}
	if b.Profile.Cwd = b.directory(a, value); b.Profile.Cwd != "" {
		b.from("cwd", a)
	}
	if optional {
		b.addLoss(a, "systemd starts the program without the directory, too")
	}
}

// directory returns a path of an assignment. It returns "" if the path is unknown or invalid.
func (b *builder) directory(a *assignment, value string) string {
	text, unknown := b.name.expand(value)
	switch {
	case unknown != "":
		b.addLoss(a, "the path depends on the specifier %s", unknown)
		return ""
	case !isPath(text):
		b.addLoss(a, "a profile cannot have the path")
		return ""
	}
	return path.Clean(text)
}

// isPath reports whether text is an absolute path that a profile can have.
func isPath(text string) bool {
	const most = 4095 // PATH_MAX
	return strings.HasPrefix(text, "/") && len(text) <= most && isText(text) && !strings.ContainsAny(text, "\t\n")
}

// readLimits declares the resource limits.
func (b *builder) readLimits() {
	if !b.rank.sandbox {
		return
	}
	for _, l := range limits {
		set, ok := b.limits[l.name]
		if !ok {
			continue
		}
		const most = 1<<63 - 1 // of package policy
		if tooLarge := func(n uint64) bool { return n > most && n != policy.Unlimited }; tooLarge(set.Soft) || tooLarge(set.Hard) {
			b.addLoss(set.from, "a profile cannot have a limit of this size")
			continue
		}
		b.Profile.Rlimits = append(b.Profile.Rlimits, set.Rlimit)
		b.from("rlimits."+l.name, set.from)
	}
	if _, ok := b.limits["rtprio"]; !ok && b.isOn("RestrictRealtime") {
		b.Profile.Rlimits = append(b.Profile.Rlimits, policy.Rlimit{Name: "rtprio"})
		b.from("rlimits.rtprio", b.last["RestrictRealtime"])
	}
}

// readRest declares the umask, the session and the keyring.
func (b *builder) readRest() {
	mask := uint32(0o022)
	if a := b.last["UMask"]; a != nil {
		mode, _ := parseMode(a.value)
		mask = mode & 0o777 // umask(2) ignores the other bits
		b.from("umask", a)
	}
	b.Profile.Umask = &mask
	b.Profile.NewSession = true
	switch a := b.last["KeyringMode"]; b.value("KeyringMode") {
	case "inherit":
		b.Profile.InheritKeyring = true
		b.from("keyring", a)
	case "shared":
		b.addLoss(a, "KeyringMode=shared links the keyring of the user into the session keyring")
	}
	if (b.isRoot() || b.Sets.UnknownUID && !b.Sets.NotRoot) && !b.Profile.InheritKeyring {
		// caprun makes a session keyring only for another uid.
		const what = "systemd gives the process a new session keyring"
		a := cmp.Or(b.last["KeyringMode"], b.command.from)
		if b.last["User"] != nil && !b.rank.setuid {
			b.Process.AddLoss(a.source(), what)
		} else {
			b.addLoss(a, what)
		}
	}
}

// addFinding records a finding of the process.
func (b *builder) addFinding(r declared.Rule, at declared.Source, hint, format string, args ...any) {
	if b.reports {
		b.found.add(r, at, hint, format, args...)
	}
}

// fit removes keys until a profile can have all of them.
func (b *builder) fit() {
	notRoot := b.Sets.NotRoot || b.Profile.User != ""
	for _, drop := range [...]struct {
		what string
		drop func(p *policy.Profile)
	}{
		{"", func(*policy.Profile) {}},
		{"the environment", func(p *policy.Profile) { p.Env = &policy.Env{} }},
		{"the command", func(p *policy.Profile) { p.Command = nil }},
		{"the supplementary groups", func(p *policy.Profile) { p.Groups = []policy.Group{} }},
		{"the directories", func(p *policy.Profile) { p.Chroot, p.Cwd = "", "" }},
		{"the user", func(p *policy.Profile) { p.User, p.UID, p.GID, p.Groups = "", nil, nil, nil }},
	} {
		drop.drop(&b.Profile)
		if drop.what != "" {
			b.Process.AddLoss(b.At, "a profile cannot have %s: it is too large or has text that a profile refuses", drop.what)
		}
		if drop.what == "the user" {
			b.Sets.UnknownUID, b.Sets.NotRoot = true, notRoot
		}
		if _, err := b.Document(); err == nil {
			return
		}
	}
}

// processName returns the name of a process of the unit: that of the unit for the first
// main command, otherwise with the key of the command, such as web-ExecStartPre, and with a
// number from the second command of the key on.
func (u *unit) processName(key string, n int) string {
	name := u.name.stem()
	if name == "" {
		name = strings.TrimSuffix(path.Base(u.file.Name), ".service")
	}
	if key != startKey || n > 0 {
		name += "-" + key
	}
	if n > 0 {
		name += fmt.Sprintf("-%d", n+1)
	}
	return name
}
