package systemd

import (
	"cmp"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
)

// addRestLosses records the declarations without an equivalent, in the order of the files.
func (b *builder) addRestLosses() {
	var list []lostAssignment
	for _, k := range lostKeys {
		if !b.rank.sandbox && !k.always || k.key == namespacesKey && !b.restrictsNamespaces() {
			continue
		}
		for _, a := range b.lists[k.key] {
			list = append(list, lostAssignment{a, k})
		}
		if a := b.last[k.key]; a != nil && !k.isOff(a.value) {
			list = append(list, lostAssignment{a, k})
		}
	}
	slices.SortFunc(list, func(x, y lostAssignment) int { return cmp.Compare(x.from.order, y.from.order) })
	for _, l := range list {
		b.addLoss(l.from, "%s %s", clip(l.key.key+"="+l.from.shown()), l.key.what)
	}
	if b.rank.sandbox && b.isOn("DynamicUser") {
		b.addLoss(b.last["DynamicUser"], "DynamicUser=yes makes directories read-only, gives the program its own /tmp, and filters system calls")
	}
	for _, key := range [...]string{"StandardInput", "StandardOutput", "StandardError"} {
		a := b.last[key]
		if how, _, _ := strings.Cut(b.value(key), ":"); how == "file" || key != "StandardInput" && (how == "append" || how == "truncate") {
			b.addLoss(a, "%s is opened as root", clip(key+"="+a.value))
		}
	}
	if a := b.last["StandardInput"]; a != nil && strings.HasPrefix(a.value, "tty") {
		b.addLoss(a, "StandardInput=%s makes a terminal the controlling terminal of the session", clip(a.value))
	}
}

type lostAssignment struct {
	from *assignment
	key  lostKey
}

// checkPrefixes reports settings that apply to no command, because of prefixes such as '+'.
// Of settings that apply to some commands, checkOther reports the others.
func (u *unit) checkPrefixes(main *entry, list []*entry) {
	sandbox, setuid := false, false
	for _, e := range list {
		sandbox = sandbox || e.rank.sandbox
		setuid = setuid || e.rank.setuid
	}
	ignored := func(a *assignment, format string, args ...any) {
		hint := "remove the prefix, or remove " + a.key + "="
		if len(list) > 1 || main.prefix() == "" {
			hint = "remove it, or what runs the commands as root"
			format, args = "%s= applies to no command of the unit", []any{a.key}
		}
		u.found.add(declared.Ignored, a.source(), hint, format, args...)
	}
	// The directories that systemd makes belong to User= and Group= with any prefix.
	if !setuid && !u.makesDirectory() {
		for _, key := range [...]string{"User", "Group"} {
			if a := u.last[key]; a != nil {
				ignored(a, "%s= does not change the user of the command: it has the prefix %s", key, main.prefix())
			}
		}
	}
	if sandbox {
		return
	}
	var rest []*assignment
	for _, key := range [...]string{"NoNewPrivileges", "SecureBits", "DynamicUser"} {
		if u.last[key] != nil {
			rest = append(rest, u.last[key])
		}
	}
	for _, a := range slices.Concat(rest, u.bounding.from, u.ambient.from) {
		ignored(a, "%s= does not apply to the command: it has the prefix +", a.key)
	}
}

// makesDirectory reports whether systemd makes a directory that belongs to User=: all but
// the configuration directory do.
func (u *unit) makesDirectory() bool {
	for _, d := range directoryVariables {
		if len(u.lists[d.key]) > 0 && d.key != "ConfigurationDirectory" {
			return true
		}
	}
	return false
}

// prefix returns the prefix that keeps settings from applying to the command, if it has one.
func (c *command) prefix() string {
	switch {
	case c.privileged:
		return "+"
	case c.keepsUser:
		return "!"
	}
	return ""
}

