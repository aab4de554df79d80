package amd64

import (
	"fmt"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"caprun/internal/test/requires"
	"caprun/seal/internal/op"
	"caprun/seal/internal/optest"
)

var backEnd = optest.BackEnd{
	Architecture: "amd64", Machine: 62, Assemble: Assemble, Numbers: numbers[:],
	Reader: func(p *op.Program, calls map[int64]op.Sys) func(*optest.Listing, *op.Op) (op.Op, error) {
		return (&reader{frame: int64(p.Frame), calls: calls}).read
	},
}

func TestDisassemble(t *testing.T) { backEnd.TestDisassemble(t, requires.Rounds(100, 400)) }

func TestNumbers(t *testing.T) { backEnd.TestNumbers(t) }

// reader reconstructs operations. Its methods panic with an error for other instructions
// than those of the operation.
type reader struct {
	*optest.Listing
	frame int64            // its size
	calls map[int64]op.Sys // the system calls by number
}

// middle is the distance of r9 from the beginning of the frame.
const middle = 128

var registersOf = map[x86asm.Reg]op.Reg{
	x86asm.RBX: op.R0, x86asm.RBP: op.R1, x86asm.R12: op.R2, x86asm.R13: op.R3,
	x86asm.R14: op.R4, x86asm.R15: op.R5, x86asm.RAX: op.Result, x86asm.R9: op.SP,
}

var argumentsOf = []x86asm.Reg{x86asm.RDI, x86asm.RSI, x86asm.RDX, x86asm.R10, x86asm.R8, x86asm.R9}

// read is for optest.CompareCode.
func (r *reader) read(l *optest.Listing, want *op.Op) (got op.Op, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	r.Listing = l
	got = op.Op{Code: want.Code}
	switch want.Code {
	case op.Subroutine:
	case op.Start:
		d, s := r.registers(x86asm.MOV)
		r.check(s == x86asm.RSP, "no stack pointer")
		got.D = of(d)
	case op.Enter:
		r.exactly("MOV R11, RSP")
		d, s := r.registers(x86asm.SUB)
		r.check(d == x86asm.RSP, "no stack pointer")
		got.S = of(s)
		r.exactly(fmt.Sprintf("SUB RSP, %#x", r.frame))
		r.exactly("AND RSP, -0x10")
		d, offset := r.frameAddress(x86asm.RSP)
		r.check(d == x86asm.R9 && offset == middle, "another frame")
		d, s = r.registers(x86asm.MOV)
		r.check(s == x86asm.R11, "no stack pointer")
		got.D = of(d)
	case op.Reserve:
		i := r.next()
		size, ok := i.Args[1].(x86asm.Imm)
		r.check(i.Op == x86asm.SUB && i.DataSize == 64 && i.Args[0] == x86asm.RSP && ok, i)
		got.Value = int64(size)
		d, s := r.registers(x86asm.MOV)
		r.check(s == x86asm.RSP, "no stack pointer")
		got.D = of(d)
	case op.Const:
		got.D, got.Value = r.constantOf()
	case op.Copy:
		got.D, got.S = r.pair(x86asm.MOV)
	case op.AddReg:
		got.D, got.S = r.pair(x86asm.ADD)
	case op.SubReg:
		got.D, got.S = r.pair(x86asm.SUB)
	case op.AndReg:
		got.D, got.S = r.pair(x86asm.AND)
	case op.OrReg:
		got.D, got.S = r.pair(x86asm.OR)
	case op.Add:
		got.D, got.Value = r.sum()
	case op.And:
		got.D, got.Value = r.mask()
	case op.Left:
		got.D, got.Value = r.operand(x86asm.SHL)
	case op.Right:
		got.D, got.Value = r.operand(x86asm.SHR)
	case op.Data:
		got.D, got.Value = r.constantOf()
		got.Value -= int64(r.Data)
	case op.CodeAddress:
		var v int64
		got.D, v = r.constantOf()
		r.Target = uint64(v)
	case op.Frame:
		var d x86asm.Reg
		d, got.Value = r.frameAddress(x86asm.R9)
		got.Value += middle
		got.D = of(d)
	case op.Load, op.Store:
		got.D, got.S, got.Size, got.Value = r.memory(want.Code)
	case op.If, op.IfReg:
		r.condition(&got)
	case op.Jump:
		r.jump(x86asm.JMP)
	case op.Call:
		r.jump(x86asm.CALL)
	case op.Return:
		r.exactly("RET")
	case op.Syscall:
		r.systemCall(&got, want)
	}
	return got, nil
}

func (r *reader) check(ok bool, problem any) {
	if !ok {
		panic(fmt.Errorf("%v", problem))
	}
}

// peek returns the next instruction.
func (r *reader) peek() x86asm.Inst {
	i, err := x86asm.Decode(r.Code[r.At:], 64)
	r.check(err == nil, err)
	return i
}

