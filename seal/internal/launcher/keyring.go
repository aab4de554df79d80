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
	g.keyctl(keyctlGetKeyringID, keySpecSession)
	g.Copy(op.R1, op.Result)
	g.keyctl(keyctlJoinSession, 0)
	g.Copy(op.R0, op.Result)
	g.If(op.R0, op.Below, -maxErrno, joined)
	g.keysUnreachable(done)
	g.Place(joined)
	g.If(op.R0, op.AtLeast, 1<<31, g.noEffect)
	g.If(op.R0, op.Equal, 0, g.noEffect)
	g.IfReg(op.R0, op.Equal, op.R1, g.noEffect)
	g.keyctl(keyctlGetKeyringID, keySpecSession)
	g.mustNotFail()
	g.IfReg(op.R0, op.NotEqual, op.Result, g.noEffect)
	g.Copy(op.R3, op.R0)
	g.keyctlOf(keyctlRead)
	g.mustNotFail()
	g.If(op.Result, op.NotEqual, 0, g.noEffect)
	g.Place(done)
}

// keyctl calls keyctl(2) with an operation and an argument, in R2 and R3.
func (g *generator) keyctl(operation, argument int64) {
	g.Const(op.R3, argument)
	g.keyctlOf(operation)
}

// keyctlOf is keyctl for the argument R3.
func (g *generator) keyctlOf(operation int64) {
	g.Const(op.R2, operation)
	g.callKeyctl()
}

func (g *generator) callKeyctl() {
	g.call("keyctl", func() {
		g.Syscall(op.Keyctl, op.Of(op.R2), op.Of(op.R3), op.Int(0), op.Int(0), op.Int(0))
	})
}

// keysUnreachable goes to yes if every system call that reaches a key is refused, as that
// whose error is in Result. All arguments are invalid, so no call has an effect.
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
	isRefused := func(then op.LabelID) {
		for _, errno := range []int64{ePERM, eACCES, eNOSYS} { // of a filter, and of a kernel without keys
			g.If(op.Result, op.Equal, -errno, then)
		}
	}
	refused := func() {
		g.call("refused", func() {
			yes := g.NewLabel()
			isRefused(yes)
			g.Jump(reachable)
			g.Place(yes)
		})
	}
	mayBe := g.NewLabel()
	isRefused(mayBe)
	g.Jump(g.fail)
	g.Place(mayBe)
	g.keyctl(keyctlJoinSession, badPointer)
	refused()
	g.Const(op.R4, 0)
	g.Const(op.R5, 1)
	g.Place(loop)
	g.If(op.R5, op.AnyBit, skipped, next)
	g.Copy(op.R2, op.R4)
	g.Const(op.R3, 0)
	g.callKeyctl()
	refused()
	g.Place(next)
	g.Left(op.R5, 1)
	g.Add(op.R4, 1)
	g.If(op.R4, op.NotEqual, lastOperation+1, loop)
	g.keyctl(unknownOperation, 0)
	refused()
	for _, call := range []op.Sys{op.AddKey, op.RequestKey} {
		g.Syscall(call, op.Int(badPointer), op.Int(badPointer), op.Int(0), op.Int(0), op.Int(0))
		refused()
	}
	g.Jump(yes)
}
