package launcher

import (
	"caprun/engine"
	"caprun/seal/internal/op"
)

// newSession removes the controlling terminal: a new session has none. The leader of a
// process group cannot create one, and gives the terminal up instead.
func (g *generator) newSession(*engine.Step) {
	leads, release, done := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.Syscall(op.Getpid)
	g.If(op.Result, op.AtLeast, 1<<31, g.fail)
	g.Copy(op.R5, op.Result)
	g.Syscall(op.Getsid, op.Int(0))
	g.mustNotFail()
	g.IfReg(op.R5, op.Equal, op.Result, leads)
	g.Syscall(op.Setsid)
	g.Copy(op.R1, op.Result)
	g.If(op.R1, op.Equal, -ePERM, release)
	g.mustNotFail()
	g.Syscall(op.Getsid, op.Int(0))
	g.IfReg(op.R5, op.NotEqual, op.Result, g.noEffect)
	g.Jump(done)
	// A filter may return EPERM, as the kernel does to the leader of a group.
	g.Place(release)
	g.Syscall(op.Getpgid, op.Int(0))
	g.IfReg(op.R5, op.NotEqual, op.Result, g.failure(ePERM))
	g.Place(leads)
	g.ignoreHangup()
	g.removeTerminal()
	g.restoreHangup()
	g.Place(done)
}

// sigactionSize is the size of the kernel's struct sigaction, which begins with the
// handler.
const sigactionSize = 32

// ignoreHangup makes SIGHUP ignored and not blocked, so that the kernel discards the one
// that it sends when the leader of a session gives up its terminal.
func (g *generator) ignoreHangup() {
	f := &g.frame
	f.hangup, f.blocked = g.Slot(3*sigactionSize), g.Slot(16)
	ignored, got := f.hangup+sigactionSize, f.hangup+2*sigactionSize
	for n := int64(0); n < sigactionSize; n += 8 {
		g.set(ignored+n, 0)
		g.set(f.hangup+n, -1)
		g.set(got+n, -1)
	}
	g.set(ignored, sIGIGN)
	g.sigaction(op.FrameAt(ignored), op.FrameAt(f.hangup))
	g.load(op.R0, f.hangup)
	g.If(op.R0, op.Equal, -1, g.noEffect)
	g.sigaction(op.Int(0), op.FrameAt(got))
	g.load(op.R0, got)
	g.If(op.R0, op.NotEqual, sIGIGN, g.noEffect)
	g.set(f.blocked, 1<<(sIGHUP-1))
	g.set(f.blocked+8, -1)
	g.sigprocmask(sigUnblock, op.FrameAt(f.blocked), op.FrameAt(f.blocked+8))
	g.load(op.R0, f.blocked+8)
	g.If(op.R0, op.Equal, -1, g.noEffect) // SIGKILL and SIGSTOP are never blocked
}

// restoreHangup restores and verifies the action and the mask of SIGHUP.
func (g *generator) restoreHangup() {
	f := &g.frame
	got := f.hangup + 2*sigactionSize
	g.sigprocmask(sigSetmask, op.FrameAt(f.blocked+8), op.Int(0))
	g.sigprocmask(sigBlock, op.Int(0), op.FrameAt(f.blocked))
	g.load(op.R0, f.blocked)
	g.load(op.R1, f.blocked+8)
	g.IfReg(op.R0, op.NotEqual, op.R1, g.noEffect)
	g.sigaction(op.FrameAt(f.hangup), op.Int(0))
	g.sigaction(op.Int(0), op.FrameAt(got))
	g.load(op.R0, got)
	g.load(op.R1, f.hangup)
	g.IfReg(op.R0, op.NotEqual, op.R1, g.noEffect)
}

func (g *generator) sigaction(action, old op.Arg) {
	g.Syscall(op.RtSigaction, op.Int(sIGHUP), action, old, op.Int(sigsetSize))
	g.must()
}

func (g *generator) sigprocmask(how int64, set, old op.Arg) {
	g.Syscall(op.RtSigprocmask, op.Int(how), set, old, op.Int(sigsetSize))
	g.must()
}

