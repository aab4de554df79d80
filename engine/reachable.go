package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
)

// reachable is what the target, and the programs that it runs, can still gain:
// what the model makes of the state in which the target starts. A user namespace
// that it creates is left out: what a process gains there counts there only.
type reachable struct {
	// noNewPrivs says that no exec gives the target or a program more than
	// it has permitted, or another user.
	noNewPrivs bool

	// most is what any sequence of steps and programs leads to at most: no
	// capability outside of it is ever permitted.
	most cred.Caps

	// fileCaps is what file capabilities can give. Of those, the ones in
	// fileInherit only where they are inheritable ones of the file.
	fileCaps, fileInherit cred.Caps

	// ordinary is what an ordinary program is permitted, ordinaryEffective
	// what of it is effective; rootPower says that it is so for uid 0.
	ordinary, ordinaryEffective cred.Caps
	rootPower                   bool

	// raisable is what else the target can make ambient, for ordinary programs.
	raisable cred.Caps

	// setID says that set-id programs change the user or the group; setRoot
	// that one of root makes a target root that is not, with setRootCaps.
	setID, setRoot bool
	setRootCaps    cred.Caps

	// otherUID says that the real or saved uid is another than the effective
	// one, so that the target can change between them.
	otherUID bool

	// What cap_setuid, cap_setgid, cap_sys_chroot and cap_setpcap allow, when
	// they are permitted. asRoot is what programs get once it made itself
	// root.
	anyUser, anyGroup, anyRoot, anyVector bool
	asRoot                                cred.Caps

	// clear are the securebits that it can clear, set those that it can set.
	clear, set cred.Securebits

	// ownsRoot says that one of its uids is 0.
	ownsRoot bool

	// secure is AT_SECURE.
	secure bool
}

// reachable asks the model what the target can still gain.
func (p *Plan) reachable() reachable {
	a, r := p.AfterExec, p.Target.KernelRules
	inSets := a.Bounding.Union(a.Inheritable)
	f := reachable{
		noNewPrivs: a.NoNewPrivs,
		most:       a.Permitted,
		ownsRoot:   a.UID == 0 || a.EUID == 0 || a.SUID == 0,
		otherUID:   a.UID != a.EUID || a.SUID != a.EUID,
		secure:     p.SecureExec,
	}
	if !f.noNewPrivs {
		f.most = inSets
		f.fileCaps = inSets
		f.fileInherit = a.Inheritable.Minus(a.Bounding)
	}

	ordinary, result, errno := a.Exec(cred.File{}, r)
	if errno == 0 {
		f.ordinary, f.ordinaryEffective, f.rootPower = ordinary.Permitted, ordinary.Effective, result.RootGained
	}
	if !a.Securebits.Has(cred.SecNoCapAmbientRaise) {
		// After an exec, what is permitted is in one of inSets, so that it
		// can become inheritable.
		f.raisable = a.Permitted.Minus(f.ordinary)
	}

	gid := mappedID(a.UserNS, a.UserNS.GIDs, cred.NoID)
	other := cred.File{Setuid: true, UID: mappedID(a.UserNS, a.UserNS.UIDs, a.EUID), GID: gid}
	if c, _, errno := a.Exec(other, r); errno == 0 {
		f.setID = c.EUID == other.UID
	}
	if c, _, errno := a.Exec(cred.File{Setuid: true, GID: gid}, r); errno == 0 && a.EUID != 0 && c.EUID == 0 && !f.noNewPrivs {
		f.setRoot, f.setRootCaps = true, c.Permitted
	}

	able := a
	able.Effective = able.Permitted
	f.anyGroup = a.Permitted.Has(cred.SETGID)
	f.anyRoot = a.Permitted.Has(cred.SYS_CHROOT)
	f.anyVector = a.Permitted.Has(cred.SETPCAP)
	if f.anyUser = a.Permitted.Has(cred.SETUID); f.anyUser && a.UID != 0 && a.EUID != 0 {
		if root, errno := able.Setresuid(0, 0, 0); errno == 0 {
			if program, _, errno := root.Exec(cred.File{}, r); errno == 0 {
				f.asRoot = program.Permitted
			}
		}
	}
	if f.anyVector {
		for _, bit := range [...]cred.Securebits{cred.SecNoRoot, cred.SecNoSetuidFixup, cred.SecKeepCaps, cred.SecNoCapAmbientRaise} {
			if _, errno := able.SetSecurebits(a.Securebits^bit, r); errno != 0 {
				continue
			}
			if a.Securebits.Has(bit) {
				f.clear |= bit
			} else {
				f.set |= bit
			}
		}
	}
	return f
}

