package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
)

// prospects is what the target, and the programs that it runs, can still come
// to: what the model makes of the state in which the target starts. Later
// prints it. A user namespace of its own is left out: what one gains there
// counts there only.
type prospects struct {
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

	// handOn is what else the target can make ambient, for ordinary programs.
	handOn cred.Caps

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

// prospects asks the model what can come after the start of the target.
func (p *Plan) prospects() prospects {
	a, r := p.After, p.Target.Kernel
	inSets := a.Bounding.Union(a.Inheritable)
	f := prospects{
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
		f.handOn = a.Permitted.Minus(f.ordinary)
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

// Later says what the target, and the programs that it runs, can and cannot
// get back: sentences that hold in the model of the kernel.
func (p *Plan) Later() []string {
	f := p.prospects()
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }

	where := ""
	if p.After.UserNS.Nested {
		where = " of its user namespace"
	}
	f.sayFiles(p.After, say)
	f.sayOrdinary(p.After, say)
	switch {
	case f.anyUser && f.asRoot.Minus(f.ordinary) != 0:
		say("It can become any user%s: cap_setuid. As root, the programs that it runs get %s.", where, capsPhrase(f.asRoot))
	case f.anyUser:
		say("It can become any user%s: cap_setuid.", where)
	case f.otherUID:
		say("It can change between its uids %s.", uidsText(p.After))
	}
	if f.anyGroup {
		say("It can join any group%s: cap_setgid.", where)
	}
	if f.anyRoot {
		say("It can leave its root directory: cap_sys_chroot.")
	}
	if f.anyVector {
		say("It can change its inheritable set, within the bounding set, and shrink that: cap_setpcap.")
	}
	if f.clear != 0 {
		say("It can clear %s, which no lock holds: cap_setpcap.", SecbitsText(f.clear))
	} else if f.set != 0 {
		say("It can set securebits: cap_setpcap.")
	}
	if f.ownsRoot {
		say("Root's files are its own, whatever its capabilities: it is uid 0.")
	}
	if f.secure {
		say("The dynamic loader distrusts its environment: AT_SECURE.")
	}
	return list
}

// sayFiles says what set-id bits and file capabilities bring.
func (f prospects) sayFiles(a cred.Cred, say func(string, ...any)) {
	if f.noNewPrivs {
		say("A set-user-id-root program or file capabilities gain it nothing: no_new_privs.")
		return
	}
	others := ""
	if f.setID {
		others = "; other set-id programs change its user or group"
	}
	switch {
	case f.setRoot && f.setRootCaps != 0:
		say("A set-user-id-root program becomes uid 0 with %s%s.", capsPhrase(f.setRootCaps), others)
	case f.setRoot && a.Securebits.Has(cred.SecNoRoot):
		say("A set-user-id-root program becomes uid 0 without capabilities (noroot)%s.", others)
	case f.setRoot:
		say("A set-user-id-root program becomes uid 0 without capabilities (the bounding set is empty)%s.", others)
	case f.setID:
		say("Set-id programs change its user or group.")
	}
	which := "All file capabilities"
	if f.fileCaps != cred.FirstCaps(cap.NamedCount) {
		which = "File capabilities within " + f.fileCaps.String()
	}
	switch {
	case f.rootPower && f.fileCaps == f.ordinary:
	case f.fileCaps == 0:
		say("File capabilities gain it nothing: the bounding and inheritable sets are empty.")
	case f.fileInherit != 0:
		say("%s still work, but %s only as inheritable ones.", which, capsPhrase(f.fileInherit))
	default:
		say("%s still work.", which)
	}
}

// sayOrdinary says what programs get that bring nothing themselves.
func (f prospects) sayOrdinary(a cred.Cred, say func(string, ...any)) {
	has := capsPhrase(f.ordinary)
	switch {
	case f.rootPower && f.ordinary == 0:
		say("Ordinary programs that it runs have no capability, though it is uid 0 without noroot.")
	case f.rootPower && f.ordinaryEffective != f.ordinary:
		say("Ordinary programs that it runs are permitted %s: its real uid is 0, without noroot.", has)
	case f.rootPower:
		say("Ordinary programs that it runs get %s: it is uid 0 without noroot.", has)
	case f.ordinary != 0:
		say("Ordinary programs that it runs keep %s.", has)
	case f.handOn == 0 && a.Permitted != 0:
		say("Ordinary programs that it runs have no capability.")
	}
	switch {
	case f.handOn != 0 && f.ordinary == 0:
		say("Ordinary programs that it runs have no capability, unless it makes %s ambient.", capsPhrase(f.handOn))
	case f.handOn != 0:
		say("It can hand on to them %s too, by making it ambient.", capsPhrase(f.handOn))
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

// capsPhrase returns the names of caps within a sentence.
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