// next returns the next instruction, and steps over it.
func (r *reader) next() x86asm.Inst {
	i := r.peek()
	r.At += i.Len
	return i
}

func (r *reader) exactly(text string) {
	i := r.next()
	r.check(i.String() == text, i)
}

// wide returns the register of 64 bits that contains one of 8, 16 or 32.
func wide(a x86asm.Arg) x86asm.Reg {
	n := a.(x86asm.Reg)
	switch {
	case n >= x86asm.RAX && n <= x86asm.R15:
		return n
	case n >= x86asm.EAX && n <= x86asm.R15L:
		return x86asm.RAX + n - x86asm.EAX
	case n >= x86asm.AX && n <= x86asm.R15W:
		return x86asm.RAX + n - x86asm.AX
	case n >= x86asm.AL && n <= x86asm.BL:
		return x86asm.RAX + n - x86asm.AL
	case n >= x86asm.SPB && n <= x86asm.R15B:
		return x86asm.RSP + n - x86asm.SPB
	}
	panic(fmt.Errorf("register %v", n))
}

// of returns the register of package op.
func of(a x86asm.Arg) op.Reg {
	r, ok := registersOf[wide(a)]
	if !ok {
		panic(fmt.Errorf("register %v", a))
	}
	return r
}

// registers reads an instruction for two registers of 64 bits.
func (r *reader) registers(name x86asm.Op) (d, s x86asm.Reg) {
	i := r.next()
	r.check(i.Op == name && i.DataSize == 64, i)
	return i.Args[0].(x86asm.Reg), i.Args[1].(x86asm.Reg)
}

func (r *reader) pair(name x86asm.Op) (d, s op.Reg) {
	a, b := r.registers(name)
	return of(a), of(b)
}

// constant reads the instructions that set a register to a constant.
func (r *reader) constant() (x86asm.Reg, int64) {
	i := r.next()
	switch {
	case i.Op == x86asm.XOR && i.Args[0] == i.Args[1] && i.DataSize == 32:
		return wide(i.Args[0]), 0
	case i.Op == x86asm.PUSH:
		pop := r.next()
		r.check(pop.Op == x86asm.POP && pop.Args[0] == wide(pop.Args[0]), pop)
		return wide(pop.Args[0]), int64(i.Args[0].(x86asm.Imm))
	case i.Op == x86asm.MOV:
		v := int64(i.Args[1].(x86asm.Imm))
		if i.DataSize == 32 {
			v = int64(uint32(v))
		}
		return wide(i.Args[0]), v
	}
	panic(fmt.Errorf("%v sets no constant", i))
}

func (r *reader) constantOf() (op.Reg, int64) {
	d, v := r.constant()
	return of(d), v
}

// operand reads an instruction for a register and a constant.
func (r *reader) operand(name x86asm.Op) (op.Reg, int64) {
	if r.peek().Op != name {
		s, v := r.constant()
		d, by := r.registers(name)
		r.check(s == by && s == x86asm.R11, by)
		return of(d), v
	}
	i := r.next()
	v := int64(i.Args[1].(x86asm.Imm))
	r.check(i.DataSize == 64 || i.DataSize == 32 && (v >= 0 || i.Op == x86asm.AND || i.Op == x86asm.TEST), i)
	if i.DataSize == 32 {
		v = int64(uint32(v))
	}
	return of(i.Args[0]), v
}

// sum reads an addition of a constant.
func (r *reader) sum() (op.Reg, int64) {
	for name, v := range map[x86asm.Op]int64{x86asm.INC: 1, x86asm.DEC: -1} {
		if i := r.peek(); i.Op == name {
			r.next()
			r.check(i.DataSize == 64, i)
			return of(i.Args[0]), v
		}
	}
	return r.operand(x86asm.ADD)
}

// mask reads an and with a constant.
func (r *reader) mask() (op.Reg, int64) {
	i := r.peek()
	if i.Op == x86asm.MOVZX || i.Op == x86asm.MOV && i.DataSize == 32 && i.Args[1] == i.Args[0] {
		r.next()
		r.check(wide(i.Args[0]) == wide(i.Args[1]), i)
		s := i.Args[1].(x86asm.Reg)
		switch {
		case s >= x86asm.EAX && s <= x86asm.R15L:
			return of(s), 0xffffffff
		case s >= x86asm.AX && s <= x86asm.R15W:
			return of(s), 0xffff
		}
		return of(s), 0xff
	}
	return r.operand(x86asm.AND)
}

// frameAddress reads the addition of a constant to a register.
func (r *reader) frameAddress(base x86asm.Reg) (x86asm.Reg, int64) {
	i := r.next()
	r.check(i.Op == x86asm.LEA && i.DataSize == 64, i)
	m := i.Args[1].(x86asm.Mem)
	r.check(m.Base == base && m.Index == 0 && m.Segment == 0, i)
	return i.Args[0].(x86asm.Reg), m.Disp
}

