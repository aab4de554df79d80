package launcher

import "caprun/seal/internal/op"

// start reserves the frame, refuses AT_SECURE and finds the command.
//
// The kernel has put on the stack: argc, the addresses of the arguments, 0, the addresses of
// the variables, 0, and pairs of the auxiliary vector, see getauxval(3).
func (g *generator) start() {
	// R4: address of the first variable; R3: number of variables; R1: end of the list.
	g.Start(op.R5)
	g.Load(op.R0, 8, op.R5, 0)
	g.Left(op.R0, 3)
	g.Copy(op.R4, op.R5)
	g.AddReg(op.R4, op.R0)
	g.Add(op.R4, 16)
	g.Copy(op.R1, op.R4)
	count := g.NewLabel()
	g.Place(count)
	g.Load(op.R0, 8, op.R1, 0)
	g.Add(op.R1, 8)
	g.If(op.R0, op.NotEqual, 0, count)
	g.Copy(op.R3, op.R1)
	// The new list has room for every variable of the caller and those that are added.
	g.Copy(op.R2, op.R1)
	g.Add(op.R2, int64(8*g.addedVariables()))
	g.SubReg(op.R2, op.R4)
	g.Enter(op.R5, op.R2)
	g.begin("start")
	g.status(statusRefused)
	g.set(g.frame.subject, 0)
	g.store(op.R4, g.frame.env)
	g.SubReg(op.R3, op.R4)
	g.If(op.R3, op.AtLeast, 8*maxVariables, g.failure(e2BIG))
	g.secure()
	g.command()
}

// maxVariables bounds the environment: the launcher compares every two names.
const maxVariables = 16384

// secure refuses AT_SECURE: then the kernel has given the launcher privileges that its
// caller lacks. R1 is the address of the auxiliary vector.
func (g *generator) secure() {
	next, found := g.NewLabel(), g.NewLabel()
	refused := g.refuse("set-id or file capabilities (AT_SECURE)")
	g.Place(next)
	g.Load(op.R0, 8, op.R1, 0)
	g.Load(op.R2, 8, op.R1, 8)
	g.Add(op.R1, 16)
	g.If(op.R0, op.Equal, atSecure, found)
	g.If(op.R0, op.NotEqual, atNull, next)
	g.Jump(refused)
	g.Place(found)
	g.If(op.R2, op.NotEqual, 0, refused)
}

// command finds the command: the arguments, without a leading --, or the command of the
// profile. R5 is the stack pointer at the start.
func (g *generator) command() {
	missing, given, done := g.refuse("no program to start"), g.NewLabel(), g.NewLabel()
	g.Load(op.R0, 8, op.R5, 0)
	g.If(op.R0, op.Equal, 0, missing)
	g.Copy(op.R1, op.R5)
	g.Add(op.R1, 16)
	g.Load(op.R2, 8, op.R1, 0)
	noArguments := missing
	if len(g.cfg.Profile.Command) > 0 {
		noArguments = g.NewLabel()
	}
	g.If(op.R2, op.Equal, 0, noArguments)
	g.Load(op.R3, 2, op.R2, 0)
	g.If(op.R3, op.NotEqual, '-'|'-'<<8, given)
	g.Load(op.R3, 1, op.R2, 2)
	g.If(op.R3, op.NotEqual, 0, given)
	g.Add(op.R1, 8)
	g.Load(op.R2, 8, op.R1, 0)
	g.If(op.R2, op.NotEqual, 0, given)
	if words := g.cfg.Profile.Command; len(words) > 0 {
		g.Place(noArguments)
		list := g.Slot(8 * (len(words) + 1))
		for n, word := range words {
			g.DataAddress(op.R2, g.Text(word))
			g.store(op.R2, list+8*int64(n))
		}
		g.set(list+8*int64(len(words)), 0)
		g.FrameAddress(op.R1, list)
		g.Jump(done)
	} else {
		g.Jump(missing)
	}
	g.Place(given)
	g.Place(done)
	g.store(op.R1, g.frame.argv)
	g.Load(op.R0, 8, op.R1, 0)
	g.store(op.R0, g.frame.path)
}
