package engine

import (
	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// scenario is everything that decides whether declared caps are reachable, except the
// caps.
type scenario struct {
	from    cred.Cred
	uid     *uint32 // declared, with the caller's groups
	secbits *cred.Securebits
	mode    *cap.Mode
	iab     *policy.IAB
	nnp     bool
	file    cred.File
	rules   cred.Rules
}

func (w scenario) profile(caps *declaredCaps) *policy.Profile {
	p := &policy.Profile{IAB: w.iab, Mode: w.mode, NoNewPrivs: w.nnp}
	if caps != nil {
		p.Caps = &policy.Caps{Text: caps.text(), Effective: caps.e, Permitted: caps.p, Inheritable: caps.i}
	}
	if w.uid != nil {
		p.UID, p.GID = w.uid, &policy.Group{ID: w.from.GID}
		for _, g := range w.from.Groups {
			p.Groups = append(p.Groups, policy.Group{ID: g})
		}
	}
	if w.secbits != nil {
		bits := cap.Secbits(*w.secbits)
		p.Secbits = &bits
	}
	return p
}

func (w scenario) target() Target {
	t := target(w.file)
	t.KernelRules = w.rules
	return t
}

func (w scenario) compile(d declaredCaps) (*Plan, []policy.Diagnostic) {
	return Compile(w.profile(&d), w.from, w.target())
}

// universe has the capabilities of a search. declared are those that declarations name: n
// of them make 8^n declarations.
type universe struct{ declared, all cred.Caps }

func (u universe) subsets() []cred.Caps {
	var list []cred.Caps
	for s := cred.Caps(0); ; s = (s - u.declared) & u.declared {
		list = append(list, s)
		if s == u.declared {
			return list
		}
	}
}

func (u universe) declarations() []declaredCaps {
	var list []declaredCaps
	for _, e := range u.subsets() {
		for _, p := range u.subsets() {
			for _, i := range u.subsets() {
				list = append(list, declaredCaps{e, p, i})
			}
		}
	}
	return list
}

// searchState is the part of a state that a search changes. The effective set is always
// the permitted one: a smaller one only forbids operations.
type searchState struct {
	uid, euid, suid, fsuid uint32
	p, i, b, a             cred.Caps
	bits                   cred.Securebits
}

func searchStateOf(c cred.Cred) searchState {
	return searchState{c.UID, c.EUID, c.SUID, c.FSUID, c.Permitted, c.Inheritable, c.Bounding, c.Ambient, c.Securebits}
}

// beforeExec returns every state that operations of the model can lead to, in any order and
// number, and that is as the profile declares just before exec. It knows nothing about
// routes and steps.
func (w scenario) beforeExec(u universe) []cred.Cred {
	bits := w.from.Securebits
	switch {
	case w.secbits != nil:
		bits = *w.secbits
	case w.mode != nil && *w.mode == cap.ModeHybrid:
		bits = 0
	case w.mode != nil:
		bits = 0xef
	}
	seen := map[searchState]bool{}
	finals := []cred.Cred{}
	var todo []cred.Cred
	visit := func(c cred.Cred, errno cred.Errno) {
		if errno != 0 {
			return
		}
		c, _ = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
		if at := searchStateOf(c); !seen[at] {
			seen[at] = true
			todo = append(todo, c)
		}
	}
	visit(w.from, 0)
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if w.isBeforeExec(c, bits) {
			finals = append(finals, c)
		}
		for n := range 64 {
			if !u.all.Has(n) {
				continue
			}
			p := c.Permitted.Without(n)
			visit(c.Capset(p, p, c.Inheritable))
			if u.declared.Has(n) || c.Inheritable.Has(n) {
				visit(c.Capset(c.Permitted, c.Permitted, c.Inheritable^cred.CapsOf(n)))
			}
			visit(c.DropBounding(n))
			visit(c.RaiseAmbient(n))
			visit(c.LowerAmbient(n))
		}
		visit(c.SetSecurebits(bits, w.rules))
		if (w.from.Securebits | bits).Has(cred.SecNoCapAmbientRaise) {
			visit(c.SetSecurebits(c.Securebits^cred.SecNoCapAmbientRaise, w.rules))
		}
		if w.uid != nil {
			// The other bits matter to a change of uid alone.
			visit(c.SetSecurebits(c.Securebits^cred.SecNoSetuidFixup, w.rules))
			visit(c.SetKeepCaps(!c.Securebits.Has(cred.SecKeepCaps)))
			visit(c.Setresuid(*w.uid, *w.uid, *w.uid))
		}
	}
	if w.nnp || w.mode != nil && *w.mode == cap.ModeNoPriv {
		for n := range finals {
			finals[n] = finals[n].SetNoNewPrivs()
		}
	}
	return finals
}

