package launcher

import (
	"fmt"

	"caprun/engine/machine"
	"caprun/policy"
	"caprun/seal/internal/op"
)

// Config is what a launcher is made from.
type Config struct {
	Profile *policy.Profile

	// Name begins each message, such as "web".
	Name string

	// Accounts are the entries of the user and the groups that the profile names; nil
	// if it names none.
	Accounts *machine.Accounts

	// Formats are the ELF files that the kernel executes without an interpreter of
	// binfmt_misc: those of the machine of the launcher.
	Formats []Format
}

// Format is a kind of ELF file: e_ident[EI_CLASS] and e_machine of elf(5).
type Format struct {
	Class   uint8
	Machine uint16
}

// An UnsupportedError reports a profile that cannot be sealed.
type UnsupportedError struct {
	Key    string // of the profile; empty for the profile as a whole
	Reason string
}

// Error returns the reason.
func (e *UnsupportedError) Error() string { return e.Reason }

// A NoPlanError reports a profile that has no plan for a caller that is root.
type NoPlanError struct{ Diagnostics []policy.Diagnostic }

// Error returns the first diagnostic.
func (e *NoPlanError) Error() string { return e.Diagnostics[0].String() }

// Build returns the program of the launcher of a profile. The error is an
// *UnsupportedError or a *NoPlanError, or reports a bug in this package.
func Build(c Config) (*op.Program, error) {
	classes, err := compileClasses(&c)
	if err != nil {
		return nil, err
	}
	g := &generator{cfg: &c, classes: classes}
	g.layFrame()
	g.start()
	g.readCaller()
	g.chooseClass()
	if err := g.steps(); err != nil {
		return nil, err
	}
	g.verify()
	g.environ()
	g.target()
	g.finish()
	p := g.Program()
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("internal error: invalid launcher: %w", err)
	}
	return p, nil
}

// generator appends the operations of a launcher.
type generator struct {
	op.Builder
	cfg     *Config
	classes []class
	frame   frame

	fail     op.LabelID // prints the step and the error in Result
	failWith op.LabelID // prints the step and the error in R5
	noEffect op.LabelID // prints the step, and that a system call had no effect

	exit [3]op.LabelID // exit with each status, without a message

	printing op.LabelID // prints the step and the cause in R4, or the error in R5
	refusals []refusal
	failures []failure
	pending  []*subroutine
	subs     map[string]*subroutine
}

// subroutine is a part that several places call.
type subroutine struct {
	label op.LabelID
	body  func()
}

// call calls the subroutine of this name, whose body is appended once, at the end.
func (g *generator) call(name string, body func()) {
	s := g.subs[name]
	if s == nil {
		s = &subroutine{g.NewLabel(), body}
		if g.subs == nil {
			g.subs = map[string]*subroutine{}
		}
		g.subs[name] = s
		g.pending = append(g.pending, s)
	}
	g.Call(s.label)
}

// refusal is a message with a cause, and the label that prints it.
type refusal struct {
	label op.LabelID
	cause string
}

// refuse returns a label that prints the step and this cause, and exits.
func (g *generator) refuse(cause string) op.LabelID {
	for _, r := range g.refusals {
		if r.cause == cause {
			return r.label
		}
	}
	r := refusal{g.NewLabel(), cause}
	g.refusals = append(g.refusals, r)
	return r.label
}

// begin sets the text of what the launcher is doing.
func (g *generator) begin(text string) {
	g.DataAddress(op.R0, g.Text(text))
	g.Store(op.R0, 8, op.SP, g.frame.step)
}

// status sets the exit status of the failures that follow.
func (g *generator) status(n int64) {
	g.Const(op.R0, n)
	g.Store(op.R0, 8, op.SP, g.frame.status)
}

// set stores a constant of 8 bytes in the frame.
func (g *generator) set(slot, v int64) {
	g.Const(op.R0, v)
	g.Store(op.R0, 8, op.SP, slot)
}

// zero clears size bytes of the frame.
func (g *generator) zero(slot, size int64) {
	g.Const(op.R0, 0)
	for n := int64(0); n < size; n += 8 {
		g.store(op.R0, slot+n)
	}
}

// load reads 8 bytes of the frame.
func (g *generator) load(d op.Reg, slot int64) { g.Load(d, 8, op.SP, slot) }

// store writes 8 bytes of the frame.
func (g *generator) store(s op.Reg, slot int64) { g.Store(s, 8, op.SP, slot) }

// must goes to fail unless the last system call returned 0. It changes no register. A call
// is shorter than a branch to a place that is far away.
func (g *generator) must() {
	g.call("must", func() { g.If(op.Result, op.NotEqual, 0, g.fail) })
}

// mustNotFail goes to fail if the last system call returned an error. It changes no
// register.
func (g *generator) mustNotFail() {
	g.call("must not fail", func() { g.IfNegative(op.Result, g.fail) })
}

// failure returns a label that prints the step and an error.
func (g *generator) failure(errno int64) op.LabelID {
	for n, f := range g.failures {
		if f.errno == errno {
			return g.failures[n].label
		}
	}
	f := failure{g.NewLabel(), errno}
	g.failures = append(g.failures, f)
	return f.label
}

// failure is a message with an error, and the label that prints it.
type failure struct {
	label op.LabelID
	errno int64
}

// finish appends what the other parts go to: the messages and the subroutines.
func (g *generator) finish() {
	g.bodies() // they add messages
	g.messages()
	g.bodies()
}

// bodies appends the subroutines that were called.
func (g *generator) bodies() {
	for len(g.pending) > 0 {
		s := g.pending[0]
		g.pending = g.pending[1:]
		g.Subroutine(s.label, func() {
			s.body()
			g.Return()
		})
	}
}
