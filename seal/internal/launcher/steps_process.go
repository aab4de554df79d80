package launcher

import (
	"slices"

	"caprun/engine"
	"caprun/policy"
	"caprun/seal/internal/op"
)

// closeOnExec marks every descriptor above 2 close-on-exec, and then removes the mark of
// those to keep. A descriptor of the launcher's own shows that the first call has an
// effect.
func (g *generator) closeOnExec(s *engine.Step) {
	keep := slices.Sorted(slices.Values(s.Keep))
	// Twice, because no later call would show that an answer was wrong.
	for _, fd := range slices.Concat(keep, keep) {
		g.Syscall(op.Fcntl, op.Int(int64(fd)), op.Int(fGetfd))
		g.If(op.Result, op.NotEqual, 0, g.refuse("a descriptor to keep is not open, or close-on-exec"))
	}
	const efdCloexec = oCLOEXEC
	low, marked := g.NewLabel(), g.NewLabel()
	g.Syscall(op.Eventfd2, op.Int(0), op.Int(efdCloexec))
	g.newDescriptor()
	g.Copy(op.R1, op.R0)
	g.If(op.R0, op.Below, 3, low)
	g.Syscall(op.Fcntl, op.Of(op.R1), op.Int(fSetfd), op.Int(0))
	g.must()
	g.Jump(marked)
	g.Place(low)
	g.Syscall(op.Fcntl, op.Of(op.R0), op.Int(fDupfd), op.Int(3))
	g.mustNotFail()
	g.Copy(op.R1, op.Result)
	g.If(op.R1, op.Below, 3, g.noEffect)
	g.Syscall(op.Close, op.Of(op.R0))
	g.Place(marked)
	g.Syscall(op.CloseRange, op.Int(3), op.Int(1<<32-1), op.Int(closeRangeCloexec))
	g.must()
	g.Syscall(op.Fcntl, op.Of(op.R1), op.Int(fGetfd))
	g.If(op.Result, op.NotEqual, fdCloexec, g.noEffect)
	g.Syscall(op.Close, op.Of(op.R1))
	for _, fd := range keep {
		g.Syscall(op.Fcntl, op.Int(int64(fd)), op.Int(fSetfd), op.Int(0))
		g.must()
		g.Syscall(op.Fcntl, op.Int(int64(fd)), op.Int(fGetfd))
		g.must()
	}
}

// openRead opens the file whose path is at the address in path, and stores its descriptor
// in R0; if that fails, it goes to bad. path must not be R0.
func (g *generator) openRead(path op.Reg, bad op.LabelID) {
	g.Syscall(op.Openat, op.Int(atFDCWD), op.Of(path), op.Int(oRDONLY|oCLOEXEC|oNONBLOCK|oNOCTTY))
	g.IfNegative(op.Result, bad)
	g.newDescriptor()
}

// closeDescriptor closes R0, unless it is one of the descriptors 0 to 2: exec closes it
// anyway.
func (g *generator) closeDescriptor() {
	low := g.NewLabel()
	g.If(op.R0, op.Below, 3, low)
	g.Syscall(op.Close, op.Of(op.R0))
	g.Place(low)
}

// changeRoot changes the root directory and the working directory.
func (g *generator) changeRoot(s *engine.Step) {
	if s.Path != "/" {
		g.refuseDirectories()
	}
	g.statDirectory(s.Path)
	g.call("save directory", g.saveDirectory)
	g.Syscall(op.Chroot, op.DataAt(g.Text(s.Path)))
	g.must()
	g.statDirectory("/")
	g.compareDirectory()
	g.enter("/")
}

// refuseDirectories refuses a directory as a standard descriptor: the target could leave
// the root directory through it.
func (g *generator) refuseDirectories() {
	open, next := g.NewLabel(), g.NewLabel()
	g.Const(op.R4, 0)
	loop := g.Here()
	g.Copy(op.R0, op.R4)
	g.call("stat descriptor", g.statDescriptor)
	g.If(op.Result, op.NotEqual, -eBADF, open)
	g.Syscall(op.Fcntl, op.Of(op.R4), op.Int(fGetfd))
	g.If(op.Result, op.Equal, -eBADF, next)
	g.Jump(g.noEffect)
	g.Place(open)
	g.must()
	g.checkStat()
	g.If(op.R0, op.Equal, sIFDIR, g.refuse("a standard descriptor is a directory"))
	g.Place(next)
	g.Add(op.R4, 1)
	g.If(op.R4, op.NotEqual, 3, loop)
}

// changeDirectory changes the working directory.
func (g *generator) changeDirectory(s *engine.Step) {
	g.statDirectory(s.Path)
	g.call("save directory", g.saveDirectory)
	g.enter(s.Path)
}

// enter changes the working directory to path, which must be the directory that
// saveDirectory has saved.
func (g *generator) enter(path string) {
	g.Syscall(op.Chdir, op.DataAt(g.Text(path)))
	g.must()
	g.statDirectory(".")
	g.compareDirectory()
}

// statDirectory reads the state of the directory at a path of the data.
func (g *generator) statDirectory(path string) {
	g.DataAddress(op.R1, g.Text(path))
	g.call("stat directory", func() {
		g.call("stat", g.statPath)
		g.must()
		g.checkStat()
		g.If(op.R0, op.NotEqual, sIFDIR, g.failure(eNOTDIR))
	})
}

