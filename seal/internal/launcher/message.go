package launcher

import (
	"fmt"
	"strings"

	"caprun/seal/internal/op"
)

// messages appends what the labels of failures lead to: one line to the standard error,
// and the exit.
//
//	NAME: STEP[ SUBJECT]: CAUSE
func (g *generator) messages() {
	g.printing = g.NewLabel()
	for _, r := range g.refusals {
		g.Place(r.label)
		g.DataAddress(op.R4, g.Text(r.cause))
		g.Jump(g.printing)
	}
	failed := g.NewLabel()
	for _, f := range g.failures {
		g.Place(f.label)
		g.Const(op.R5, -f.errno)
		g.Jump(failed)
	}
	g.Place(g.noEffect)
	g.Const(op.R5, 0)
	g.Jump(failed)
	g.Place(g.fail)
	g.Copy(op.R5, op.Result)
	g.Place(g.failWith) // R5: a negative error number; another value for a call without effect
	g.Place(failed)
	g.Const(op.R4, 0)
	g.Place(g.printing)
	g.print()
}

// messageSize bounds a message. It is written by one call, and fits into a pipe.
const messageSize = bufferSize

// print prints the message and exits. R4 is the address of the cause, or 0 for the error
// in R5.
func (g *generator) print() {
	f := &g.frame
	text := func(s string) {
		g.DataAddress(op.R1, g.Text(s))
		g.call("append", g.appendText)
	}
	noSubject, known := g.NewLabel(), g.NewLabel()
	g.FrameAddress(op.R2, f.buffer)
	text(g.cfg.Name + ": ")
	g.load(op.R1, f.step)
	g.call("append", g.appendText)
	g.load(op.R1, f.subject)
	g.If(op.R1, op.Equal, 0, noSubject)
	text(" ")
	g.load(op.R1, f.subject)
	g.call("append", g.appendText)
	g.Place(noSubject)
	text(": ")
	g.If(op.R4, op.NotEqual, 0, known)
	g.errorText()
	g.Place(known)
	g.Copy(op.R1, op.R4)
	g.call("append", g.appendText)
	g.Const(op.R0, '\n')
	g.Store(op.R0, 1, op.R2, 0)
	g.Add(op.R2, 1)
	g.FrameAddress(op.R0, f.buffer)
	g.SubReg(op.R2, op.R0)
	g.limitWriting()
	g.Syscall(op.Write, op.Int(2), op.FrameAt(f.buffer), op.Of(op.R2))
	g.load(op.R0, f.status)
	g.Syscall(op.ExitGroup, op.Of(op.R0))
	g.exits()
}

// appendText appends the text at R1 to the message, of which R2 is the end. It replaces
// what is not printable ASCII, and leaves room for a line feed.
func (g *generator) appendText() {
	loop, bad, put, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.FrameAddress(op.R3, g.frame.buffer+messageSize-1)
	g.Place(loop)
	g.Load(op.R0, 1, op.R1, 0)
	g.If(op.R0, op.Equal, 0, done)
	g.IfReg(op.R2, op.AtLeast, op.R3, done)
	g.If(op.R0, op.Below, ' ', bad)
	g.If(op.R0, op.Below, 0x7f, put)
	g.Place(bad)
	g.Const(op.R0, '?')
	g.Place(put)
	g.Store(op.R0, 1, op.R2, 0)
	g.Add(op.R1, 1)
	g.Add(op.R2, 1)
	g.Jump(loop)
	g.Place(done)
}

// errors are the errors that a launcher names.
var errors = []struct {
	number int
	text   string
}{
	{1, "operation not permitted (EPERM)"},
	{2, "no such file or directory (ENOENT)"},
	{7, "argument list too long (E2BIG)"},
	{8, "exec format error (ENOEXEC)"},
	{11, "resource temporarily unavailable (EAGAIN)"},
	{12, "cannot allocate memory (ENOMEM)"},
	{13, "permission denied (EACCES)"},
	{20, "not a directory (ENOTDIR)"},
	{22, "invalid argument (EINVAL)"},
	{24, "too many open files (EMFILE)"},
	{26, "text file busy (ETXTBSY)"},
	{36, "file name too long (ENAMETOOLONG)"},
	{38, "function not implemented (ENOSYS)"},
	{40, "too many levels of symbolic links (ELOOP)"},
}

