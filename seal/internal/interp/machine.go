package interp

import (
	"errors"
	"fmt"
	"slices"

	"caprun/seal/internal/op"
)

// Kernel executes system calls. The result is what the program gets: from -4095 to -1 it is
// an error number. The error is [ErrExec], [ErrExit], [ErrKilled], or the reason why the program, or the
// test, is wrong.
type Kernel interface {
	Syscall(nr op.Sys, args [6]uint64, mem *Memory) (result int64, err error)
}

// A Kernel returns these errors for a call that does not return.
var (
	ErrExec   = errors.New("the target starts")
	ErrExit   = errors.New("the program exits")
	ErrKilled = errors.New("a signal ends the program")
)

// Handler is the error of a call that a signal interrupts permanently: the program continues
// in the handler at this address, with unknown registers and another stack pointer.
type Handler uint64

// Error returns the address.
func (h Handler) Error() string { return fmt.Sprintf("a signal handler at %#x", uint64(h)) }

// Outcome is the end of a program.
type Outcome struct {
	// Exec reports that execve succeeded, with these arguments. Otherwise the
	// program exited with Status, or a signal ended it.
	Exec      bool
	Path      string
	Args, Env []string
	Killed    bool
	Status    int
}

// Call is a system call.
type Call struct {
	Sys  op.Sys
	Args [6]uint64
}

// Machine is a program in execution. [Machine.Next] executes it up to a system call, and
// [Machine.Return] supplies the result.
type Machine struct {
	Memory

	program   *op.Program
	place     []int // of each label
	next      int   // index of the next operation
	registers [op.Result + 1]uint64
	defined   [op.Result + 1]bool
	sp        uint64 // the beginning of the frame; 0 before Enter
	start     uint64 // the stack pointer at the start
	low       uint64 // the lowest address that is reserved
	returns   []int  // where the calls that have not returned continue
	steps     int
	waiting   bool // for the result of a call
}

// maxDepth bounds the calls that have not returned: a launcher has no recursion.
const maxDepth = 16

// Unset is an argument that the operation does not have. On a processor it is what the
// register happens to contain.
const Unset = 0xbad0_bad0_bad0_bad0

// MaxSteps is the number of operations after which a program counts as endless.
const MaxSteps = 5_000_000

// New returns a machine at the first operation of p.
func New(p *op.Program, s Start) (*Machine, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	m := &Machine{program: p, place: make([]int, p.Labels)}
	for n, o := range p.Ops {
		if o.Code == op.Label || o.Code == op.Subroutine {
			m.place[o.Label] = n
		}
	}
	stack := s.stack()
	m.start = stack.base
	m.segments = []segment{stack, {name: "data", base: dataBase, bytes: p.Data, readOnly: true}}
	return m, nil
}

// Clone returns a copy of the machine in its present state.
func (m *Machine) Clone() *Machine {
	c := *m
	c.Memory = m.Memory.clone()
	c.returns = slices.Clone(m.returns)
	return &c
}

// Run executes a program to its end.
func Run(p *op.Program, k Kernel, s Start) (Outcome, error) {
	m, err := New(p, s)
	if err != nil {
		return Outcome{}, err
	}
	return m.Finish(k)
}

// Finish executes the remaining operations.
func (m *Machine) Finish(k Kernel) (Outcome, error) {
	for {
		call, err := m.Next()
		if err != nil {
			return Outcome{}, err
		}
		result, err := k.Syscall(call.Sys, call.Args, &m.Memory)
		if handler, ok := err.(Handler); ok {
			err = m.interrupt(handler)
		} else if err == nil {
			m.Return(result)
		}
		if err != nil {
			return m.End(call, err)
		}
	}
}

// End returns the outcome after a call for which the kernel returned err.
func (m *Machine) End(call Call, err error) (Outcome, error) {
	switch err {
	case ErrExit:
		return Outcome{Status: int(uint8(call.Args[0]))}, nil
	case ErrKilled:
		return Outcome{Killed: true}, nil
	case ErrExec:
		var errs [3]error
		o := Outcome{Exec: true}
		o.Path, errs[0] = m.Text(call.Args[0])
		o.Args, errs[1] = m.Strings(call.Args[1])
		o.Env, errs[2] = m.Strings(call.Args[2])
		return o, errors.Join(errs[:]...)
	}
	return Outcome{}, fmt.Errorf("operation %d, %v: %w", m.next-1, m.program.Ops[m.next-1], err)
}

