package amd64

import "caprun/seal/internal/op"

// reg is the number of a register: 3 bits are in the instruction, the fourth in the
// prefix REX.
type reg byte

const (
	rax reg = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r8
	r9
	r10
	r11
	r12
	r13
	r14
	r15
)

// The widths of an instruction's operands: the bit REX.W.
const (
	bits32 = 0
	bits64 = 8
)

// rex appends the prefix REX, which has bit W and the fourth bits of two registers, if it
// is needed.
func (m *machine) rex(w byte, r, b reg) {
	if v := 0x40 | w | byte(r>>3<<2) | byte(b>>3); v != 0x40 {
		m.put(v)
	}
}

// rex8 is rex of an instruction for the low byte of low: only with the prefix, numbers 4
// to 7 are spl, bpl, sil and dil.
func (m *machine) rex8(r, b, low reg) {
	if v := 0x40 | byte(r>>3<<2) | byte(b>>3); v != 0x40 || low >= rsp {
		m.put(v)
	}
}

// direct appends the ModRM byte for two registers. r is /r, or the number of /digit.
func (m *machine) direct(r, b reg) { m.put(0xc0 | byte(r&7<<3) | byte(b&7)) }

// indirect appends the ModRM byte, and what follows it, for memory at b + offset.
func (m *machine) indirect(r, b reg, offset int64) {
	mode := byte(0x80) // with a displacement of 4 bytes
	switch {
	case offset == 0 && b&7 != rbp: // rbp and r13 without displacement mean another form
		mode = 0
	case fits8(offset):
		mode = 0x40 // with a displacement of 1 byte
	}
	m.put(mode | byte(r&7<<3) | byte(b&7))
	if b&7 == rsp { // rsp and r12 need a SIB byte: no index
		m.put(0x24)
	}
	switch mode {
	case 0x40:
		m.put(byte(offset))
	case 0x80:
		m.put32(offset)
	}
}

// constant sets all 64 bits of d, with the shortest form.
func (m *machine) constant(d reg, v int64) {
	switch {
	case v == 0: // xor r32, r32: 31 /r
		m.rex(bits32, d, d)
		m.put(0x31)
		m.direct(d, d)
	case fits8(v): // push imm8: 6A ib, and pop
		m.put(0x6a, byte(v))
		m.pop(d)
	case fitsUnsigned32(v): // mov r32, imm32: B8 + register, id
		m.mov32Immediate(d, v)
	case fits32(v): // mov r64, imm32: REX.W C7 /0 id
		m.rex(bits64, 0, d)
		m.put(0xc7)
		m.direct(0, d)
		m.put32(v)
	default: // mov r64, imm64: REX.W B8 + register, 8 bytes
		m.rex(bits64, 0, d)
		m.put(0xb8 | byte(d&7))
		m.put64(v)
	}
}

// push: push r64: 50 + register.
func (m *machine) push(r reg) {
	m.rex(bits32, 0, r)
	m.put(0x50 | byte(r&7))
}

// pop: pop r64: 58 + register.
func (m *machine) pop(r reg) {
	m.rex(bits32, 0, r)
	m.put(0x58 | byte(r&7))
}

// mov32Immediate: mov r32, imm32: B8 + register, id.
func (m *machine) mov32Immediate(d reg, v int64) {
	m.rex(bits32, 0, d)
	m.put(0xb8 | byte(d&7))
	m.put32(v)
}

// address sets d to the address of a position of the result. Its size never depends on
// the position.
func (m *machine) address(d reg, position int64) { m.mov32Immediate(d, m.base+position) }

// mov: mov r64, r64: REX.W 89 /r.
func (m *machine) mov(d, s reg) {
	m.rex(bits64, s, d)
	m.put(0x89)
	m.direct(s, d)
}

// mov32: mov r32, r32: 89 /r. It clears the upper half.
func (m *machine) mov32(d, s reg) {
	m.rex(bits32, s, d)
	m.put(0x89)
	m.direct(s, d)
}

// movzx8: movzx r32, r8: 0F B6 /r.
func (m *machine) movzx8(d, s reg) {
	m.rex8(d, s, s)
	m.put(0x0f, 0xb6)
	m.direct(d, s)
}

// movzx16: movzx r32, r16: 0F B7 /r.
func (m *machine) movzx16(d, s reg) {
	m.rex(bits32, d, s)
	m.put(0x0f, 0xb7)
	m.direct(d, s)
}

// The opcodes of instructions for two registers of 64 bits, with REX.W.
const (
	opAdd  = 0x01 // add r64, r64: 01 /r
	opOr   = 0x09 // or r64, r64: 09 /r
	opAnd  = 0x21 // and r64, r64: 21 /r
	opSub  = 0x29 // sub r64, r64: 29 /r
	opCmp  = 0x39 // cmp r64, r64: 39 /r
	opTest = 0x85 // test r64, r64: 85 /r
)

// arithmetic: an instruction for two registers. The first is the destination.
func (m *machine) arithmetic(opcode byte, d, s reg) {
	m.rex(bits64, s, d)
	m.put(opcode)
	m.direct(s, d)
}

