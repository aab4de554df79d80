package launcher

import (
	"fmt"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/seal/internal/op"
)

// setGroups sets the supplementary groups. Equal groups are set again where the caller
// may: the kernel shows a group that the user namespace does not map as another one.
func (g *generator) setGroups(s *engine.Step) {
	sorted := slices.Sorted(slices.Values(s.Groups))
	change, done := g.NewLabel(), g.NewLabel()
	g.set(g.frame.groupCount, int64(len(sorted)))
	g.set(g.frame.groupsChanged, 0)
	g.compareGroups(sorted, change)
	g.load(op.R0, g.frame.now+stateE)
	g.If(op.R0, op.NoBit, 1<<capSetgid, done)
	set := g.NewLabel()
	g.Jump(set)
	g.Place(change)
	g.set(g.frame.groupsChanged, 1)
	g.Place(set)
	g.Syscall(op.Setgroups, op.Int(int64(len(sorted))), op.DataAt(g.Words(sorted)))
	if kept := g.classesWhere(func(c class) bool { return c.keepsNoGroups }); g.count(func(c class) bool { return c.keepsNoGroups }) > 0 {
		g.keepNoGroups(kept, done)
	}
	g.must()
	g.Place(done)
}

// keepNoGroups goes to done where setgroups(2) is not permitted, the caller has no group,
// and an empty list is equivalent to the gid alone. It is not if the target could call
// setgroups(2): a filter can deny the call to a caller that has the capability.
func (g *generator) keepNoGroups(classes uint, done op.LabelID) {
	set := g.NewLabel()
	g.If(op.Result, op.NotEqual, -ePERM, set)
	g.load(op.R0, g.frame.class)
	g.If(op.R0, op.NoBit, int64(classes), g.fail)
	if may := func(c class) bool { return c.maySetgroups }; g.count(may) > 0 {
		g.only(g.classesWhere(may), func() {
			g.load(op.R0, g.frame.start+stateP)
			g.load(op.R1, g.frame.start+stateI)
			g.OrReg(op.R0, op.R1)
			g.If(op.R0, op.AnyBit, 1<<capSetgid, g.fail)
		})
	}
	if !g.declaresNoNewPrivs() {
		g.load(op.R0, g.frame.start+stateNNP)
		g.If(op.R0, op.Equal, 0, g.fail)
	}
	g.Syscall(op.Getgroups, op.Int(0), op.Int(0))
	g.Copy(op.R1, op.Result)
	g.Const(op.R0, 0)
	g.If(op.R1, op.NotEqual, 0, g.failure(ePERM))
	g.store(op.R0, g.frame.groupCount)
	g.store(op.R0, g.frame.groupsChanged)
	g.Jump(done)
	g.Place(set)
}

// declaresNoNewPrivs reports whether every plan sets no_new_privs.
func (g *generator) declaresNoNewPrivs() bool { return g.anyPlan().BeforeExec.NoNewPrivs }

// compareGroups goes to different unless the process has exactly these groups, each once.
// They are the same at each call.
func (g *generator) compareGroups(groups []uint32, different op.LabelID) {
	g.call("compare groups", func() { g.findGroups(groups) })
	g.If(op.R0, op.NotEqual, 0, different)
}

// findGroups sets R0 to 0 if the process has exactly these groups, and else to 1. The
// kernel sorts them by their numbers in the initial user namespace, so the order says
// nothing.
func (g *generator) findGroups(groups []uint32) {
	n := int64(len(groups))
	list := g.groupBuffer(len(groups))
	different, done, next, found := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	// A list that the kernel has not written lacks a group: this is not one.
	g.Const(op.R0, -1)
	g.Store(op.R0, 4, op.SP, list+4*(n-1))
	g.Syscall(op.Getgroups, op.Int(n), op.FrameAt(list))
	g.If(op.Result, op.Equal, -eINVAL, different) // more than n
	g.mustNotFail()
	g.If(op.Result, op.NotEqual, n, different)
	g.DataAddress(op.R0, g.Words(groups))
	g.Const(op.R1, n)
	each := g.Here()
	g.Load(op.R3, 4, op.R0, 0)
	g.FrameAddress(op.R4, list)
	g.Const(op.R2, n)
	g.Place(next)
	g.Load(op.R5, 4, op.R4, 0)
	g.IfReg(op.R5, op.Equal, op.R3, found)
	g.Add(op.R4, 4)
	g.Add(op.R2, -1)
	g.If(op.R2, op.NotEqual, 0, next)
	g.Jump(different)
	g.Place(found)
	g.Add(op.R0, 4)
	g.Add(op.R1, -1)
	g.If(op.R1, op.NotEqual, 0, each)
	g.Const(op.R0, 0)
	g.Jump(done)
	g.Place(different)
	g.Const(op.R0, 1)
	g.Place(done)
}

// groupBuffer returns a part of the frame for a list of groups, always the same.
func (g *generator) groupBuffer(n int) int64 {
	if 4*n <= bufferSize {
		return g.frame.buffer
	}
	if g.frame.groupBuffer == 0 {
		g.frame.groupBuffer = g.Slot(4 * n)
	}
	return g.frame.groupBuffer
}

