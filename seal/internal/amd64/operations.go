package amd64

import (
	"fmt"

	"caprun/seal/internal/op"
)

// registers has the register for each of package op.
var registers = [...]reg{
	op.R0: rbx, op.R1: rbp, op.R2: r12, op.R3: r13, op.R4: r14, op.R5: r15,
	op.Result: rax, op.SP: frame,
}

// arguments has the register for each argument of a system call, syscall(2).
var arguments = [...]reg{rdi, rsi, rdx, r10, r8, r9}

const (
	scratch = r11

	// frame has the address of the frame plus bias: a displacement of 1 byte reaches
	// from 128 bytes below it to 127 above it, so the first 256 bytes of the frame.
	frame = r9
	bias  = 128
)

// conditions has the condition code of Jcc after compare or test.
var conditions = [op.Conds]byte{
	op.Equal:    0x4, // je
	op.NotEqual: 0x5, // jne
	op.Below:    0x2, // jb
	op.AtLeast:  0x3, // jae
	op.AnyBit:   0x5, // jnz
	op.NoBit:    0x4, // jz
	op.Negative: 0x8, // js
}

// operation appends the instructions of o.
func (m *machine) operation(o *op.Op) error {
	d, s, offset := registers[o.D], registers[o.S], o.Value
	if o.S == op.SP {
		offset -= bias
	}
	switch o.Code {
	case op.Label, op.Subroutine:
		m.labels[o.Label] = int64(len(m.code))
	case op.Start:
		m.mov(d, rsp)
	case op.Enter:
		m.enter(d, s)
	case op.Reserve:
		m.immediate(opSub, rsp, o.Value)
		m.mov(d, rsp)
	case op.Const:
		m.constant(d, o.Value)
	case op.Copy:
		m.mov(d, s)
	case op.Add:
		m.add(d, o.Value)
	case op.AddReg:
		m.arithmetic(opAdd, d, s)
	case op.SubReg:
		m.arithmetic(opSub, d, s)
	case op.And:
		m.and(d, o.Value)
	case op.AndReg:
		m.arithmetic(opAnd, d, s)
	case op.OrReg:
		m.arithmetic(opOr, d, s)
	case op.Left:
		m.shift(shl, d, o.Value)
	case op.Right:
		m.shift(shr, d, o.Value)
	case op.Data:
		m.address(d, m.data+o.Value)
	case op.Frame:
		m.frameAddress(d, o.Value)
	case op.CodeAddress:
		m.address(d, m.labels[o.Label])
	case op.Load:
		m.load(o.Size, d, s, offset)
	case op.Store:
		m.store(o.Size, d, s, offset)
	case op.If:
		m.compare(o.Cond, d, o.Value)
		m.jumpIf(conditions[o.Cond], o.Label)
	case op.IfReg:
		m.compareReg(o.Cond, d, s)
		m.jumpIf(conditions[o.Cond], o.Label)
	case op.Jump:
		m.jump(o.Label)
	case op.Call:
		m.call(o.Label)
	case op.Return:
		m.ret()
	case op.Syscall:
		return m.systemCall(o)
	default:
		return fmt.Errorf("unknown operation")
	}
	return nil
}

// enter reserves the frame and s bytes above it. The scratch register has the old stack
// pointer until s is used, because d and s may be the same.
func (m *machine) enter(d, s reg) {
	m.mov(scratch, rsp)
	m.arithmetic(opSub, rsp, s)
	m.immediate(opSub, rsp, int64(m.program.Frame))
	m.immediate(opAnd, rsp, -16)
	m.lea(frame, rsp, bias)
	m.mov(d, scratch)
}

func (m *machine) add(d reg, v int64) {
	switch {
	case v == 1:
		m.increment(inc, d)
	case v == -1:
		m.increment(dec, d)
	case fits32(v):
		m.immediate(opAdd, d, v)
	default:
		m.constant(scratch, v)
		m.arithmetic(opAdd, d, scratch)
	}
}

func (m *machine) and(d reg, v int64) {
	switch {
	case v == 0xff:
		m.movzx8(d, d)
	case v == 0xffff:
		m.movzx16(d, d)
	case v == 0xffffffff:
		m.mov32(d, d)
	case fits32(v) && v < 0:
		m.immediate(opAnd, d, v)
	case fitsUnsigned32(v):
		m.immediate32(opAnd, d, v)
	default:
		m.constant(scratch, v)
		m.arithmetic(opAnd, d, scratch)
	}
}

// frameAddress sets d to the address of the frame at an offset.
func (m *machine) frameAddress(d reg, offset int64) { m.lea(d, frame, offset-bias) }

// compare sets the flags for a condition of d and a constant.
func (m *machine) compare(c op.Cond, d reg, v int64) {
	bits := c == op.AnyBit || c == op.NoBit
	switch {
	case v == 0 && !bits:
		// As after cmp with 0: equal if d is 0, never below, and the sign is that of d.
		m.arithmetic(opTest, d, d)
	case bits && v == int64(uint8(v)):
		m.testImmediate8(d, v)
	case bits && fitsUnsigned32(v):
		m.testImmediate32(d, v)
	case bits && fits32(v):
		m.testImmediate(d, v)
	case !bits && fits32(v):
		m.immediate(opCmp, d, v)
	default:
		m.constant(scratch, v)
		m.compareReg(c, d, scratch)
	}
}

// compareReg sets the flags for a condition of d and s.
func (m *machine) compareReg(c op.Cond, d, s reg) {
	if c == op.AnyBit || c == op.NoBit {
		m.arithmetic(opTest, d, s)
		return
	}
	m.arithmetic(opCmp, d, s)
}

// systemCall loads the arguments and the number. No argument is in a register that an
// earlier argument sets: the sixth replaces the address of the frame, after the others
// have used it.
func (m *machine) systemCall(o *op.Op) error {
	saved := len(o.Args) == len(arguments)
	if saved {
		m.push(frame)
	}
	for n, a := range o.Args {
		switch d := arguments[n]; a.Kind {
		case op.ArgConst:
			m.constant(d, a.Value)
		case op.ArgReg:
			m.mov(d, registers[a.Reg])
		case op.ArgFrame:
			m.frameAddress(d, a.Value)
		case op.ArgData:
			m.address(d, m.data+a.Value)
		default:
			return fmt.Errorf("unknown kind of argument")
		}
	}
	m.constant(rax, numbers[o.Call])
	m.syscall()
	if saved {
		m.pop(frame)
	}
	return nil
}
