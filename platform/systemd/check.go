package systemd

import (
	"cmp"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
)

// loseRest records the declarations without an equivalent, in the order of the files.
func (b *builder) loseRest() {
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
		b.lose(l.from, "%s %s", clip(l.key.key+"="+l.from.shown()), l.key.what)
	}
	if b.rank.sandbox && b.isOn("DynamicUser") {
		b.lose(b.last["DynamicUser"], "DynamicUser=yes makes directories read-only, gives the program its own /tmp, and filters system calls")
	}
	if a := b.last["StandardInput"]; a != nil && strings.HasPrefix(a.value, "tty") {
		b.lose(a, "StandardInput=%s makes a terminal the controlling terminal of the session", clip(a.value))
	}
}

type lostAssignment struct {
	from *assignment
	key  lostKey
}

// check records mistakes about the main command that systemd accepts silently.
func (b *builder) check() {
	prefix := "+"
	if b.command.keepsUser {
		prefix = "!"
	}
	if !b.rank.setuid {
		for _, key := range [...]string{"User", "Group"} {
			if a := b.last[key]; a != nil {
				b.find(declared.Ignored, a.source(), "remove the prefix, or remove "+key+"=", "%s= does not change the user of the command: it has the prefix %s", key, prefix)
			}
		}
	}
	if !b.rank.sandbox {
		b.checkPrivileged()
		return
	}
	b.checkAmbient()
	b.checkSetID()
}

// checkPrivileged reports what has no effect under the prefix '+'.
func (b *builder) checkPrivileged() {
	var list []*assignment
	for _, key := range [...]string{"NoNewPrivileges", "SecureBits", "DynamicUser"} {
		if b.last[key] != nil {
			list = append(list, b.last[key])
		}
	}
	list = slices.Concat(list, b.bounding.from, b.ambient.from)
	for _, a := range list {
		b.find(declared.Ignored, a.source(), "remove the prefix, or remove "+a.key+"=", "%s= does not apply to the command: it has the prefix +", a.key)
	}
}

// checkAmbient reports ambient capabilities that the program does not get or need.
func (b *builder) checkAmbient() {
	if len(b.ambient.from) == 0 {
		return
	}
	at := b.ambient.from[len(b.ambient.from)-1].source()
	wanted := b.ambient.value.Intersect(cred.FirstCaps(cap.NamedCount))
	if missing := wanted.Minus(b.Sets.Bounding); missing != 0 {
		b.find(declared.AmbientOutsideBounding, at, b.boundingHint(missing),
			"%s not in the bounding set: systemd does not raise %s", isOrAre(missing), itOrThem(missing))
	}
	noroot := b.Profile.Secbits != nil && *b.Profile.Secbits&cap.SecbitNoRoot != 0
	if b.isRoot() && !noroot && b.Sets.Ambient != 0 {
		b.find(declared.Ineffective, at, "remove it, or declare User=", "AmbientCapabilities= adds nothing for root: exec grants uid 0 the bounding set")
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
	b.find(declared.SetIDUnderNoNewPrivs, b.command.source(), "run the command with the prefix + or as another service, or remove what sets no_new_privs",
		"%s is a set-user-ID program, and no_new_privs is set: it does not become root", b.command.name())
}

// checkOther reports a command with more privileges than the main command.
func (u *unit) checkOther(main, other *declared.Process, key string, c command) {
	mainRoot, otherRoot := isRootProcess(main), isRootProcess(other)
	gained := reach(other).Minus(reach(main))
	var more []string
	if otherRoot && !mainRoot {
		more = append(more, "as root")
	}
	if gained != 0 {
		more = append(more, "with capabilities that the main command does not have")
	}
	if main.Profile.NoNewPrivs && !other.Profile.NoNewPrivs {
		more = append(more, "without no_new_privs")
	}
	if len(more) == 0 {
		return
	}
	why := "its prefix is " + c.prefixes
	if !c.privileged && !c.keepsUser {
		why = "PermissionsStartOnly=yes"
	}
	u.found.add(declared.OtherPrivileges, c.source(), "", "%s= runs %s: %s", key, strings.Join(more, ", "), why)
}

// reach returns the capabilities that a process can have.
func reach(p *declared.Process) cred.Caps { return p.Sets.Bounding.Union(p.Sets.Ambient) }

func isRootProcess(p *declared.Process) bool { return p.Profile.UID != nil && *p.Profile.UID == 0 }
