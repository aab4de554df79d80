package arm64

// reg is the number of a register.
type reg uint32

// Number 31 is the stack pointer for an instruction with an immediate and as an address,
// and zero for an instruction with registers.
const (
	sp  reg = 31
	xzr reg = 31
)

// The places of the registers in an instruction.
func rd(r reg) uint32 { return uint32(r) }
func rn(r reg) uint32 { return uint32(r) << 5 }
func rm(r reg) uint32 { return uint32(r) << 16 }

// fits12 reports whether v is an unsigned number of 12 bits.
func fits12(v int64) bool { return v>>12 == 0 }

// constant sets all 64 bits of d, 16 bits an instruction: those that are not 0 after movz,
// or those that are not 0xffff after movn, whichever are fewer. An orr with an immediate
// replaces more than one instruction.
func (m *machine) constant(d reg, v int64) {
	var zeros, ones int
	for n := range 4 {
		switch uint16(v >> (16 * n)) {
		case 0:
			zeros++
		case 0xffff:
			ones++
		}
	}
	if mask, ok := bitmask(uint64(v)); ok && max(zeros, ones) < 3 {
		m.put(0xb2000000 | mask | rn(xzr) | rd(d)) // orr Rd, xzr, #imm
		return
	}
	var first, skip uint32 = 0xd2800000, 0 // movz Rd, #imm16, lsl #(16*n)
	if ones > zeros {
		first, skip = 0x92800000, 0xffff // movn: the complement of the immediate
	}
	const movk = 0xf2800000 // movk: sets 16 bits, and keeps the others
	opcode := first
	for n := range uint32(4) {
		part := uint32(uint16(v >> (16 * n)))
		if part == skip {
			continue
		}
		if opcode == first {
			part ^= skip
		}
		m.put(opcode | n<<21 | part<<5 | rd(d))
		opcode = movk
	}
	if opcode == first { // every part is the one to skip
		m.put(first | rd(d))
	}
}

// bitmask returns the bits of an instruction whose immediate is v, for and, orr and ands,
// and whether there are any. Such a v repeats an element of 2, 4, up to 64 bits that is a
// row of ones, rotated. DecodeBitMasks in the manual is the inverse.
func bitmask(v uint64) (uint32, bool) {
	size := 64
	for size > 2 && v == rotate(v, size/2, 64) {
		size /= 2
	}
	element := v & (1<<size - 1)
	for rotation := range size {
		row := rotate(element, rotation, size)
		ones := 0
		for row>>ones&1 == 1 {
			ones++
		}
		if ones == 0 || ones == size || row>>ones != 0 {
			continue
		}
		var n uint32
		if size == 64 {
			n = 1
		}
		imms := uint32(-2*size)&0x3f | uint32(ones-1)
		return n<<22 | uint32(rotation)<<16 | imms<<10, true
	}
	return 0, false
}

// rotate rotates a number of size bits to the left.
func rotate(v uint64, by, size int) uint64 {
	return (v<<by | v>>(size-by)) & (1<<size - 1)
}

// mov: orr Rd, xzr, Rm.
func (m *machine) mov(d, s reg) { m.orr(d, xzr, s) }

// add: add Rd, Rn, Rm.
func (m *machine) add(d, n, r reg) { m.put(0x8b000000 | rm(r) | rn(n) | rd(d)) }

// sub: sub Rd, Rn, Rm.
func (m *machine) sub(d, n, r reg) { m.put(0xcb000000 | rm(r) | rn(n) | rd(d)) }

// and: and Rd, Rn, Rm.
func (m *machine) and(d, n, r reg) { m.put(0x8a000000 | rm(r) | rn(n) | rd(d)) }

// orr: orr Rd, Rn, Rm.
func (m *machine) orr(d, n, r reg) { m.put(0xaa000000 | rm(r) | rn(n) | rd(d)) }

// cmp: subs xzr, Rn, Rm.
func (m *machine) cmp(n, r reg) { m.put(0xeb000000 | rm(r) | rn(n) | rd(xzr)) }

// tst: ands xzr, Rn, Rm.
func (m *machine) tst(n, r reg) { m.put(0xea000000 | rm(r) | rn(n) | rd(xzr)) }

// immediate12 is the place of an immediate of 12 bits.
func immediate12(v int64) uint32 { return uint32(v) << 10 }

// addImmediate: add Rd, Rn, #imm12.
func (m *machine) addImmediate(d, n reg, v int64) {
	m.put(0x91000000 | immediate12(v) | rn(n) | rd(d))
}

// addImmediateHigh: add Rd, Rn, #imm12, lsl #12.
func (m *machine) addImmediateHigh(d, n reg, v int64) {
	m.put(0x91400000 | immediate12(v) | rn(n) | rd(d))
}

// subImmediate: sub Rd, Rn, #imm12.
func (m *machine) subImmediate(d, n reg, v int64) {
	m.put(0xd1000000 | immediate12(v) | rn(n) | rd(d))
}

// subImmediateHigh: sub Rd, Rn, #imm12, lsl #12.
func (m *machine) subImmediateHigh(d, n reg, v int64) {
	m.put(0xd1400000 | immediate12(v) | rn(n) | rd(d))
}

// cmpImmediate: subs xzr, Rn, #imm12.
func (m *machine) cmpImmediate(n reg, v int64) {
	m.put(0xf1000000 | immediate12(v) | rn(n) | rd(xzr))
}

