package launcher

import (
	"caprun/engine"
	"caprun/seal/internal/op"
)

// keyring replaces the session keyring, and verifies that the new one is another keyring
// and empty. Where no system call can reach a key, because a filter refuses each of them
// or the kernel has none, it does nothing.
func (g *generator) keyring(*engine.Step) {
	joined, done := g.NewLabel(), g.NewLabel()
	// Without a session keyring, this makes the user session keyring the session keyring
	// until the next call. An error does not matter.
	g.keyctl(keyctlGetKeyringID, op.Int(keySpecSession))
	g.Copy(op.R1, op.Result)
	g.keyctl(keyctlJoinSession, op.Int(0))
	g.Copy(op.R0, op.Result)
	g.If(op.R0, op.Below, -maxErrno, joined)
	g.store(op.R0, g.frame.pair)
	g.keysUnreachable(done)
	g.Place(joined)
	g.If(op.R0, op.AtLeast, 1<<31, g.noEffect)
	g.If(op.R0, op.Equal, 0, g.noEffect)
	g.IfReg(op.R0, op.Equal, op.R1, g.noEffect)
	g.keyctl(keyctlGetKeyringID, op.Int(keySpecSession))
	g.mustNotFail()
	g.IfReg(op.R0, op.NotEqual, op.Result, g.noEffect)
	g.keyctl(keyctlRead, op.Of(op.R0))
	g.mustNotFail()
	g.If(op.Result, op.NotEqual, 0, g.noEffect)
	g.Place(done)
}

func (g *generator) keyctl(operation int64, argument op.Arg) {
	g.Syscall(op.Keyctl, op.Int(operation), argument, op.Int(0), op.Int(0), op.Int(0))
}

// keysUnreachable goes to yes if every system call that reaches a key is refused, and else
// to fail with the error in R0. All arguments are invalid, so no call has an effect.
func (g *generator) keysUnreachable(yes op.LabelID) {
	const (
		badPointer       = 1
		lastOperation    = 32 // of Linux 6.18: KEYCTL_WATCH_KEY
		unknownOperation = 1 << 20

		// Operations that have an effect with zeros as arguments (1, 14, 18), and those
		// for a key under construction, which return EPERM otherwise.
		skipped = 1<<1 | 1<<12 | 1<<13 | 1<<14 | 1<<16 | 1<<18 | 1<<19 | 1<<20
	)
	reachable, loop, next := g.refuse("a filter denies this, but not other access to keys"), g.NewLabel(), g.NewLabel()
	failed := g.NewLabel()
	refused := func(otherwise op.LabelID) {
		g.Copy(op.R3, op.Result)
		g.call("refused", g.isRefused)
		g.If(op.R3, op.Equal, 0, otherwise)
	}
	g.Copy(op.R3, op.R0)
	g.call("refused", g.isRefused)
	g.If(op.R3, op.Equal, 0, failed)
	g.keyctl(keyctlJoinSession, op.Int(badPointer))
	refused(failed)
	g.Const(op.R4, 0)
	g.Const(op.R5, 1)
	g.Place(loop)
	g.If(op.R5, op.AnyBit, skipped, next)
	g.Syscall(op.Keyctl, op.Of(op.R4), op.Int(0), op.Int(0), op.Int(0), op.Int(0))
	refused(reachable)
	g.Place(next)
	g.Left(op.R5, 1)
	g.Add(op.R4, 1)
	g.If(op.R4, op.NotEqual, lastOperation+1, loop)
	g.keyctl(unknownOperation, op.Int(0))
	refused(reachable)
	for _, call := range []op.Sys{op.AddKey, op.RequestKey} {
		g.Syscall(call, op.Int(badPointer), op.Int(badPointer), op.Int(0), op.Int(0), op.Int(0))
		refused(reachable)
	}
	g.Jump(yes)
	g.Place(failed)
	g.load(op.R5, g.frame.pair)
	g.Jump(g.failWith)
}

// isRefused sets R3 to 1 if the result in R3 is one of a filter that refuses a system call,
// or of a kernel that lacks it, and else to 0.
func (g *generator) isRefused() {
	yes, done := g.NewLabel(), g.NewLabel()
	for _, errno := range []int64{ePERM, eACCES, eNOSYS} {
		g.If(op.R3, op.Equal, -errno, yes)
	}
	g.Const(op.R3, 0)
	g.Jump(done)
	g.Place(yes)
	g.Const(op.R3, 1)
	g.Place(done)
}