// memory reads a load or store.
func (r *reader) memory(code op.Code) (d, s op.Reg, size uint8, offset int64) {
	i := r.next()
	reg, mem := i.Args[0], i.Args[1]
	if code == op.Store {
		reg, mem = mem, reg
	}
	m := mem.(x86asm.Mem)
	r.check(m.Index == 0 && m.Segment == 0, i)
	switch i.MemBytes {
	case 1, 2:
		r.check(i.Op == x86asm.MOV && code == op.Store || i.Op == x86asm.MOVZX && i.DataSize == 32, i)
	case 4, 8:
		r.check(i.Op == x86asm.MOV && i.DataSize == 8*i.MemBytes, i)
	}
	if m.Base == x86asm.R9 {
		m.Disp += middle
	}
	return of(reg), of(m.Base), uint8(i.MemBytes), m.Disp
}

// condition reads a comparison and the jump after it.
func (r *reader) condition(o *op.Op) {
	i := r.peek()
	isTest := false
	switch {
	case o.Code == op.IfReg:
		isTest = i.Op == x86asm.TEST
		if isTest {
			o.D, o.S = r.pair(x86asm.TEST)
		} else {
			o.D, o.S = r.pair(x86asm.CMP)
		}
	case i.Op == x86asm.TEST && i.Args[0] == i.Args[1]: // compared with 0
		o.D, _ = r.pair(x86asm.TEST)
	case i.Op == x86asm.TEST && i.MemBytes == 0 && i.DataSize == 8:
		r.next()
		isTest, o.D, o.Value = true, of(i.Args[0]), int64(uint8(i.Args[1].(x86asm.Imm)))
	case i.Op == x86asm.TEST:
		isTest = true
		o.D, o.Value = r.operand(x86asm.TEST)
	case i.Op == x86asm.CMP:
		o.D, o.Value = r.operand(x86asm.CMP)
	default:
		// The constant is in a register.
		s, v := r.constant()
		name := r.peek().Op
		d, by := r.registers(name)
		r.check((name == x86asm.CMP || name == x86asm.TEST) && s == by && s == x86asm.R11, name)
		isTest, o.D, o.Value = name == x86asm.TEST, of(d), v
	}
	jump := r.peek().Op
	if isTest {
		o.Cond = map[x86asm.Op]op.Cond{x86asm.JNE: op.AnyBit, x86asm.JE: op.NoBit}[jump]
	} else {
		o.Cond = map[x86asm.Op]op.Cond{x86asm.JE: op.Equal, x86asm.JNE: op.NotEqual, x86asm.JB: op.Below, x86asm.JAE: op.AtLeast, x86asm.JS: op.Negative}[jump]
	}
	r.check(o.Cond != 0 || jump == x86asm.JE, jump)
	r.jump(jump)
}

// jump reads a jump to a label.
func (r *reader) jump(name x86asm.Op) {
	i := r.next()
	r.check(i.Op == name, i)
	r.Target = r.Address() + uint64(int64(i.Args[0].(x86asm.Rel)))
}

// systemCall reads the arguments, the number and the call. The operands have the same
// instructions for an address of the data and a constant, so want tells them apart.
func (r *reader) systemCall(o, want *op.Op) {
	saved := len(want.Args) == 6
	if saved {
		r.exactly("PUSH R9")
	}
	for {
		at := r.At
		i := r.next()
		n := len(o.Args)
		if i.Op == x86asm.MOV || i.Op == x86asm.LEA {
			d := i.Args[0].(x86asm.Reg)
			if s, ok := i.Args[1].(x86asm.Reg); ok {
				r.check(n < 6 && i.DataSize == 64 && d == argumentsOf[n], i)
				o.Args = append(o.Args, op.Of(of(s)))
				continue
			}
			if _, ok := i.Args[1].(x86asm.Imm); !ok {
				r.At = at
				d, offset := r.frameAddress(x86asm.R9)
				r.check(n < 6 && d == argumentsOf[n], i)
				o.Args = append(o.Args, op.FrameAt(offset+middle))
				continue
			}
		}
		r.At = at
		d, v := r.constant()
		if d == x86asm.RAX {
			call, ok := r.calls[v]
			r.check(ok, fmt.Sprintf("system call %d", v))
			o.Call = call
			break
		}
		r.check(n < 6 && d == argumentsOf[n], i)
		if n < len(want.Args) && want.Args[n].Kind == op.ArgData {
			o.Args = append(o.Args, op.DataAt(v-int64(r.Data)))
		} else {
			o.Args = append(o.Args, op.Int(v))
		}
	}
	r.exactly("SYSCALL")
	if saved {
		r.exactly("POP R9")
	}
}