// immediate is arithmetic with a constant, which the processor extends to 64 bits with its
// sign: REX.W 83 /digit ib, or 81 /digit id; for rax REX.W opcode + 4, id. The digit is
// the opcode divided by 8.
func (m *machine) immediate(opcode byte, d reg, v int64) {
	m.immediateOf(bits64, opcode, d, v)
}

// immediate32 is immediate for 32 bits. It clears the upper half of the destination.
func (m *machine) immediate32(opcode byte, d reg, v int64) {
	m.immediateOf(bits32, opcode, d, v)
}

func (m *machine) immediateOf(w, opcode byte, d reg, v int64) {
	m.rex(w, 0, d)
	switch {
	case fits8(v):
		m.put(0x83)
		m.direct(reg(opcode>>3), d)
		m.put(byte(v))
	case d == rax:
		m.put(opcode + 4)
		m.put32(v)
	default:
		m.put(0x81)
		m.direct(reg(opcode>>3), d)
		m.put32(v)
	}
}

// testImmediate8: test r8, imm8: F6 /0 ib.
func (m *machine) testImmediate8(d reg, v int64) {
	m.rex8(0, d, d)
	m.put(0xf6)
	m.direct(0, d)
	m.put(byte(v))
}

// testImmediate32: test r32, imm32: F7 /0 id.
func (m *machine) testImmediate32(d reg, v int64) {
	m.rex(bits32, 0, d)
	m.put(0xf7)
	m.direct(0, d)
	m.put32(v)
}

// testImmediate: test r64, imm32: REX.W F7 /0 id. The constant is extended with its sign.
func (m *machine) testImmediate(d reg, v int64) {
	m.rex(bits64, 0, d)
	m.put(0xf7)
	m.direct(0, d)
	m.put32(v)
}

// The digits of inc and dec.
const (
	inc = 0
	dec = 1
)

// increment: inc or dec r64: REX.W FF /digit.
func (m *machine) increment(digit reg, d reg) {
	m.rex(bits64, 0, d)
	m.put(0xff)
	m.direct(digit, d)
}

// The digits of the shifts.
const (
	shl = 4
	shr = 5
)

// shift: shl or shr r64, imm8: REX.W C1 /digit ib.
func (m *machine) shift(digit reg, d reg, bits int64) {
	m.rex(bits64, 0, d)
	m.put(0xc1)
	m.direct(digit, d)
	m.put(byte(bits))
}

// lea: lea r64, [b + offset]: REX.W 8D /r.
func (m *machine) lea(d, b reg, offset int64) {
	m.rex(bits64, d, b)
	m.put(0x8d)
	m.indirect(d, b, offset)
}

// load reads size bytes at b + offset and clears the others.
func (m *machine) load(size uint8, d, b reg, offset int64) {
	switch size {
	case 1: // movzx r32, m8: 0F B6 /r
		m.rex(bits32, d, b)
		m.put(0x0f, 0xb6)
	case 2: // movzx r32, m16: 0F B7 /r
		m.rex(bits32, d, b)
		m.put(0x0f, 0xb7)
	case 4: // mov r32, m32: 8B /r
		m.rex(bits32, d, b)
		m.put(0x8b)
	case 8: // mov r64, m64: REX.W 8B /r
		m.rex(bits64, d, b)
		m.put(0x8b)
	}
	m.indirect(d, b, offset)
}

// store writes the low size bytes of s at b + offset.
func (m *machine) store(size uint8, s, b reg, offset int64) {
	switch size {
	case 1: // mov m8, r8: 88 /r
		m.rex8(s, b, s)
		m.put(0x88)
	case 2: // mov m16, r16: 66 89 /r
		m.put(0x66)
		m.rex(bits32, s, b)
		m.put(0x89)
	case 4: // mov m32, r32: 89 /r
		m.rex(bits32, s, b)
		m.put(0x89)
	case 8: // mov m64, r64: REX.W 89 /r
		m.rex(bits64, s, b)
		m.put(0x89)
	}
	m.indirect(s, b, offset)
}

// jumpIf: jcc: 70 + condition, ib, or 0F, 80 + condition, id.
func (m *machine) jumpIf(condition byte, label op.LabelID) {
	if m.long[m.at] {
		m.put(0x0f, 0x80|condition)
	} else {
		m.put(0x70 | condition)
	}
	m.displacement(label)
}

// jump: jmp: EB ib, or E9 id.
func (m *machine) jump(label op.LabelID) {
	if m.long[m.at] {
		m.put(0xe9)
	} else {
		m.put(0xeb)
	}
	m.displacement(label)
}

// displacement appends the distance from the end of the instruction to a label.
func (m *machine) displacement(label op.LabelID) {
	size := 1
	if m.long[m.at] {
		size = 4
	}
	end := int64(len(m.code) + size)
	m.jumps = append(m.jumps, jump{m.at, end, label})
	if m.long[m.at] {
		m.put32(m.labels[label] - end)
	} else {
		m.put(byte(m.labels[label] - end))
	}
}

// call: call: E8 id.
func (m *machine) call(label op.LabelID) {
	m.put(0xe8)
	m.put32(m.labels[label] - int64(len(m.code)+4))
}

// ret: C3.
func (m *machine) ret() { m.put(0xc3) }

// syscall: 0F 05.
func (m *machine) syscall() { m.put(0x0f, 0x05) }