// removeTerminal gives up the controlling terminal, and verifies that none is left.
func (g *generator) removeTerminal() {
	none, standard, listed, notListed := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()

	g.call("open terminal", g.openTerminal)
	g.If(op.R1, op.Equal, -eNXIO, none)
	g.IfNegative(op.R1, standard)
	g.Syscall(op.Ioctl, op.Of(op.R1), op.Int(tIOCNOTTY), op.Int(0))
	g.Copy(op.R2, op.Result)
	g.Syscall(op.Close, op.Of(op.R1))
	g.If(op.R2, op.NotEqual, 0, g.refuse("cannot give up the controlling terminal"))
	g.call("open terminal", g.openTerminal)
	g.If(op.R1, op.NotEqual, -eNXIO, g.refuse("the process still has a controlling terminal"))
	g.Jump(none)

	// Without /dev/tty a standard descriptor may be the terminal: then TIOCGSID returns
	// its session.
	g.Place(standard)
	g.Const(op.R5, 0)
	loop, next := g.Here(), g.NewLabel()
	g.set(g.frame.pair, 0)
	g.Syscall(op.Ioctl, op.Of(op.R5), op.Int(tIOCGSID), op.FrameAt(g.frame.pair))
	g.load(op.R1, g.frame.pair)
	g.If(op.R1, op.Equal, 0, next)
	g.Syscall(op.Ioctl, op.Of(op.R5), op.Int(tIOCNOTTY), op.Int(0))
	g.must()
	g.Syscall(op.Ioctl, op.Of(op.R5), op.Int(tIOCGSID), op.FrameAt(g.frame.pair))
	g.If(op.Result, op.Equal, -eNOTTY, none)
	g.Jump(g.noEffect)
	g.Place(next)
	g.Add(op.R5, 1)
	g.If(op.R5, op.NotEqual, 3, loop)
	g.noTerminalListed(listed, notListed)
	g.Place(listed)
	g.Jump(g.refuse("cannot determine whether there is a controlling terminal"))
	g.Place(notListed)
	g.Place(none)
}

// openTerminal opens /dev/tty, and stores the descriptor or the error in R1: ENXIO if
// there is no controlling terminal. Only this error means that nothing is to be done, so
// it is verified.
func (g *generator) openTerminal() {
	const ttyMajor, ttyMinor = 5, 0
	tty := op.DataAt(g.Text("/dev/tty"))
	bad, done, again := g.NewLabel(), g.NewLabel(), g.NewLabel()
	open := func() {
		g.Syscall(op.Openat, op.Int(atFDCWD), tty, op.Int(oRDWR|oCLOEXEC|oNONBLOCK|oNOCTTY))
		g.Copy(op.R1, op.Result)
	}
	g.DataAddress(op.R1, g.Text("/dev/tty"))
	g.call("stat", g.statPath)
	g.If(op.Result, op.NotEqual, 0, bad)
	g.checkStat()
	g.If(op.R0, op.NotEqual, sIFCHR, bad)
	g.load(op.R0, g.frame.buffer+statxRdevMaj)
	g.If(op.R0, op.NotEqual, ttyMajor|ttyMinor<<32, bad)
	open()
	g.If(op.R1, op.Equal, -eNXIO, again)
	g.IfNegative(op.R1, done)
	valid := g.NewLabel()
	g.Place(valid)
	g.newDescriptor()
	g.Copy(op.R1, op.R0)
	g.Jump(done)
	g.Place(again)
	open()
	g.If(op.R1, op.Below, -maxErrno, valid)
	g.Jump(done)
	g.Place(bad)
	g.Const(op.R1, -eNOTTY)
	g.Place(done)
}

// noTerminalListed goes to yes if /proc shows that the process has no controlling terminal,
// field 7 of proc_pid_stat(5), and else to no.
func (g *generator) noTerminalListed(no, yes op.LabelID) {
	const number = 7
	buffer := g.frame.buffer
	scan, other, field, space := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.set(buffer+statfsType, 0)
	g.DataAddress(op.R1, g.Text("/proc/self/stat"))
	g.openRead(op.R1, no)
	g.Syscall(op.Fstatfs, op.Of(op.R0), op.FrameAt(buffer))
	g.If(op.Result, op.NotEqual, 0, no)
	g.load(op.R1, buffer+statfsType)
	g.If(op.R1, op.NotEqual, procSuperMagic, no)
	g.Syscall(op.Read, op.Of(op.R0), op.FrameAt(buffer), op.Int(bufferSize-1))
	g.Copy(op.R4, op.Result)
	g.If(op.R4, op.AtLeast, bufferSize, no)
	g.closeDescriptor()
	// R1: the place after the last parenthesis, which ends field 2.
	g.FrameAddress(op.R0, buffer)
	g.AddReg(op.R4, op.R0) // the end
	g.Const(op.R1, 0)
	g.Place(scan)
	g.IfReg(op.R0, op.AtLeast, op.R4, field)
	g.Load(op.R2, 1, op.R0, 0)
	g.Add(op.R0, 1)
	g.If(op.R2, op.NotEqual, ')', scan)
	g.Copy(op.R1, op.R0)
	g.Jump(scan)
	g.Place(field)
	g.If(op.R1, op.Equal, 0, no)
	g.Const(op.R3, number-2) // spaces before the field
	g.Place(space)
	g.IfReg(op.R1, op.AtLeast, op.R4, no)
	g.Load(op.R2, 1, op.R1, 0)
	g.Add(op.R1, 1)
	g.If(op.R2, op.NotEqual, ' ', space)
	g.Add(op.R3, -1)
	g.If(op.R3, op.NotEqual, 0, space)
	g.Add(op.R4, -2)
	g.IfReg(op.R1, op.AtLeast, op.R4, no)
	g.Load(op.R2, 2, op.R1, 0)
	g.If(op.R2, op.Equal, '0'|' '<<8, yes)
	g.Place(other)
	g.Jump(no)
}