// compareWords goes to different unless R2 words of 4 bytes at R0 and at R1 are the same.
func (g *generator) compareWords(different op.LabelID) {
	loop := g.Here()
	g.Load(op.R3, 4, op.R0, 0)
	g.Load(op.R4, 4, op.R1, 0)
	g.IfReg(op.R3, op.NotEqual, op.R4, different)
	g.Add(op.R0, 4)
	g.Add(op.R1, 4)
	g.Add(op.R2, -1)
	g.If(op.R2, op.NotEqual, 0, loop)
}

// maxOverflowID is the greatest ID that the kernel may show for one that the user namespace
// does not map: maxolduid (kernel/sysctl.c).
const maxOverflowID = 65535

// setGID sets all group IDs. The kernel permits it without a privilege if they are the
// same already.
func (g *generator) setGID(s *engine.Step) {
	done := g.NewLabel()
	g.skipSameIDs(s.ID, g.frame.now+stateGID, done)
	id := op.Int(int64(s.ID))
	g.Syscall(op.Setresgid, id, id, id)
	g.must()
	g.Place(done)
	g.wantIDs(stateGID, s.ID)
}

// skipSameIDs goes to done if all four IDs at a place are id. It does not skip an ID that
// may stand for one that the user namespace does not map: to set it again needs no
// privilege, and fails if it does.
func (g *generator) skipSameIDs(id uint32, at int64, done op.LabelID) {
	if id <= maxOverflowID {
		return
	}
	change := g.NewLabel()
	for n := range int64(2) {
		g.load(op.R0, at+8*n)
		g.If(op.R0, op.NotEqual, fourIDs(id), change)
	}
	g.Jump(done)
	g.Place(change)
}

// setUID sets all user IDs, keeps the permitted set, and makes it effective.
//
// The kernel clears the sets when the last uid 0 changes. keep_caps prevents that; where it
// is locked off, and where the ambient set could not be raised again, no_setuid_fixup does.
func (g *generator) setUID(s *engine.Step) {
	done, set, isSet := g.NewLabel(), g.NewLabel(), g.NewLabel()
	now, id := g.frame.now, op.Int(int64(s.ID))
	setuids := func() {
		g.call(fmt.Sprintf("set uids %d", s.ID), func() {
			g.Syscall(op.Setresuid, id, id, id)
			g.must()
		})
	}
	g.skipSameIDs(s.ID, now+stateUID, done)
	if s.ID != 0 {
		leaves, fixup, keep := g.NewLabel(), g.NewLabel(), g.NewLabel()
		for n := range int64(3) {
			g.Load(op.R0, 4, op.SP, now+stateUID+4*n)
			g.If(op.R0, op.Equal, 0, leaves)
		}
		g.Jump(set)
		g.Place(leaves)
		g.load(op.R1, now+stateP)
		g.If(op.R1, op.Equal, 0, set)
		g.load(op.R0, now+stateBits)
		g.If(op.R0, op.AnyBit, int64(cred.SecKeepCaps|cred.SecNoSetuidFixup), set)
		g.If(op.R0, op.NoBit, int64(cred.SecKeepCapsLocked|cred.SecNoCapAmbientRaiseLocked), keep)
		g.If(op.R0, op.AnyBit, int64(cred.SecNoSetuidFixupLocked), keep)
		g.If(op.R1, op.AnyBit, 1<<capSetpcap, fixup)
		g.Place(keep)
		g.If(op.R0, op.AnyBit, int64(cred.SecKeepCapsLocked), set)
		g.keepCaps(1)
		setuids()
		g.keepCaps(0)
		g.Jump(isSet)
		g.Place(fixup)
		g.confirmSecurebits()
		g.store(op.R0, g.frame.pair)
		g.Const(op.R1, int64(cred.SecNoSetuidFixup))
		g.OrReg(op.R0, op.R1)
		g.writeSecurebits()
		setuids()
		g.load(op.R0, g.frame.pair)
		g.writeSecurebits()
		g.Jump(isSet)
	}
	g.Place(set)
	setuids()
	g.Place(isSet)
	g.call("sets", g.readSets)
	g.raise(nil)
	g.Place(done)
	g.wantIDs(stateUID, s.ID)
}

func (g *generator) keepCaps(on int64) {
	g.Syscall(op.Prctl, op.Int(prSetKeepcaps), op.Int(on))
	g.must()
}

// writeSecurebits sets the securebits to R0.
func (g *generator) writeSecurebits() {
	g.call("write securebits", func() {
		g.store(op.R0, g.frame.now+stateBits)
		g.Syscall(op.Prctl, op.Int(prSetSecurebits), op.Of(op.R0))
		g.must()
	})
}

// confirmSecurebits reads the securebits again, and goes to noEffect unless they are R0.
// After a change that is undone, the launcher would find a wrong answer confirmed.
func (g *generator) confirmSecurebits() {
	g.Syscall(op.Prctl, op.Int(prGetSecurebits))
	g.IfReg(op.R0, op.NotEqual, op.Result, g.noEffect)
}
