package arm64

import (
	"fmt"
	"math/bits"

	"caprun/seal/internal/op"
)

// registers has the register for each of package op.
var registers = [...]reg{
	op.R0: 19, op.R1: 20, op.R2: 21, op.R3: 22, op.R4: 23, op.R5: 24,
	op.Result: 0, op.SP: frame,
}

// The registers of a system call, syscall(2): the first argument is in x0.
const (
	firstArgument reg = 0
	number        reg = 8
)

// frame has the address of the frame.
const frame reg = 25

// link has the return address of the last call that has not returned.
const link reg = 30

// The scratch registers.
const (
	scratch       reg = 9
	memoryAddress reg = 10
)

// conditions has the condition code of b.cond after compare.
var conditions = [op.Conds]uint32{
	op.Equal:    0, // eq
	op.NotEqual: 1, // ne
	op.Below:    3, // lo
	op.AtLeast:  2, // hs
	op.AnyBit:   1, // ne
	op.NoBit:    0, // eq
	op.Negative: 4, // mi
}

// operation appends the instructions of operation n.
func (m *machine) operation(n int) error {
	o := &m.program.Ops[n]
	d, s := registers[o.D], registers[o.S]
	switch o.Code {
	case op.Label:
		m.labels[o.Label] = int64(len(m.code))
	case op.Subroutine:
		m.labels[o.Label] = int64(len(m.code))
		m.subroutine(m.program.Calls(n))
	case op.Start:
		m.addImmediate(d, sp, 0)
	case op.Enter:
		m.enter(d, s)
	case op.Reserve:
		m.subOffset(sp, sp, o.Value)
		m.addImmediate(d, sp, 0)
	case op.Const:
		m.constant(d, o.Value)
	case op.Copy:
		m.mov(d, s)
	case op.Add:
		m.addConstant(d, o.Value)
	case op.AddReg:
		m.add(d, d, s)
	case op.SubReg:
		m.sub(d, d, s)
	case op.And:
		m.andConstant(d, o.Value)
	case op.AndReg:
		m.and(d, d, s)
	case op.OrReg:
		m.orr(d, d, s)
	case op.Left:
		m.lsl(d, d, o.Value)
	case op.Right:
		m.lsr(d, d, o.Value)
	case op.Data:
		m.adr(d, toData(o.Value))
	case op.Frame:
		m.addOffset(d, frame, o.Value)
	case op.CodeAddress:
		m.adr(d, toLabel(o.Label))
	case op.Load:
		m.memory(ldr, o.Size, d, s, o.Value)
	case op.Store:
		m.memory(str, o.Size, d, s, o.Value)
	case op.If:
		m.branchIf(o.Cond, d, o.Value, toLabel(o.Label))
	case op.IfReg:
		m.compareReg(o.Cond, d, s)
		m.bCond(conditions[o.Cond], toLabel(o.Label))
	case op.Jump:
		if m.saved && m.begins[o.Label] {
			m.popLink()
		}
		m.b(toLabel(o.Label))
	case op.Call:
		m.bl(toLabel(o.Label))
	case op.Return:
		m.leave()
	case op.Syscall:
		return m.systemCall(o)
	default:
		return fmt.Errorf("unknown operation")
	}
	return nil
}

// enter reserves the frame and s bytes above it. The scratch register has the old stack
// pointer until s is used, because d and s may be the same. The processor requires a stack
// pointer that is a multiple of 16.
func (m *machine) enter(d, s reg) {
	m.addImmediate(scratch, sp, 0)
	m.sub(frame, scratch, s)
	m.subOffset(frame, frame, int64(m.program.Frame))
	m.andConstant(frame, -16)
	m.addImmediate(sp, frame, 0)
	m.mov(d, scratch)
}

// subOffset: d = n - offset, for a size of the stack.
func (m *machine) subOffset(d, n reg, offset int64) {
	m.subImmediateHigh(d, n, offset>>12)
	m.subImmediate(d, d, offset&0xfff)
}

