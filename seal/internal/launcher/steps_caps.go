package launcher

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/seal/internal/op"
)

// raise makes the effective set equal to the permitted set.
func (g *generator) raise(*engine.Step) { g.call("raise", g.raiseSets) }

func (g *generator) raiseSets() {
	done := g.NewLabel()
	g.load(op.R0, g.frame.now+stateP)
	g.load(op.R1, g.frame.now+stateE)
	g.IfReg(op.R0, op.Equal, op.R1, done)
	g.load(op.R1, g.frame.now+stateI)
	g.call("capset", g.writeSets)
	g.Place(done)
}

func (g *generator) setInheritable(s *engine.Step) {
	change, done := g.NewLabel(), g.NewLabel()
	now := g.frame.now
	g.load(op.R0, now+stateP)
	g.load(op.R1, now+stateE)
	g.IfReg(op.R0, op.NotEqual, op.R1, change)
	g.load(op.R1, now+stateI)
	g.If(op.R1, op.Equal, int64(s.Caps), done)
	g.Place(change)
	g.Const(op.R1, int64(s.Caps))
	g.call("capset", g.writeSets)
	g.Place(done)
	g.wantConst(stateI, uint64(s.Caps))
}

// dropBounding also drops capabilities that seem to be dropped, if it may: a filter may have
// hidden them. If it may not, all must have been dropped before.
func (g *generator) dropBounding(s *engine.Step) {
	loop, drop, next, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.load(op.R5, g.frame.now+stateE)
	g.Const(op.R0, 0)
	g.Const(op.R2, int64(s.Caps))
	g.Place(loop) // R2: what is to be dropped, from capability R0 on
	g.If(op.R2, op.NoBit, 1, next)
	g.If(op.R5, op.AnyBit, 1<<capSetpcap, drop)
	g.Syscall(op.Prctl, op.Int(prCapbsetRead), op.Of(op.R0))
	g.If(op.Result, op.Equal, 0, next)
	g.If(op.Result, op.Equal, -eINVAL, done) // the kernel has no more capabilities
	g.Place(drop)
	g.Syscall(op.Prctl, op.Int(prCapbsetDrop), op.Of(op.R0))
	g.If(op.Result, op.Equal, -eINVAL, done)
	g.must()
	g.Place(next)
	g.Add(op.R0, 1)
	g.Right(op.R2, 1)
	g.If(op.R2, op.NotEqual, 0, loop)
	g.Place(done)
	if g.comparesBounding() {
		g.load(op.R3, g.frame.start+stateB)
		g.And(op.R3, int64(^s.Caps))
		g.store(op.R3, g.frame.want+stateB)
	}
}

// comparesBounding reports whether the bounding set at the end must be compared with that
// at the start. Where each plan drops from it, it is enough that what they drop is gone.
func (g *generator) comparesBounding() bool {
	_, same := g.dropped()
	return !same || !g.declaresFinal()
}

// dropped returns what every plan drops from the bounding set. If they differ, same is
// false.
func (g *generator) dropped() (caps cap.Mask, same bool) {
	v := g.variants(cap.StepBound)
	if len(v) != 1 || v[0].classes != 1<<len(g.classes)-1 {
		return 0, false
	}
	return v[0].step.Caps, true
}

// setAmbient raises and lowers ambient capabilities. If no_cap_ambient_raise is set and not
// locked, it clears it temporarily.
func (g *generator) setAmbient(s *engine.Step) {
	if s.Caps == 0 {
		g.call("clear ambient", g.clearAmbient)
	} else {
		g.changeAmbient(s.Caps)
	}
	g.wantConst(stateA, uint64(s.Caps))
}

// clearAmbient empties the ambient set. It does so also if the set seems empty: a filter
// may have hidden a capability.
func (g *generator) clearAmbient() {
	done := g.NewLabel()
	g.load(op.R0, g.frame.now+stateP)
	g.load(op.R1, g.frame.now+stateI)
	g.IfReg(op.R0, op.NoBit, op.R1, done)
	g.Const(op.R0, 0)
	g.ambientCall(prCapAmbientClearAll, op.R0)
	g.must()
	g.Place(done)
}

