package launcher

import (
	"caprun/seal/internal/op"
)

// The answers of examine about a program, in R0.
const (
	usable            = 0
	missing           = 1 // ENOENT or ENOTDIR
	denied            = 2 // EACCES
	lacksInterpreter  = 3
	statusRefused     = 125
	statusNotExecuted = 126
	statusNotFound    = 127
)

// target finds the program and executes it: at its path, or for a name without a slash in
// the PATH of the target, like execvp(3).
func (g *generator) target() {
	f := &g.frame
	search, notFound, notExecuted := g.NewLabel(), g.NewLabel(), g.NewLabel()
	g.begin("exec")
	g.load(op.R0, f.path)
	g.store(op.R0, f.subject)
	g.Copy(op.R2, op.R0)
	g.status(statusNotExecuted)
	g.Const(op.R5, -eNOENT)
	g.Load(op.R1, 1, op.R2, 0)
	g.If(op.R1, op.Equal, 0, notFound)
	g.Copy(op.R0, op.R2)
	g.call("has slash", g.hasSlash)
	g.If(op.R1, op.Equal, 0, search)

	g.call("examine", g.examine)
	g.If(op.R0, op.Equal, missing, notFound)
	g.If(op.R0, op.Equal, denied, notExecuted)
	g.If(op.R0, op.Equal, lacksInterpreter, g.refuse("its interpreter does not exist"))
	g.execute()
	g.Place(notExecuted)
	g.Jump(g.failWith)
	g.Place(notFound)
	g.status(statusNotFound)
	g.Jump(g.failWith)

	g.Place(search)
	g.search()
}

// execute executes the program. If that fails, the error is in R5.
func (g *generator) execute() {
	g.call("execute", func() {
		g.load(op.R0, g.frame.path)
		g.load(op.R1, g.frame.argv)
		g.FrameEnd(op.R2)
		g.Syscall(op.Execve, op.Of(op.R0), op.Of(op.R1), op.Of(op.R2))
		g.Copy(op.R5, op.Result)
	})
}

// hasSlash sets R1 to 1 if the text at R0 has a slash, and else to 0.
func (g *generator) hasSlash() {
	loop, done := g.NewLabel(), g.NewLabel()
	g.Place(loop)
	g.Load(op.R1, 1, op.R0, 0)
	g.If(op.R1, op.Equal, 0, done)
	g.Add(op.R0, 1)
	g.If(op.R1, op.NotEqual, '/', loop)
	g.Const(op.R1, 1)
	g.Place(done)
}

// search executes the first usable program of this name in the directories of PATH.
func (g *generator) search() {
	const longest = 4096 // PATH_MAX
	f := &g.frame
	rest, wasDenied, wasLacking := g.Slot(8), g.Slot(8), g.Slot(8)
	scan, found, directory, dirChar, dirEnd, nameChar, next, isDenied, isLacking := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(),
		g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	tooLong := g.failure(eNAMETOOLONG)
	g.Const(op.R0, 0)
	g.store(op.R0, wasDenied)
	g.store(op.R0, wasLacking)
	g.status(statusNotFound)
	// The page of the frame is in use; most launches need no other one.
	g.Reserve(op.R0, longest)
	g.store(op.R0, f.path)

	// The entry of PATH in the list of variables.
	g.FrameEnd(op.R5)
	g.Place(scan)
	g.Load(op.R0, 8, op.R5, 0)
	g.If(op.R0, op.Equal, 0, g.refuse("PATH is not set"))
	g.Add(op.R5, 8)
	g.matchPrefixes("PATH=\x00")
	g.If(op.R1, op.NotEqual, 0, found)
	g.Jump(scan)
	g.Place(found)
	g.Add(op.R0, 5)
	g.store(op.R0, rest)

	// R0: the next character; R1: where to write it; R2: where the buffer ends.
	g.Place(directory)
	g.status(statusNotFound)
	g.load(op.R0, rest)
	g.Load(op.R3, 1, op.R0, 0)
	g.If(op.R3, op.NotEqual, '/', g.refuse("PATH has a relative or empty entry"))
	g.load(op.R1, f.path)
	g.Copy(op.R2, op.R1)
	g.Add(op.R2, longest-2)
	g.Place(dirChar)
	g.Load(op.R3, 1, op.R0, 0)
	g.If(op.R3, op.Equal, 0, dirEnd)
	g.Add(op.R0, 1)
	g.If(op.R3, op.Equal, ':', dirEnd)
	g.IfReg(op.R1, op.AtLeast, op.R2, tooLong)
	g.Store(op.R3, 1, op.R1, 0)
	g.Add(op.R1, 1)
	g.Jump(dirChar)
	g.Place(dirEnd)
	last := g.NewLabel()
	g.If(op.R3, op.NotEqual, 0, last)
	g.Const(op.R0, 0)
	g.Place(last)
	g.store(op.R0, rest)
	// One slash between the directory and the name, as caprun writes it.
	g.load(op.R4, f.path)
	slash, trim := g.NewLabel(), g.Here()
	g.IfReg(op.R1, op.Equal, op.R4, slash)
	g.Add(op.R1, -1)
	g.Load(op.R3, 1, op.R1, 0)
	g.If(op.R3, op.Equal, '/', trim)
	g.Add(op.R1, 1)
	g.Place(slash)
	g.Const(op.R3, '/')
	g.Store(op.R3, 1, op.R1, 0)
	g.Add(op.R1, 1)
	g.load(op.R0, f.subject)
	g.Place(nameChar)
	g.Load(op.R3, 1, op.R0, 0)
	g.IfReg(op.R1, op.AtLeast, op.R2, tooLong)
	g.Store(op.R3, 1, op.R1, 0)
	g.Add(op.R0, 1)
	g.Add(op.R1, 1)
	g.If(op.R3, op.NotEqual, 0, nameChar)

	g.status(statusNotExecuted)
	g.call("examine", g.examine)
	g.If(op.R0, op.Equal, missing, next)
	g.If(op.R0, op.Equal, denied, isDenied)
	g.If(op.R0, op.Equal, lacksInterpreter, isLacking)
	g.execute()
	g.If(op.R5, op.NotEqual, -eACCES, g.failWith)
	g.Place(isDenied)
	g.set(wasDenied, 1)
	g.Jump(next)
	g.Place(isLacking)
	g.set(wasLacking, 1)
	g.Place(next)
	g.load(op.R0, rest)
	g.If(op.R0, op.NotEqual, 0, directory)

	someDenied := g.NewLabel()
	g.load(op.R0, wasDenied)
	g.If(op.R0, op.NotEqual, 0, someDenied)
	g.status(statusNotFound)
	g.load(op.R0, wasLacking)
	g.If(op.R0, op.NotEqual, 0, g.refuse("its interpreter does not exist"))
	g.Jump(g.refuse("not found in PATH"))
	g.Place(someDenied)
	g.Jump(g.failure(eACCES))
}
