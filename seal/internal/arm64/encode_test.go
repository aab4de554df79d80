package arm64

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"

	"caprun/seal/internal/op"
)

// one returns a program with the operations that write adds, and its end.
func one(write func(b *op.Builder)) *op.Program {
	b := &op.Builder{}
	b.Slot(1024)
	b.Text("data")
	write(b)
	b.Syscall(op.ExitGroup)
	return b.Program()
}

// inSubroutine adds a subroutine with the operations that write adds. In the program of one,
// it follows the call of exit_group, which has 2 instructions.
func inSubroutine(write func(b *op.Builder, l op.LabelID)) func(b *op.Builder) {
	return func(b *op.Builder) {
		l := b.NewLabel()
		b.Subroutine(l, func() {
			write(b, l)
			b.Return()
		})
	}
}

// TestEncoding has instructions from the manual, at the edges between the forms.
func TestEncoding(t *testing.T) {
	for _, test := range []struct {
		want []uint32
		f    func(b *op.Builder)
	}{
		{[]uint32{0xd2800013}, func(b *op.Builder) { b.Const(op.R0, 0) }},
		{[]uint32{0x92800013}, func(b *op.Builder) { b.Const(op.R0, -1) }},
		{[]uint32{0xd29fffe0 | 19}, func(b *op.Builder) { b.Const(op.R0, 0xffff) }},
		{[]uint32{0xd2a00033}, func(b *op.Builder) { b.Const(op.R0, 1<<16) }},
		{[]uint32{0xd2824693, 0xf2acf133}, func(b *op.Builder) { b.Const(op.R0, 0x67891234) }},
		{[]uint32{0x913ffe73}, func(b *op.Builder) { b.Add(op.R0, 4095) }},
		{[]uint32{0xd2820009, 0x8b090273}, func(b *op.Builder) { b.Add(op.R0, 4096) }},
		{[]uint32{0xd1000673}, func(b *op.Builder) { b.Add(op.R0, -1) }},
		{[]uint32{0x92401e73}, func(b *op.Builder) { b.And(op.R0, 0xff) }},
		{[]uint32{0xd37cee73}, func(b *op.Builder) { b.Left(op.R0, 4) }},
		{[]uint32{0xd344fe73}, func(b *op.Builder) { b.Right(op.R0, 4) }},
		{[]uint32{0xf9400733}, func(b *op.Builder) { b.Load(op.R0, 8, op.SP, 8) }},
		{[]uint32{0xf8401333}, func(b *op.Builder) { b.Load(op.R0, 8, op.SP, 1) }},
		{[]uint32{0x9104072a, 0xf9400153}, func(b *op.Builder) { b.Load(op.R0, 8, op.SP, 257) }},
		{[]uint32{0x39000333}, func(b *op.Builder) { b.Store(op.R0, 1, op.SP, 0) }},
		{[]uint32{0x79000333}, func(b *op.Builder) { b.Store(op.R0, 2, op.SP, 0) }},
		{[]uint32{0xb9000333}, func(b *op.Builder) { b.Store(op.R0, 4, op.SP, 0) }},
		{[]uint32{0xb4000013}, func(b *op.Builder) { b.If(op.R0, op.Equal, 0, b.Here()) }},
		{[]uint32{0x37280013}, func(b *op.Builder) { b.If(op.R0, op.AnyBit, 32, b.Here()) }},
		{[]uint32{0xb7f80000}, func(b *op.Builder) { b.IfNegative(op.Result, b.Here()) }},
		{[]uint32{0xb13ffc1f, 0x54ffffe2}, func(b *op.Builder) { b.If(op.Result, op.AtLeast, -4095, b.Here()) }},
		{[]uint32{0xeb14027f, 0x54ffffe3}, func(b *op.Builder) { b.IfReg(op.R0, op.Below, op.R1, b.Here()) }},
		{[]uint32{0x14000000}, func(b *op.Builder) { b.Jump(b.Here()) }},
		{[]uint32{0xd2800bc8, 0xd4000001, 0xf81f0ffe, 0x97ffffff, 0x91000673, 0xf84107fe, 0xd65f03c0}, inSubroutine(func(b *op.Builder, l op.LabelID) {
			b.Call(l)
			b.Add(op.R0, 1)
		})},
		{[]uint32{0xd2800bc8, 0xd4000001, 0xf81f0ffe, 0x97ffffff, 0xf84107fe, 0x17fffffd}, inSubroutine(func(b *op.Builder, l op.LabelID) {
			b.Call(l)
			b.Call(l)
		})},
		{[]uint32{0xd2800bc8, 0xd4000001, 0x14000000}, inSubroutine(func(b *op.Builder, l op.LabelID) { b.Call(l) })},
		{[]uint32{0xd2800bc8, 0xd4000001, 0xd65f03c0}, inSubroutine(func(*op.Builder, op.LabelID) {})},
		{[]uint32{0xaa1303e0, 0xd2800808, 0xd4000001}, func(b *op.Builder) { b.Syscall(op.Write, op.Of(op.R0)) }},
	} {
		result, err := Assemble(one(test.f), 0x400000)
		var got []uint32
		for n := range min(len(result)/4, len(test.want)) {
			got = append(got, binary.LittleEndian.Uint32(result[4*n:]))
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%08x, %v; want %08x", got, err, test.want)
		}
	}
}

