package launcher

import (
	"slices"

	"caprun/policy"
	"caprun/seal/internal/op"
)

// headSize is the number of bytes that the kernel reads of a file to find its
// interpreter: BINPRM_BUF_SIZE (include/uapi/linux/binfmts.h).
const headSize = 256

// judges reports whether exec of a file with set-id bits or file capabilities could lead to
// another state than the profile declares. If it declares neither an identity nor
// capabilities, nor a stack limit that AT_SECURE would lower, every result is as declared.
func (g *generator) judges() bool {
	p := g.cfg.Profile
	return g.declaresIdentity() || p.Caps != nil || p.IAB != nil && p.IAB.Ambient != 0 || declaresHighStack(p)
}

// declaresHighStack reports whether a profile declares a soft limit of the stack above that
// to which exec lowers it under AT_SECURE.
func declaresHighStack(p *policy.Profile) bool {
	const secureStack = 8 << 20
	return slices.ContainsFunc(p.Rlimits, func(r policy.Rlimit) bool {
		return r.Name == "stack" && !r.InheritSoft && r.Soft > secureStack
	})
}

// examine follows the path of the program to the file whose set-id bits and capabilities
// the kernel uses: the program, or the interpreter of a script. It refuses a file that
// would change the state of the target. The answer is in R0; the error, if there is one,
// in R5.
func (g *generator) examine() {
	f := &g.frame
	again, unreadable, binary, script, final, done := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	absent, forbidden := g.NewLabel(), g.NewLabel()
	g.load(op.R0, f.path)
	g.store(op.R0, f.current)
	g.set(f.depth, 0)

	g.Place(again)
	g.load(op.R1, f.current)
	g.FrameAddress(op.R2, f.saved)
	g.call("stat into", g.statInto)
	g.Copy(op.R5, op.Result)
	g.If(op.R5, op.Equal, -eNOENT, absent)
	g.If(op.R5, op.Equal, -eNOTDIR, absent)
	g.If(op.R5, op.Equal, -eACCES, forbidden)
	g.If(op.R5, op.NotEqual, 0, g.failWith)
	g.checkStat()
	g.Const(op.R5, -eACCES) // what execve(2) returns for another type of file
	g.If(op.R0, op.NotEqual, sIFREG, forbidden)
	g.load(op.R1, f.current)
	// A search in PATH continues after a file that the target may not execute,
	// whatever it contains.
	g.Syscall(op.Faccessat2, op.Int(atFDCWD), op.Of(op.R1), op.Int(xOK), op.Int(atEaccess))
	g.If(op.Result, op.Equal, -eACCES, forbidden)
	if g.opensEarly() {
		g.readProgram(binary)
	}
	g.load(op.R1, f.current)
	g.openRead(op.R1, unreadable)
	g.call("read head", g.readHead)
	g.If(op.R0, op.Equal, scriptMagic, script)
	g.Place(binary)
	g.checkFormat(final, g.failure(eNOEXEC))

	g.Place(script)
	g.findInterpreter()
	g.load(op.R0, f.depth)
	g.If(op.R0, op.Equal, 5, g.failure(eLOOP))
	g.Add(op.R0, 1)
	g.store(op.R0, f.depth)
	g.FrameAddress(op.R0, f.interpreter)
	g.store(op.R0, f.current)
	g.Jump(again)

	// A file that the target may execute but not read.
	g.Place(unreadable)
	g.Copy(op.R5, op.Result)
	g.If(op.R5, op.NotEqual, -eACCES, g.failWith)
	if g.judges() {
		g.Jump(g.refuse("cannot be read"))
	} else {
		g.Jump(final)
	}

	g.Place(final)
	g.judge()
	g.Const(op.R0, usable)
	g.Jump(done)

	g.Place(absent)
	interpreter := g.NewLabel()
	g.load(op.R0, f.depth)
	g.If(op.R0, op.NotEqual, 0, interpreter)
	g.Const(op.R0, missing)
	g.Jump(done)
	g.Place(interpreter)
	g.Const(op.R0, lacksInterpreter)
	g.Jump(done)
	g.Place(forbidden)
	g.Const(op.R0, denied)
	g.Place(done)
}

// scriptMagic is how a script begins.
const scriptMagic = '#' | '!'<<8

// compareSavedStat refuses the file in the buffer unless it is the saved one, unchanged.
func (g *generator) compareSavedStat() {
	g.call("compare stat", func() {
		for _, part := range []struct{ offset, words int64 }{
			{statxUID, 5}, {statxCtimeSec, 3}, {statxDevMaj, 2}, // with gid, mode and inode
		} {
			g.FrameAddress(op.R0, g.frame.buffer+part.offset)
			g.FrameAddress(op.R1, g.frame.saved+part.offset)
			g.Const(op.R2, part.words)
			g.call("same words", func() {
				g.compareWords(g.refuse("it changed while it was read"))
			})
		}
	})
}