// checkAmbient reports ambient capabilities that the program does not get or need.
func (b *builder) checkAmbient() {
	if len(b.ambient.from) == 0 {
		return
	}
	at := b.ambient.from[len(b.ambient.from)-1].source()
	wanted := b.ambient.value.Intersect(cred.FirstCaps(cap.NamedCount))
	if missing := wanted.Minus(b.Sets.Bounding); missing != 0 {
		b.addFinding(declared.AmbientOutsideBounding, at, b.boundingHint(missing),
			"%s not in the bounding set: systemd does not raise %s", isOrAre(missing), itOrThem(missing))
	}
	noroot := b.Profile.Secbits != nil && *b.Profile.Secbits&cap.SecbitNoRoot != 0
	if b.isRoot() && !noroot && b.Sets.Ambient != 0 {
		b.addFinding(declared.Ineffective, at, "remove it, or declare User=", "AmbientCapabilities= adds nothing for root: exec grants uid 0 the bounding set")
	}
}

// boundingHint says which assignment removes capabilities from the bounding set.
func (b *builder) boundingHint(missing cred.Caps) string {
	for _, s := range shrinking {
		if b.isOn(s.key) && s.caps.Intersect(missing) != 0 && missing.Intersect(b.bounding.value) != 0 {
			return s.key + "=yes removes it; remove one of them"
		}
	}
	return "add it to CapabilityBoundingSet=, or remove it"
}

func isOrAre(set cred.Caps) string {
	if set.Len() == 1 {
		return strings.ToUpper(set.Join()) + " is"
	}
	const most = 8
	if set.Len() > most {
		return "many capabilities are"
	}
	return strings.ToUpper(set.Join()) + " are"
}

func itOrThem(set cred.Caps) string {
	if set.Len() == 1 {
		return "it"
	}
	return "them"
}

// setIDPrograms are well-known programs that do nothing useful for another user than root
// without the set-user-ID bit.
var setIDPrograms = [...]string{
	"chfn", "chsh", "crontab", "doas", "fusermount", "fusermount3", "gpasswd", "mount", "newgrp",
	"newgidmap", "newuidmap", "passwd", "pkexec", "su", "sudo", "sudoedit", "umount",
}

// checkSetID reports a set-user-ID program under no_new_privs.
func (b *builder) checkSetID() {
	if !b.Profile.NoNewPrivs || b.isRoot() || !slices.Contains(setIDPrograms[:], b.command.name()) {
		return
	}
	b.addFinding(declared.SetIDUnderNoNewPrivs, b.command.source(), "run the command with the prefix + or as another service, or remove what sets no_new_privs",
		"%s is a set-user-ID program, and no_new_privs is set: it does not become root", b.command.name())
}

// checkOther reports a command with more privileges than the one with the least.
func (u *unit) checkOther(least, other *entry) {
	mine, its := least.process, other.process
	var more []string
	if isRootProcess(its) && !isRootProcess(mine) {
		more = append(more, "as root")
	}
	if reach(its).Minus(reach(mine)) != 0 {
		than := "the main command does"
		if other.rank.main || !least.rank.main {
			than = "other commands do"
		}
		more = append(more, "with capabilities that "+than+" not have")
	}
	if mine.Profile.NoNewPrivs && !its.Profile.NoNewPrivs {
		more = append(more, "without no_new_privs")
	}
	if len(more) == 0 {
		return
	}
	why := "PermissionsStartOnly=yes"
	if other.prefix() != "" {
		why = "its prefix is " + other.prefixes
	}
	u.found.add(declared.OtherPrivileges, other.source(), "", "%s= runs %s: %s", other.key, strings.Join(more, ", "), why)
}

// reach returns the capabilities that a process can have.
func reach(p *declared.Process) cred.Caps { return p.Sets.Bounding.Union(p.Sets.Ambient) }

func isRootProcess(p *declared.Process) bool { return p.Profile.UID != nil && *p.Profile.UID == 0 }
