package launcher

import "caprun/seal/internal/op"

// readCaller reads the state of the caller into the blocks now, start and want.
func (g *generator) readCaller() {
	g.begin("read the caller's state")
	g.set(g.frame.death, -1)
	g.Syscall(op.Prctl, op.Int(prGetPdeathsig), op.FrameAt(g.frame.death))
	g.must()
	g.Load(op.R0, 4, op.SP, g.frame.death)
	g.If(op.R0, op.AtLeast, 65, g.noEffect)
	g.store(op.R0, g.frame.death)
	// The signal tells of a parent that has ended before.
	none := g.NewLabel()
	g.If(op.R0, op.Equal, 0, none)
	g.Syscall(op.Getppid)
	g.mustNotFail()
	g.store(op.Result, g.frame.parent)
	g.Place(none)
	g.set(g.frame.now+stateB, 0)
	if g.comparesBounding() {
		g.call("bounding", g.readBounding)
	}
	g.call("state", g.readState)
	g.FrameAddress(op.R0, g.frame.now)
	g.FrameAddress(op.R1, g.frame.start)
	g.FrameAddress(op.R4, g.frame.want)
	g.Const(op.R2, stateLength)
	copied := g.Here()
	g.Load(op.R3, 8, op.R0, 0)
	g.Store(op.R3, 8, op.R1, 0)
	g.Store(op.R3, 8, op.R4, 0)
	g.Add(op.R0, 8)
	g.Add(op.R1, 8)
	g.Add(op.R4, 8)
	g.Add(op.R2, -1)
	g.If(op.R2, op.NotEqual, 0, copied)
	if !g.declaresIdentity() {
		g.saveGroups()
	}
}

// newDescriptor goes to fail unless Result is a new descriptor, which it stores in R0. A
// system call filter can return 0 although nothing was opened. It keeps the other registers.
func (g *generator) newDescriptor() { g.call("descriptor", g.checkDescriptor) }

func (g *generator) checkDescriptor() {
	ok, high := g.NewLabel(), g.NewLabel()
	g.mustNotFail()
	g.Copy(op.R0, op.Result)
	g.If(op.R0, op.AtLeast, 3, high)
	// The launcher opens every file close-on-exec. One of the caller's is not: exec would
	// have closed it.
	g.Syscall(op.Fcntl, op.Of(op.R0), op.Int(fGetfd))
	g.If(op.Result, op.NotEqual, fdCloexec, g.noEffect)
	g.Jump(ok)
	g.Place(high)
	g.If(op.R0, op.AtLeast, 1<<31, g.noEffect)
	g.Place(ok)
}

// readState reads the credentials into the block now, but for the bounding set. Each call
// is checked: a system call filter can make it return 0 without a result.
func (g *generator) readState() {
	now := g.frame.now
	g.call("uids", g.readUIDs)
	g.call("gids", g.readGIDs)
	g.call("sets", g.readSets)
	g.call("ambient", g.readAmbient)
	g.Syscall(op.Prctl, op.Int(prGetSecurebits))
	g.mustNotFail()
	g.store(op.Result, now+stateBits)
	g.Syscall(op.Prctl, op.Int(prGetNoNewPrivs), op.Int(0), op.Int(0), op.Int(0), op.Int(0))
	g.If(op.Result, op.AtLeast, 2, g.fail)
	g.store(op.Result, now+stateNNP)
}

func (g *generator) readUIDs() {
	g.readIDs(op.Getresuid, op.Setfsuid, g.frame.now+stateUID)
}

func (g *generator) readGIDs() {
	g.readIDs(op.Getresgid, op.Setfsgid, g.frame.now+stateGID)
}

// readIDs reads four IDs. The call for the file system ID changes nothing with an invalid
// ID, and returns the present one.
func (g *generator) readIDs(read, setfs op.Sys, at int64) {
	g.set(at, -1)
	g.store(op.R0, at+8)
	g.Syscall(read, op.FrameAt(at), op.FrameAt(at+4), op.FrameAt(at+8))
	g.must()
	g.load(op.R0, at)
	g.If(op.R0, op.Equal, -1, g.noEffect)
	g.Syscall(setfs, op.Int(-1))
	g.mustNotFail()
	g.Store(op.Result, 4, op.SP, at+12)
}

// readSets reads the effective, permitted and inheritable sets: capget(2). The initial
// value shows whether the kernel wrote a result: an effective capability is permitted.
func (g *generator) readSets() {
	caps, now := g.frame.caps, g.frame.now
	g.set(caps, linuxCapabilityVersion3)
	g.set(caps+8, 1<<32-1)
	g.set(caps+16, -1<<32)
	g.set(caps+24, 0)
	g.Syscall(op.Capget, op.FrameAt(caps), op.FrameAt(caps+8))
	g.must()
	g.call("unpack sets", g.unpackSets)
	g.load(op.R0, now+stateE)
	g.load(op.R1, now+stateP)
	g.OrReg(op.R0, op.R1)
	g.IfReg(op.R0, op.NotEqual, op.R1, g.noEffect)
}