// statPath calls statx(2) for the path at R1, with the result in the buffer.
func (g *generator) statPath() {
	g.FrameAddress(op.R2, g.frame.buffer)
	g.call("stat into", g.statInto)
}

// statInto calls statx(2) for the path at R1, with the result at R2.
func (g *generator) statInto() {
	g.clearStat()
	g.Syscall(op.Statx, op.Int(atFDCWD), op.Of(op.R1), op.Int(0), op.Int(statxBasicStats), op.Of(op.R2))
}

// statDescriptor calls statx(2) for the open file R0, with the result in the buffer.
func (g *generator) statDescriptor() {
	g.FrameAddress(op.R2, g.frame.buffer)
	g.clearStat()
	g.Syscall(op.Statx, op.Of(op.R0), op.DataAt(g.Text("")), op.Int(atEmptyPath), op.Int(statxBasicStats), op.Of(op.R2))
}

// clearStat makes visible whether statx(2) writes a result at R2.
func (g *generator) clearStat() {
	g.Const(op.R3, 0)
	g.Store(op.R3, 8, op.R2, statxMask)
}

// checkStat goes to noEffect unless statx(2) has written a result at R2, where the call left
// it, and stores the type of the file in R0.
func (g *generator) checkStat() { g.call("check stat", g.checkStatResult) }

func (g *generator) checkStatResult() {
	g.Load(op.R0, 4, op.R2, statxMask)
	g.And(op.R0, statxBasicStats)
	g.If(op.R0, op.NotEqual, statxBasicStats, g.noEffect)
	g.Load(op.R0, 2, op.R2, statxMode)
	g.And(op.R0, sIFMT)
}

// saveDirectory saves which directory is in the buffer, in the slots pair and second.
func (g *generator) saveDirectory() {
	g.load(op.R0, g.frame.buffer+statxIno)
	g.store(op.R0, g.frame.pair)
	g.load(op.R0, g.frame.buffer+statxDevMaj)
	g.store(op.R0, g.frame.second)
}

// compareDirectory goes to noEffect unless the directory in the buffer is the saved one.
func (g *generator) compareDirectory() { g.call("compare directory", g.compareSaved) }

func (g *generator) compareSaved() {
	for n, offset := range []int64{statxIno, statxDevMaj} {
		g.load(op.R0, g.frame.buffer+offset)
		g.load(op.R1, g.frame.pair+8*int64(n))
		g.IfReg(op.R0, op.NotEqual, op.R1, g.noEffect)
	}
}

// setUmask sets the mask twice: the second call returns what the first one set.
func (g *generator) setUmask(s *engine.Step) {
	mask := int64(s.Umask)
	g.Syscall(op.Umask, op.Int(mask))
	g.Syscall(op.Umask, op.Int(mask))
	g.If(op.Result, op.NotEqual, mask, g.noEffect)
}

// setLimit sets a resource limit and verifies it.
func (g *generator) setLimit(s *engine.Step) {
	limit := g.frame.buffer
	declared := g.declaredLimit(s)
	inherit := [2]bool{declared.InheritSoft, declared.InheritHard}
	value := [2]uint64{s.Soft, s.Hard}
	resource := op.Int(int64(s.Resource))
	read := func(at int64) {
		// No limit is above the other one like this.
		g.set(at, -1)
		g.set(at+8, 0)
		g.Syscall(op.Prlimit64, op.Int(0), resource, op.Int(0), op.FrameAt(at))
		g.must()
		g.load(op.R0, at)
		g.load(op.R1, at+8)
		g.IfReg(op.R1, op.Below, op.R0, g.noEffect)
	}
	set := g.NewLabel()
	read(limit)
	for n, at := range []int64{limit, limit + 8} {
		if inherit[n] {
			g.load(op.R0, at)
		} else {
			g.Const(op.R0, int64(value[n]))
		}
		g.store(op.R0, at+16)
	}
	g.load(op.R0, limit+16)
	g.load(op.R1, limit+24)
	if inherit[0] || inherit[1] {
		g.IfReg(op.R1, op.Below, op.R0, g.refuse("the soft limit would be above the hard limit, one of which is the caller's"))
	}
	g.load(op.R2, limit)
	g.load(op.R3, limit+8)
	change := g.NewLabel()
	g.IfReg(op.R0, op.NotEqual, op.R2, change)
	g.IfReg(op.R1, op.Equal, op.R3, set)
	g.Place(change)
	g.Syscall(op.Prlimit64, op.Int(0), resource, op.FrameAt(limit+16), op.Int(0))
	g.must()
	read(limit)
	for _, at := range []int64{limit, limit + 8} {
		same := g.NewLabel()
		g.load(op.R0, at)
		g.load(op.R1, at+16)
		g.IfReg(op.R0, op.Equal, op.R1, same)
		// Some kernels turn a limit of 0 seconds into 1.
		g.If(op.R1, op.NotEqual, 0, g.noEffect)
		g.If(op.R0, op.NotEqual, 1, g.noEffect)
		g.Place(same)
	}
	g.Place(set)
}

// declaredLimit returns the limit that a step comes from.
func (g *generator) declaredLimit(s *engine.Step) policy.Rlimit {
	for _, r := range g.cfg.Profile.Rlimits {
		if "rlimits."+r.Name == s.Key {
			return r
		}
	}
	return policy.Rlimit{Soft: s.Soft, Hard: s.Hard}
}