// Return supplies the result of the system call that Next returned.
func (m *Machine) Return(result int64) {
	m.registers[op.Result], m.defined[op.Result] = uint64(result), true
	m.waiting = false
}

// interrupt continues in a signal handler.
func (m *Machine) interrupt(h Handler) error {
	for _, n := range m.place {
		if m.code(n) == uint64(h) {
			m.next, m.sp, m.waiting = n, 0, false
			m.defined, m.returns = [op.Result + 1]bool{}, nil
			return nil
		}
	}
	return fmt.Errorf("%v is not that of a label", h)
}

// Next executes operations up to a system call, and returns it.
func (m *Machine) Next() (Call, error) {
	if m.waiting {
		return Call{}, errors.New("the system call has no result yet")
	}
	for {
		if m.next >= len(m.program.Ops) {
			return Call{}, errors.New("the program continues after its end")
		}
		if m.steps++; m.steps > MaxSteps {
			return Call{}, fmt.Errorf("no end after %d operations", MaxSteps)
		}
		n, o := m.next, &m.program.Ops[m.next]
		m.next++
		if o.Code == op.Syscall {
			call, err := m.call(o)
			if err != nil {
				return call, fmt.Errorf("operation %d, %v: %w", n, o, err)
			}
			m.waiting = true
			return call, nil
		}
		if err := m.step(o); err != nil {
			return Call{}, fmt.Errorf("operation %d, %v: %w", n, o, err)
		}
	}
}

func (m *Machine) call(o *op.Op) (Call, error) {
	c := Call{Sys: o.Call}
	for n := len(o.Args); n < len(c.Args); n++ {
		c.Args[n] = Unset
	}
	for n, a := range o.Args {
		var err error
		switch a.Kind {
		case op.ArgConst:
			c.Args[n] = uint64(a.Value)
		case op.ArgReg:
			c.Args[n], err = m.get(a.Reg)
		case op.ArgFrame:
			c.Args[n], err = m.frame(a.Value)
		case op.ArgData:
			c.Args[n] = dataBase + uint64(a.Value)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func (m *Machine) get(r op.Reg) (uint64, error) {
	if r > op.Result || !m.defined[r] {
		return 0, fmt.Errorf("%v has no value", r)
	}
	return m.registers[r], nil
}

func (m *Machine) set(r op.Reg, v uint64) { m.registers[r], m.defined[r] = v, true }

// frame returns the address of the frame at an offset.
func (m *Machine) frame(offset int64) (uint64, error) {
	if m.sp == 0 {
		return 0, errors.New("the frame is not reserved")
	}
	return m.sp + uint64(offset), nil
}

// code returns the address of an operation.
func (m *Machine) code(n int) uint64 { return codeBase + 16*uint64(n) }

// enter reserves the frame and extra bytes above it. Their bytes have no defined value.
func (m *Machine) enter(d op.Reg, extra uint64) error {
	if m.sp != 0 || extra > stackSize {
		return fmt.Errorf("%d bytes, or a second time", extra)
	}
	m.sp = (m.start - uint64(m.program.Frame) - extra) &^ 15
	stack := &m.segments[0]
	room := int(m.start - m.sp)
	written := make([]bool, room+len(stack.bytes))
	for n := room; n < len(written); n++ {
		written[n] = true
	}
	*stack = segment{name: "frame", base: m.sp, bytes: append(make([]byte, room), stack.bytes...), written: written}
	m.set(d, m.start)
	m.low = m.sp
	return nil
}

// reserve reserves size bytes, apart from what was reserved before, and returns their
// address. They have no defined value.
func (m *Machine) reserve(size uint64) uint64 {
	m.low -= size + pageSize
	m.segments = append(m.segments, segment{name: "reserved", base: m.low, bytes: make([]byte, size), written: make([]bool, size)})
	return m.low
}