// isBeforeExec reports whether a state is as the profile declares just before exec.
func (w scenario) isBeforeExec(c cred.Cred, bits cred.Securebits) bool {
	uid := [4]uint32{c.UID, c.EUID, c.SUID, c.FSUID}
	if w.uid == nil && uid != [4]uint32{w.from.UID, w.from.EUID, w.from.SUID, w.from.FSUID} {
		return false
	}
	if w.uid != nil && uid != [4]uint32{*w.uid, *w.uid, *w.uid, *w.uid} {
		return false
	}
	// Exec clears keep_caps.
	if (c.Securebits^bits)&^cred.SecKeepCaps != 0 {
		return false
	}
	bounding := w.from.Bounding
	if w.iab != nil {
		if c.Inheritable != w.iab.Inheritable || c.Ambient != w.iab.Ambient {
			return false
		}
		bounding = bounding.Minus(w.iab.Blocked)
	}
	if w.mode != nil {
		switch *w.mode {
		case cap.ModeNoPriv:
			bounding = 0
			if c.Permitted|c.Inheritable|c.Ambient|c.Bounding != 0 {
				return false
			}
		case cap.ModePure1EInit:
			if c.Inheritable|c.Ambient != 0 {
				return false
			}
		case cap.ModePure1E:
			if c.Ambient != 0 {
				return false
			}
		}
	}
	return w.iab == nil || c.Bounding == bounding
}

// outcomes returns the sets with which a target can start, as declarations.
func (w scenario) outcomes(u universe, finals []cred.Cred) map[declaredCaps]bool {
	got := map[declaredCaps]bool{}
	for _, c := range finals {
		after, _, errno := c.Exec(w.file, w.rules)
		if errno != 0 {
			continue
		}
		if w.uid != nil && (after.EUID != *w.uid || after.UID != *w.uid || after.EGID != w.from.GID || after.GID != w.from.GID) {
			continue
		}
		d := declaredCaps{after.Effective, after.Permitted, after.Inheritable}
		if !d.named().SubsetOf(u.declared) || w.iab == nil && !after.Bounding.SubsetOf(d.p.Union(d.i)) {
			continue
		}
		got[d] = true
	}
	return got
}

// withoutCauses returns the scenario without these causes.
func (w scenario) withoutCauses(s cause) scenario {
	if s&causeMode != 0 {
		w.mode = nil
	}
	if s&causeIAB != 0 {
		w.iab = nil
	}
	if s&causeTarget != 0 {
		w.file = cred.File{}
	}
	if s&causeCaller != 0 {
		w.from.Permitted, w.from.Effective, w.from.Bounding = w.from.All, w.from.All, w.from.All
		w.from.Securebits &= cred.SecNoRoot | cred.SecNoRootLocked
		if w.secbits != nil || w.mode != nil {
			w.from.Securebits = 0
		}
	}
	return w
}

// nearestOf returns the nearest declaration by comparing all of them.
func nearestOf(d declaredCaps, reach map[declaredCaps]bool) (declaredCaps, bool) {
	var best declaredCaps
	found := false
	count := func(c cred.Caps) int { return c.Len() }
	cost := func(x declaredCaps) [3]int {
		return [3]int{count(d.e^x.e) + count(d.p^x.p) + count(d.i^x.i), count(x.p), count(x.i)}
	}
	less := func(a, b [3]int) bool {
		for n := range a {
			if a[n] != b[n] {
				return a[n] < b[n]
			}
		}
		return false
	}
	for x := range reach {
		grants := d.e.Union(d.p).SubsetOf(x.p) && d.e.SubsetOf(x.e)
		if grants && x.named().SubsetOf(d.named()) && (!found || less(cost(x), cost(best))) {
			best, found = x, true
		}
	}
	return best, found
}