// TestBitmask decodes every immediate that has bits, and finds none for other numbers.
func TestBitmask(t *testing.T) {
	count := 0
	for size := 2; size <= 64; size *= 2 {
		for ones := 1; ones < size; ones++ {
			for rotation := range size {
				element := rotate(1<<ones-1, rotation, size)
				var v uint64
				for n := 0; n < 64; n += size {
					v |= element << n
				}
				mask, ok := bitmask(v)
				if !ok {
					t.Fatalf("no bits for %#x", v)
				}
				var code [4]byte
				binary.LittleEndian.PutUint32(code[:], 0xf2000000|mask|rn(1)|rd(xzr))
				i, err := arm64asm.Decode(code[:])
				if want := fmt.Sprintf("TST X1, #%#x", v); err != nil || i.String() != want {
					t.Fatalf("%v, %v; want %s", i, err, want)
				}
				count++
			}
		}
	}
	if count != 5334 {
		t.Errorf("%d numbers, want 5334", count)
	}
	for _, v := range []uint64{0, 1<<64 - 1, 5, 0x1234, 1<<63 | 1<<5, 0xff00ff0f} {
		if _, ok := bitmask(v); ok {
			t.Errorf("bits for %#x, with %d ones", v, bits.OnesCount64(v))
		}
	}
}

func TestErrors(t *testing.T) {
	p := one(func(*op.Builder) {})
	first, err := Assemble(p, 0x400000)
	second, _ := Assemble(p, 0x400008)
	if err != nil || !slices.Equal(first, second) {
		t.Errorf("% x, then % x, %v", first, second, err)
	}
	if _, err := Assemble(p, 0x400004); err == nil {
		t.Error("no error for an address that is no multiple of 8")
	}
	if _, err := Assemble(&op.Program{}, 0x400000); err == nil {
		t.Error("no error for an empty program")
	}
	// The range of adr, cbz and b.cond is 1 MiB, less 1 byte forward.
	for fill, ok := range map[int]bool{1<<18 - 6: true, 1<<18 - 5: false} {
		_, err := Assemble(one(func(b *op.Builder) {
			b.DataAddress(op.R0, 0)
			inSubroutine(func(b *op.Builder, _ op.LabelID) {
				for range fill {
					b.Return()
				}
			})(b)
		}), 0x400000)
		if (err == nil) != ok {
			t.Errorf("data after %d instructions: %v", fill, err)
		}
	}
}