// cmnImmediate: adds xzr, Rn, #imm12.
func (m *machine) cmnImmediate(n reg, v int64) {
	m.put(0xb1000000 | immediate12(v) | rn(n) | rd(xzr))
}

// andImmediate: and Rd, Rn, #imm, for the result of bitmask.
func (m *machine) andImmediate(d, n reg, mask uint32) { m.put(0x92000000 | mask | rn(n) | rd(d)) }

// tstImmediate: ands xzr, Rn, #imm, for the result of bitmask.
func (m *machine) tstImmediate(n reg, mask uint32) { m.put(0xf2000000 | mask | rn(n) | rd(xzr)) }

// lsl: ubfm Rd, Rn, #(64 - bits), #(63 - bits).
func (m *machine) lsl(d, n reg, bits int64) { m.ubfm(d, n, uint32(64-bits), uint32(63-bits)) }

// lsr: ubfm Rd, Rn, #bits, #63.
func (m *machine) lsr(d, n reg, bits int64) { m.ubfm(d, n, uint32(bits), 63) }

// ubfm: ubfm Rd, Rn, #immr, #imms.
func (m *machine) ubfm(d, n reg, immr, imms uint32) {
	m.put(0xd3400000 | immr<<16 | imms<<10 | rn(n) | rd(d))
}

// The directions of memory: the field opc.
const (
	str uint32 = 0
	ldr uint32 = 1 << 22
)

// logarithm is the field size of an instruction for 1, 2, 4 or 8 bytes. A load of less
// than 8 bytes clears the others.
var logarithm = [...]uint32{1: 0, 2: 1, 4: 2, 8: 3}

// memoryScaled: ldr or str Rt, [Rn, #(imm12 * size)].
func (m *machine) memoryScaled(direction uint32, size uint8, t, n reg, scaled int64) {
	m.put(logarithm[size]<<30 | 0x39000000 | direction | immediate12(scaled) | rn(n) | rd(t))
}

// memoryUnscaled: ldur or stur Rt, [Rn, #imm9].
func (m *machine) memoryUnscaled(direction uint32, size uint8, t, n reg, offset int64) {
	m.put(logarithm[size]<<30 | 0x38000000 | direction | uint32(offset)<<12 | rn(n) | rd(t))
}

// A field encodes a distance in bytes, and reports whether it can.
type field func(distance int64) (bits uint32, ok bool)

// field26 is that of b and bl: words, in 26 bits.
func field26(distance int64) (uint32, bool) {
	words := distance / 4
	return uint32(words) & (1<<26 - 1), words>>25 == 0 || words>>25 == -1
}

// field19 is that of cbz, cbnz and b.cond: words, in 19 bits.
func field19(distance int64) (uint32, bool) {
	words := distance / 4
	return uint32(words) & (1<<19 - 1) << 5, words>>18 == 0 || words>>18 == -1
}

// field14 is that of tbz and tbnz: words, in 14 bits.
func field14(distance int64) (uint32, bool) {
	words := distance / 4
	return uint32(words) & (1<<14 - 1) << 5, words>>13 == 0 || words>>13 == -1
}

// adrField is that of adr: bytes, the lower 2 bits apart from the upper 19.
func adrField(distance int64) (uint32, bool) {
	low, high := uint32(distance)&3, uint32(distance>>2)&(1<<19-1)
	return low<<29 | high<<5, distance>>20 == 0 || distance>>20 == -1
}

// adr: adr Rd, target.
func (m *machine) adr(d reg, t target) { m.putDistance(0x10000000|rd(d), adrField, t) }

// b: b target.
func (m *machine) b(t target) { m.putDistance(0x14000000, field26, t) }

// bCond: b.cond target.
func (m *machine) bCond(condition uint32, t target) {
	m.putDistance(0x54000000|condition, field19, t)
}

// cbz: cbz Rt, target.
func (m *machine) cbz(r reg, t target) { m.putDistance(0xb4000000|rd(r), field19, t) }

// cbnz: cbnz Rt, target.
func (m *machine) cbnz(r reg, t target) { m.putDistance(0xb5000000|rd(r), field19, t) }

// tbz: tbz Rt, #bit, target.
func (m *machine) tbz(r reg, bit int, t target) {
	m.putDistance(0x36000000|bitNumber(bit)|rd(r), field14, t)
}

// tbnz: tbnz Rt, #bit, target.
func (m *machine) tbnz(r reg, bit int, t target) {
	m.putDistance(0x37000000|bitNumber(bit)|rd(r), field14, t)
}

// bitNumber encodes the number of a bit: the highest of its 6 bits is apart.
func bitNumber(bit int) uint32 { return uint32(bit)>>5<<31 | uint32(bit)&31<<19 }

// bl: bl target. The link register gets the address of the next instruction.
func (m *machine) bl(t target) { m.putDistance(0x94000000, field26, t) }

// ret: ret, to the address in the link register.
func (m *machine) ret() { m.put(0xd65f0000 | rn(link)) }

// pushLink: str x30, [sp, #-16]!
func (m *machine) pushLink() { m.put(0xf81f0c00 | rn(sp) | rd(link)) }

// popLink: ldr x30, [sp], #16
func (m *machine) popLink() { m.put(0xf8410400 | rn(sp) | rd(link)) }

// svc: svc #0.
func (m *machine) svc() { m.put(0xd4000001) }