// unpackSets stores the sets of the last capget(2) or capset(2) in the block now.
func (g *generator) unpackSets() {
	for n, word := range []int64{stateE, stateP, stateI} {
		at := g.frame.caps + 8 + 4*int64(n)
		g.Load(op.R0, 4, op.SP, at+12)
		g.Left(op.R0, 32)
		g.Load(op.R1, 4, op.SP, at)
		g.OrReg(op.R0, op.R1)
		g.store(op.R0, g.frame.now+word)
	}
}

// writeSets sets the effective and permitted sets to R0 and the inheritable set to R1:
// capset(2).
func (g *generator) writeSets() {
	caps := g.frame.caps
	g.Store(op.R0, 4, op.SP, caps+8)
	g.Store(op.R0, 4, op.SP, caps+12)
	g.Store(op.R1, 4, op.SP, caps+16)
	g.Right(op.R0, 32)
	g.Right(op.R1, 32)
	g.Store(op.R0, 4, op.SP, caps+20)
	g.Store(op.R0, 4, op.SP, caps+24)
	g.Store(op.R1, 4, op.SP, caps+28)
	g.Syscall(op.Capset, op.FrameAt(caps), op.FrameAt(caps+8))
	g.must()
	g.call("unpack sets", g.unpackSets)
}

// readBounding reads the bounding set. The first error ends the set, so the launcher asks
// for it twice.
func (g *generator) readBounding() {
	const fewest = 38 // of Linux 3.16
	loop, next, end := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.Const(op.R0, 0)
	g.Const(op.R1, 1) // the bit of R0
	g.Const(op.R2, 0) // the set
	g.Place(loop)
	g.Syscall(op.Prctl, op.Int(prCapbsetRead), op.Of(op.R0))
	g.If(op.Result, op.Equal, -eINVAL, end)
	g.If(op.Result, op.AtLeast, 2, g.fail)
	g.If(op.Result, op.Equal, 0, next)
	g.OrReg(op.R2, op.R1)
	g.Place(next)
	g.Left(op.R1, 1)
	g.Add(op.R0, 1)
	g.If(op.R0, op.NotEqual, 64, loop)
	g.Place(end)
	g.If(op.R0, op.Below, fewest, g.noEffect)
	g.Syscall(op.Prctl, op.Int(prCapbsetRead), op.Of(op.R0))
	g.If(op.Result, op.NotEqual, -eINVAL, g.noEffect)
	g.store(op.R2, g.frame.now+stateB)
}

// readAmbient reads the ambient set, which is within the permitted and the inheritable
// set. The block now must have those.
func (g *generator) readAmbient() {
	loop, next, done := g.NewLabel(), g.NewLabel(), g.NewLabel()
	now := g.frame.now
	g.load(op.R1, now+stateP)
	g.load(op.R0, now+stateI)
	g.AndReg(op.R1, op.R0)
	g.Const(op.R0, 0)
	g.Const(op.R2, 0) // the set
	g.Const(op.R3, 1) // the bit of R0
	g.Place(loop)
	g.If(op.R1, op.Equal, 0, done) // R1: what is left, from capability R0 on
	g.If(op.R1, op.NoBit, 1, next)
	g.ambientCall(prCapAmbientIsSet, op.R0)
	g.If(op.Result, op.AtLeast, 2, g.fail)
	g.If(op.Result, op.Equal, 0, next)
	g.OrReg(op.R2, op.R3)
	g.Place(next)
	g.Left(op.R3, 1)
	g.Right(op.R1, 1)
	g.Add(op.R0, 1)
	g.Jump(loop)
	g.Place(done)
	g.store(op.R2, now+stateA)
}

func (g *generator) ambientCall(operation int64, capability op.Reg) {
	g.Syscall(op.Prctl, op.Int(prCapAmbient), op.Int(operation), op.Of(capability), op.Int(0), op.Int(0))
}

// saveGroups stores the caller's groups in new memory, with room for the same number
// again, so that they can be compared at the end.
func (g *generator) saveGroups() {
	none := g.NewLabel()
	g.Syscall(op.Getgroups, op.Int(0), op.Int(0))
	g.If(op.Result, op.AtLeast, 1<<16+1, g.fail)
	g.Copy(op.R1, op.Result)
	g.store(op.R1, g.frame.groupCount)
	g.If(op.R1, op.Equal, 0, none)
	g.Copy(op.R2, op.R1)
	g.Left(op.R2, 3)
	g.Syscall(op.Mmap, op.Int(0), op.Of(op.R2), op.Int(protRead|protWrite), op.Int(mapPrivate|mapAnonymous), op.Int(-1), op.Int(0))
	g.mustNotFail()
	g.If(op.Result, op.Equal, 0, g.noEffect)
	g.Copy(op.R0, op.Result)
	g.store(op.R0, g.frame.groups)
	g.Syscall(op.Getgroups, op.Of(op.R1), op.Of(op.R0))
	g.IfReg(op.R1, op.NotEqual, op.Result, g.fail)
	g.Place(none)
}