// changeAmbient sets the ambient set to want, unless it is that already.
func (g *generator) changeAmbient(want cap.Mask) {
	const forbidden, locked = int64(cred.SecNoCapAmbientRaise), int64(cred.SecNoCapAmbientRaiseLocked)
	now, restore := g.frame.now, g.frame.pair
	allowed, loop, wanted, change, next, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.call("ambient", g.readAmbient)
	g.set(restore, 0) // securebits to set again
	g.load(op.R2, now+stateA)
	g.If(op.R2, op.Equal, int64(want), done)
	g.Const(op.R3, int64(want))
	g.Copy(op.R0, op.R2)
	g.AndReg(op.R0, op.R3)
	g.IfReg(op.R0, op.Equal, op.R3, allowed) // nothing to raise
	g.load(op.R0, now+stateBits)
	g.Copy(op.R1, op.R0)
	g.And(op.R1, forbidden|locked)
	g.If(op.R1, op.NotEqual, forbidden, allowed)
	g.confirmSecurebits()
	g.store(op.R0, restore)
	g.And(op.R0, ^forbidden)
	g.writeSecurebits()
	g.Place(allowed)

	g.load(op.R4, now+stateP)
	g.load(op.R5, now+stateI)
	g.AndReg(op.R4, op.R5) // what the ambient set could have
	g.Const(op.R0, 0)
	g.Const(op.R1, 1) // the bit of R0
	g.Place(loop)
	g.Const(op.R5, prCapAmbientRaise)
	g.IfReg(op.R3, op.AnyBit, op.R1, wanted)
	g.Const(op.R5, prCapAmbientLower)
	g.IfReg(op.R4, op.NoBit, op.R1, next)
	g.Jump(change)
	g.Place(wanted)
	g.IfReg(op.R2, op.AnyBit, op.R1, next)
	g.Place(change)
	g.Syscall(op.Prctl, op.Int(prCapAmbient), op.Of(op.R5), op.Of(op.R0), op.Int(0), op.Int(0))
	g.must()
	g.Place(next)
	g.Add(op.R0, 1)
	g.Left(op.R1, 1)
	g.If(op.R1, op.NotEqual, 0, loop)
	g.load(op.R0, restore)
	g.If(op.R0, op.Equal, 0, done)
	g.writeSecurebits()
	g.Place(done)
}

// setSecurebits also sets securebits that seem to be set, if it may: a filter may have
// returned them.
func (g *generator) setSecurebits(s *engine.Step) {
	change, done := g.NewLabel(), g.NewLabel()
	g.load(op.R0, g.frame.now+stateBits)
	g.If(op.R0, op.NotEqual, int64(s.Secbits), change)
	g.load(op.R0, g.frame.now+stateE)
	g.If(op.R0, op.NoBit, 1<<capSetpcap, done)
	g.Place(change)
	g.Const(op.R0, int64(s.Secbits))
	g.writeSecurebits()
	g.Place(done)
	g.wantConst(stateBits, uint64(s.Secbits))
}

// lowerPermitted sets the permitted and effective sets to what the target may have. Exec
// grants no more than that under no_new_privs.
func (g *generator) lowerPermitted(s *engine.Step) {
	change, done := g.NewLabel(), g.NewLabel()
	now, want := g.frame.now, g.frame.want
	g.load(op.R1, now+stateP)
	if g.declaresFinal() {
		g.Const(op.R0, int64(s.Caps))
		g.AndReg(op.R0, op.R1)
	} else {
		// Where exec grants capabilities because of uid 0, all that it can grant;
		// elsewhere the ambient set. To lower the permitted set to another one would
		// hide a wrong answer about the ambient set.
		g.call("sets", g.readSets)
		g.call("ambient", g.readAmbient)
		g.load(op.R5, want+stateA)
		g.load(op.R1, now+stateA)
		g.IfReg(op.R1, op.NotEqual, op.R5, g.noEffect)
		if p := g.cfg.Profile; p.Mode != nil && p.IAB == nil {
			// A mode empties the ambient set, but only sets that the profile
			// declares, and a change of the uid, lower the permitted set.
			g.only(g.classesWhere(func(c class) bool { return !c.moves }), func() {
				g.load(op.R5, g.frame.start+stateA)
			})
		}
		g.load(op.R1, now+stateP)
		if g.count(func(c class) bool { return c.root }) > 0 {
			g.only(g.classesWhere(func(c class) bool { return c.root }), func() {
				g.load(op.R5, want+stateB)
				g.load(op.R2, want+stateI)
				g.OrReg(op.R5, op.R2)
				g.AndReg(op.R5, op.R1)
			})
		}
		g.Copy(op.R0, op.R5)
	}
	g.store(op.R0, want+stateE)
	g.store(op.R0, want+stateP)
	g.IfReg(op.R0, op.NotEqual, op.R1, change)
	g.load(op.R1, now+stateE)
	g.IfReg(op.R0, op.Equal, op.R1, done)
	g.Place(change)
	g.load(op.R1, now+stateI)
	g.call("capset", g.writeSets)
	g.Place(done)
}

// declaresFinal reports whether the profile declares what the step of the permitted set
// sets; otherwise it depends on the caller.
func (g *generator) declaresFinal() bool {
	p := g.cfg.Profile
	return p.Caps != nil || p.Mode != nil && *p.Mode == cap.ModeNoPriv
}

// setNoNewPrivs sets it also where it seems to be set: that needs no privilege.
func (g *generator) setNoNewPrivs(*engine.Step) {
	g.Syscall(op.Prctl, op.Int(prSetNoNewPrivs), op.Int(1), op.Int(0), op.Int(0), op.Int(0))
	g.must()
	g.wantConst(stateNNP, 1)
}