// addOffset: d = n + offset, for an offset of the frame.
func (m *machine) addOffset(d, n reg, offset int64) {
	if high := offset >> 12; high != 0 {
		m.addImmediateHigh(d, n, high)
		n = d
	}
	if low := offset & 0xfff; low != 0 || d != n {
		m.addImmediate(d, n, low)
	}
}

func (m *machine) addConstant(d reg, v int64) {
	switch {
	case fits12(v):
		m.addImmediate(d, d, v)
	case fits12(-v):
		m.subImmediate(d, d, -v)
	default:
		m.constant(scratch, v)
		m.add(d, d, scratch)
	}
}

func (m *machine) andConstant(d reg, v int64) {
	if mask, ok := bitmask(uint64(v)); ok {
		m.andImmediate(d, d, mask)
		return
	}
	m.constant(scratch, v)
	m.and(d, d, scratch)
}

// memory loads or stores d. It uses the shortest form for the offset.
func (m *machine) memory(direction uint32, size uint8, d, n reg, offset int64) {
	scaled := offset / int64(size)
	switch {
	case offset%int64(size) == 0 && fits12(scaled):
		m.memoryScaled(direction, size, d, n, scaled)
	case offset < 1<<8:
		m.memoryUnscaled(direction, size, d, n, offset)
	default:
		m.addOffset(memoryAddress, n, offset)
		m.memoryScaled(direction, size, d, memoryAddress, 0)
	}
}

// branchIf goes to a target for a condition of d and a constant.
func (m *machine) branchIf(c op.Cond, d reg, v int64, t target) {
	bit := bits.TrailingZeros64(uint64(v))
	isBit := v != 0 && v == 1<<bit && !m.far
	switch {
	case c == op.Equal && v == 0:
		m.cbz(d, t)
	case c == op.NotEqual && v == 0:
		m.cbnz(d, t)
	case c == op.AnyBit && isBit:
		m.tbnz(d, bit, t)
	case c == op.NoBit && isBit:
		m.tbz(d, bit, t)
	case c == op.Negative && !m.far:
		m.tbnz(d, 63, t)
	default:
		m.compare(c, d, v)
		m.bCond(conditions[c], t)
	}
}

// compare sets the flags for a condition of d and a constant.
func (m *machine) compare(c op.Cond, d reg, v int64) {
	isTest := c == op.AnyBit || c == op.NoBit
	mask, ok := bitmask(uint64(v))
	switch {
	case isTest && ok:
		m.tstImmediate(d, mask)
	case !isTest && fits12(v):
		m.cmpImmediate(d, v)
	case !isTest && fits12(-v):
		// For a v that is not 0, d + -v has a carry if and only if d - v has no borrow.
		m.cmnImmediate(d, -v)
	default:
		m.constant(scratch, v)
		m.compareReg(c, d, scratch)
	}
}

// compareReg sets the flags for a condition of d and s.
func (m *machine) compareReg(c op.Cond, d, s reg) {
	if c == op.AnyBit || c == op.NoBit {
		m.tst(d, s)
		return
	}
	m.cmp(d, s)
}

// subroutine saves the return address if the subroutine calls others.
func (m *machine) subroutine(calls bool) {
	m.saved = calls
	if m.saved {
		m.pushLink()
	}
}

// leave returns from a subroutine.
func (m *machine) leave() {
	if m.saved {
		m.popLink()
	}
	m.ret()
}

// systemCall loads the arguments and the number. No argument is in a register that an
// earlier argument sets.
func (m *machine) systemCall(o *op.Op) error {
	for n, a := range o.Args {
		switch d := firstArgument + reg(n); a.Kind {
		case op.ArgConst:
			m.constant(d, a.Value)
		case op.ArgReg:
			m.mov(d, registers[a.Reg])
		case op.ArgFrame:
			m.addOffset(d, frame, a.Value)
		case op.ArgData:
			m.adr(d, toData(a.Value))
		default:
			return fmt.Errorf("unknown kind of argument")
		}
	}
	m.constant(number, numbers[o.Call])
	m.svc()
	return nil
}
