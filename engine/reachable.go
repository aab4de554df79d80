package engine

import "caprun/engine/cred"

// reachable is what the target, and the programs that it executes, can gain after the
// target has started, according to the model. What a process can gain in a user namespace
// that it creates is left out: it applies there only.
type reachable struct {
	// noNewPrivs reports that no exec grants a capability outside the permitted set,
	// or changes the user.
	noNewPrivs bool

	// most is every capability that any sequence of operations and programs can make
	// permitted.
	most cred.Caps

	// filePermitted is the set of permitted capabilities that a file can grant,
	// fileInheritable that of the inheritable ones.
	filePermitted, fileInheritable cred.Caps

	// ordinary is the permitted set of an ordinary program, ordinaryEffective its
	// effective set. rootPower reports that it has them because of uid 0.
	ordinary, ordinaryEffective cred.Caps
	rootPower                   bool

	// raisable is the set of further capabilities that the target can make ambient
	// for ordinary programs.
	raisable cred.Caps

	// setID reports that a set-id program changes the user or the group. setRoot
	// reports that a set-user-ID root program makes a target root that is not, with
	// the permitted set setRootCaps.
	setID, setRoot bool
	setRootCaps    cred.Caps

	// otherUID reports that the real or saved uid is not the effective one, so that
	// the target can switch between them.
	otherUID bool

	// anyUser, anyGroup, anyRoot and anyVector report that cap_setuid, cap_setgid,
	// cap_sys_chroot and cap_setpcap are permitted. asRoot is the permitted set of
	// an ordinary program if the target first changes all its uids to 0.
	anyUser, anyGroup, anyRoot, anyVector bool
	asRoot                                cred.Caps

	// clear are the securebits that the target can clear, set those that it can set.
	clear, set cred.Securebits

	// ownsRoot reports that one of the uids is 0.
	ownsRoot bool

	// secure is AT_SECURE, see getauxval(3).
	secure bool
}

// reachable returns what the target can gain.
func (p *Plan) reachable() reachable {
	a, r := p.AfterExec, p.Target.KernelRules
	// What these withhold, an exec grants once they have ended.
	a.Traced, a.SharedFS = false, false
	inSets := a.Bounding.Union(a.Inheritable)
	f := reachable{
		noNewPrivs: a.NoNewPrivs,
		most:       a.Permitted,
		ownsRoot:   a.UID == 0 || a.EUID == 0 || a.SUID == 0,
		otherUID:   a.UID != a.EUID || a.SUID != a.EUID,
		secure:     p.SecureExec,
	}
	f.filePermitted, f.fileInheritable = a.Bounding, a.Inheritable
	if f.noNewPrivs {
		f.filePermitted, f.fileInheritable = a.Bounding.Intersect(a.Permitted), a.Inheritable.Intersect(a.Permitted)
	} else {
		f.most = inSets
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

// mappedID returns an ID of the namespace other than 0 and not; cred.NoID if there is none.
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