// readHead reads the beginning of the open file R0, which must be the saved one, and closes
// it. It stores the first two bytes in R0. It uses the slot pair.
func (g *generator) readHead() {
	f := &g.frame
	const parsed = 24 // bytes of the head that are used even if the file is shorter
	g.store(op.R0, f.pair)
	g.zero(f.head, parsed)
	g.load(op.R0, f.pair)
	g.call("stat descriptor", g.statDescriptor)
	g.must()
	g.checkStat()
	g.load(op.R0, f.pair)
	g.Syscall(op.Pread64, op.Of(op.R0), op.FrameAt(f.head), op.Int(headSize), op.Int(0))
	g.mustNotFail()
	g.If(op.Result, op.AtLeast, headSize+1, g.noEffect)
	g.store(op.Result, f.headLength)
	g.closeDescriptor()
	g.compareSavedStat()
	g.Load(op.R0, 2, op.SP, f.head)
}

// checkFormat goes to yes if the head is that of an ELF file of this machine, and else to
// no. The kernel executes others only with an interpreter of binfmt_misc, whose privileges
// are unknown.
func (g *generator) checkFormat(yes, no op.LabelID) {
	const magic = 0x7f | 'E'<<8 | 'L'<<16 | 'F'<<24
	f := &g.frame
	g.Load(op.R0, 4, op.SP, f.head)
	g.If(op.R0, op.NotEqual, magic, no)
	g.Load(op.R0, 1, op.SP, f.head+4)
	g.Load(op.R1, 2, op.SP, f.head+18)
	g.Left(op.R1, 8)
	g.OrReg(op.R0, op.R1)
	for _, format := range g.cfg.Formats {
		g.If(op.R0, op.Equal, int64(format.Class)|int64(format.Machine)<<8, yes)
	}
	g.Jump(no)
}

// findInterpreter copies the path of the interpreter from the first line of a script, as
// load_script (fs/binfmt_script.c) reads it.
func (g *generator) findInterpreter() {
	f := &g.frame
	blank, char, ended, full := g.NewLabel(), g.NewLabel(), g.NewLabel(), g.NewLabel()
	bad := g.failure(eNOEXEC)
	// R0: the next character; R1: where to write it; R2: the end of the head.
	g.FrameAddress(op.R0, f.head)
	g.Copy(op.R2, op.R0)
	g.load(op.R3, f.headLength)
	g.AddReg(op.R2, op.R3)
	g.Add(op.R0, 1)
	g.FrameAddress(op.R1, f.interpreter)
	g.Place(blank)
	g.Add(op.R0, 1)
	g.IfReg(op.R0, op.AtLeast, op.R2, bad)
	g.Load(op.R3, 1, op.R0, 0)
	g.If(op.R3, op.Equal, ' ', blank)
	g.If(op.R3, op.Equal, '\t', blank)
	for _, end := range []int64{'\n', 0} {
		g.If(op.R3, op.Equal, end, bad)
	}
	g.Place(char)
	g.Store(op.R3, 1, op.R1, 0)
	g.Add(op.R0, 1)
	g.Add(op.R1, 1)
	g.IfReg(op.R0, op.AtLeast, op.R2, full)
	g.Load(op.R3, 1, op.R0, 0)
	for _, end := range []int64{' ', '\t', '\n', 0} {
		g.If(op.R3, op.Equal, end, ended)
	}
	g.Jump(char)
	g.Place(full)
	// The path may be cut.
	g.load(op.R3, f.headLength)
	g.If(op.R3, op.AtLeast, headSize, bad)
	g.Place(ended)
	g.Const(op.R3, 0)
	g.Store(op.R3, 1, op.R1, 0)
}

// opensEarly reports whether the launcher opens the program before the uid changes.
func (g *generator) opensEarly() bool { return g.declaresIdentity() && g.judges() }

// openProgram opens the program, if the command is the path of a regular file, for the case
// that the target may not read it. It ignores errors: examine finds them.
func (g *generator) openProgram() {
	if !g.opensEarly() {
		return
	}
	f := &g.frame
	f.program = g.Slot(8)
	none := g.NewLabel()
	g.begin("open the program")
	g.set(f.program, -1)
	g.load(op.R0, f.path)
	g.call("has slash", g.hasSlash)
	g.If(op.R1, op.Equal, 0, none)
	g.load(op.R1, f.path)
	g.call("stat", g.statPath)
	g.If(op.Result, op.NotEqual, 0, none)
	g.checkStat()
	g.If(op.R0, op.NotEqual, sIFREG, none)
	g.load(op.R1, f.path)
	g.openRead(op.R1, none)
	g.store(op.R0, f.program)
	g.Place(none)
}

// readProgram reads the head of the program that openProgram has opened, and goes to binary
// unless it is a script: a script has to be readable for the target.
func (g *generator) readProgram(binary op.LabelID) {
	none := g.NewLabel()
	g.load(op.R0, g.frame.program)
	g.If(op.R0, op.Equal, -1, none)
	g.Const(op.R1, -1)
	g.store(op.R1, g.frame.program)
	g.call("read head", g.readHead)
	g.If(op.R0, op.NotEqual, scriptMagic, binary)
	g.Place(none)
}