// errorText sets R4 to the address of the text of the error in R5.
func (g *generator) errorText() {
	var table strings.Builder
	for _, e := range errors {
		fmt.Fprintf(&table, "%c%s\x00", e.number, e.text)
	}
	loop, over, found, other, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.DataAddress(op.R4, g.Text("no effect; a seccomp filter may suppress it"))
	g.If(op.R5, op.Below, -maxErrno, done)
	g.DataAddress(op.R4, g.Text(table.String()))
	g.Place(loop)
	g.Load(op.R0, 1, op.R4, 0)
	g.Add(op.R4, 1)
	g.If(op.R0, op.Equal, 0, other)
	g.AddReg(op.R0, op.R5)
	g.If(op.R0, op.Equal, 0, found)
	g.Place(over)
	g.Load(op.R0, 1, op.R4, 0)
	g.Add(op.R4, 1)
	g.If(op.R0, op.NotEqual, 0, over)
	g.Jump(loop)
	g.Place(other)
	g.numberText()
	g.Place(found)
	g.Place(done)
}

// numberText sets R4 to the address of a text with the number of the error in R5, of up to
// three digits. It uses the slots pair and second.
func (g *generator) numberText() {
	at := g.frame.pair
	g.Const(op.R0, 0)
	g.store(op.R0, g.frame.second)
	g.SubReg(op.R0, op.R5)
	g.Const(op.R3, int64('e')|'r'<<8|'r'<<16|'o'<<24|'r'<<32|' '<<40)
	g.store(op.R3, at)
	g.FrameAddress(op.R4, at+6)
	for _, unit := range []int64{100, 10, 1} {
		g.Const(op.R1, unit)
		g.call("digit", func() {
			more, done := g.NewLabel(), g.NewLabel()
			g.Const(op.R3, '0')
			g.Place(more)
			g.IfReg(op.R0, op.Below, op.R1, done)
			g.SubReg(op.R0, op.R1)
			g.Add(op.R3, 1)
			g.Jump(more)
			g.Place(done)
			g.Store(op.R3, 1, op.R4, 0)
			g.Add(op.R4, 1)
		})
	}
	g.FrameAddress(op.R4, at)
}

// limitWriting makes SIGALRM end the process with its status after 0.2 seconds, so that a
// message does not wait for a reader, and ignores the signals that writing can cause.
// Where that fails, the launcher exits without a message.
func (g *generator) limitWriting() {
	const limit = 200_000 // microseconds
	f := &g.frame
	action := f.now // the blocks are no longer needed
	g.exitLabels()
	silent := g.NewLabel()
	g.zero(action, sigactionSize)
	g.set(action, sIGIGN)
	setAction := func(signal int64) {
		g.Const(op.R0, signal)
		g.call("set action", func() {
			g.Syscall(op.RtSigaction, op.Of(op.R0), op.FrameAt(action), op.Int(0), op.Int(sigsetSize))
		})
	}
	for _, signal := range []int64{sIGPIPE, sIGTTOU, sIGXFSZ} {
		setAction(signal)
	}
	g.load(op.R1, f.status)
	g.CodeAddress(op.R0, g.exit[0])
	chosen := g.NewLabel()
	g.If(op.R1, op.Equal, statusRefused, chosen)
	g.CodeAddress(op.R0, g.exit[1])
	g.If(op.R1, op.Equal, statusNotExecuted, chosen)
	g.CodeAddress(op.R0, g.exit[2])
	g.Place(chosen)
	g.store(op.R0, action)
	g.store(op.R0, action+16) // the restorer, which is never called
	g.set(action+8, saRestorer)
	setAction(sIGALRM)
	g.If(op.Result, op.NotEqual, 0, silent)
	g.set(f.pair, 1<<(sIGALRM-1))
	g.Syscall(op.RtSigprocmask, op.Int(sigUnblock), op.FrameAt(f.pair), op.Int(0), op.Int(sigsetSize))
	g.If(op.Result, op.NotEqual, 0, silent)
	g.zero(action, 24)
	g.set(action+24, limit)
	g.Syscall(op.Setitimer, op.Int(itimerReal), op.FrameAt(action), op.Int(0))
	write := g.NewLabel()
	g.If(op.Result, op.Equal, 0, write)
	g.Place(silent)
	g.load(op.R0, f.status)
	g.Syscall(op.ExitGroup, op.Of(op.R0))
	g.Place(write)
}

// exitLabels makes the labels where SIGALRM ends the process with each status.
func (g *generator) exitLabels() {
	for n := range g.exit {
		g.exit[n] = g.NewLabel()
	}
}

// exits appends the exits with each status. The registers are unknown there.
func (g *generator) exits() {
	for n, label := range g.exit {
		g.Place(label)
		g.Syscall(op.ExitGroup, op.Int(statusRefused+int64(n)))
	}
}