// Reachable says what the target, and the programs that it runs, can and cannot
// still gain, in sentences that are true in the model of the kernel.
func (p *Plan) Reachable() []string {
	f := p.reachable()
	var list []string
	report := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }

	where := ""
	if p.AfterExec.UserNS.Nested {
		where = " of its user namespace"
	}
	f.reportFiles(p.AfterExec, report)
	f.reportOrdinary(p.AfterExec, report)
	switch {
	case f.anyUser && f.asRoot.Minus(f.ordinary) != 0:
		report("It can become any user%s: cap_setuid. As root, the programs that it runs get %s.", where, capsPhrase(f.asRoot))
	case f.anyUser:
		report("It can become any user%s: cap_setuid.", where)
	case f.otherUID:
		report("It can change between its uids %s.", uidsText(p.AfterExec))
	}
	if f.anyGroup {
		report("It can join any group%s: cap_setgid.", where)
	}
	if f.anyRoot {
		report("It can leave its root directory: cap_sys_chroot.")
	}
	if f.anyVector {
		report("It can change its inheritable set, within the bounding set, and shrink that: cap_setpcap.")
	}
	if f.clear != 0 {
		report("It can clear %s, which no lock holds: cap_setpcap.", SecbitsText(f.clear))
	} else if f.set != 0 {
		report("It can set securebits: cap_setpcap.")
	}
	if f.ownsRoot {
		report("Root's files are its own, whatever its capabilities: it is uid 0.")
	}
	if f.secure {
		report("The dynamic loader distrusts its environment: AT_SECURE.")
	}
	return list
}

// reportFiles reports what set-id bits and file capabilities grant.
func (f reachable) reportFiles(a cred.Cred, report func(string, ...any)) {
	if f.noNewPrivs {
		report("A set-user-id-root program or file capabilities gain it nothing: no_new_privs.")
		return
	}
	others := ""
	if f.setID {
		others = "; other set-id programs change its user or group"
	}
	switch {
	case f.setRoot && f.setRootCaps != 0:
		report("A set-user-id-root program becomes uid 0 with %s%s.", capsPhrase(f.setRootCaps), others)
	case f.setRoot && a.Securebits.Has(cred.SecNoRoot):
		report("A set-user-id-root program becomes uid 0 without capabilities (noroot)%s.", others)
	case f.setRoot:
		report("A set-user-id-root program becomes uid 0 without capabilities (the bounding set is empty)%s.", others)
	case f.setID:
		report("Set-id programs change its user or group.")
	}
	which := "All file capabilities"
	if f.fileCaps != cred.FirstCaps(cap.NamedCount) {
		which = "File capabilities within " + f.fileCaps.String()
	}
	switch {
	case f.rootPower && f.fileCaps == f.ordinary:
	case f.fileCaps == 0:
		report("File capabilities gain it nothing: the bounding and inheritable sets are empty.")
	case f.fileInherit != 0:
		report("%s still work, but %s only as inheritable ones.", which, capsPhrase(f.fileInherit))
	default:
		report("%s still work.", which)
	}
}

// reportOrdinary reports what a program without set-id bits and file capabilities gets.
func (f reachable) reportOrdinary(a cred.Cred, report func(string, ...any)) {
	has := capsPhrase(f.ordinary)
	switch {
	case f.rootPower && f.ordinary == 0:
		report("Ordinary programs that it runs have no capability, though it is uid 0 without noroot.")
	case f.rootPower && f.ordinaryEffective != f.ordinary:
		report("Ordinary programs that it runs are permitted %s: its real uid is 0, without noroot.", has)
	case f.rootPower:
		report("Ordinary programs that it runs get %s: it is uid 0 without noroot.", has)
	case f.ordinary != 0:
		report("Ordinary programs that it runs keep %s.", has)
	case f.raisable == 0 && a.Permitted != 0:
		report("Ordinary programs that it runs have no capability.")
	}
	switch {
	case f.raisable != 0 && f.ordinary == 0:
		report("Ordinary programs that it runs have no capability, unless it makes %s ambient.", capsPhrase(f.raisable))
	case f.raisable != 0:
		report("It can hand on to them %s too, by making it ambient.", capsPhrase(f.raisable))
	}
}

// mappedID returns an id of the namespace that is neither 0 nor not;
// cred.NoID when there is none.
func mappedID(ns cred.UserNS, extents []cred.Extent, not uint32) uint32 {
	if !ns.Nested {
		extents = []cred.Extent{{Inside: 1, Count: 2}}
	}
	for _, x := range extents {
		for k := range min(x.Count, 3) {
			if id := x.Inside + k; id != 0 && id != not {
				return id
			}
		}
	}
	if not == cred.NoID && len(extents) > 0 {
		return extents[0].Inside
	}
	return cred.NoID
}

// capsPhrase is the text of a set within a sentence.
func capsPhrase(caps cred.Caps) string {
	if caps == cred.FirstCaps(cap.NamedCount) {
		return "every capability"
	}
	return caps.String()
}

func uidsText(c cred.Cred) string {
	text := fmt.Sprintf("%d and %d", c.UID, c.EUID)
	if c.SUID != c.EUID && c.SUID != c.UID {
		text += fmt.Sprintf(" and %d", c.SUID)
	}
	return text
}
