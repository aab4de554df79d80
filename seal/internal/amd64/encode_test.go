package amd64

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

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
// it follows the call of exit_group, which has 7 bytes.
func inSubroutine(write func(b *op.Builder, l op.LabelID)) func(b *op.Builder) {
	return func(b *op.Builder) {
		l := b.NewLabel()
		b.Subroutine(l, func() {
			write(b, l)
			b.Return()
		})
	}
}

// TestEncoding has bytes from the manual, at the edges between the forms.
func TestEncoding(t *testing.T) {
	for _, test := range []struct {
		want string
		f    func(b *op.Builder)
	}{
		{"31db", func(b *op.Builder) { b.Const(op.R0, 0) }},
		{"6a7f5b", func(b *op.Builder) { b.Const(op.R0, 127) }},
		{"bb80000000", func(b *op.Builder) { b.Const(op.R0, 128) }},
		{"6a80415c", func(b *op.Builder) { b.Const(op.R2, -128) }},
		{"48c7c37fffffff", func(b *op.Builder) { b.Const(op.R0, -129) }},
		{"bdffffffff", func(b *op.Builder) { b.Const(op.R1, 0xffffffff) }},
		{"49bf0000000001000000", func(b *op.Builder) { b.Const(op.R5, 1<<32) }},
		{"48ffc3", func(b *op.Builder) { b.Add(op.R0, 1) }},
		{"49ffcf", func(b *op.Builder) { b.Add(op.R5, -1) }},
		{"4883c37f", func(b *op.Builder) { b.Add(op.R0, 127) }},
		{"4881c380000000", func(b *op.Builder) { b.Add(op.R0, 128) }},
		{"41bb000000804c01db", func(b *op.Builder) { b.Add(op.R0, 1<<31) }},
		{"0fb6db", func(b *op.Builder) { b.And(op.R0, 0xff) }},
		{"400fb6ed", func(b *op.Builder) { b.And(op.R1, 0xff) }},
		{"450fb7ff", func(b *op.Builder) { b.And(op.R5, 0xffff) }},
		{"89db", func(b *op.Builder) { b.And(op.R0, 0xffffffff) }},
		{"83e37f", func(b *op.Builder) { b.And(op.R0, 127) }},
		{"4883e3f0", func(b *op.Builder) { b.And(op.R0, -16) }},
		{"48c1e33f", func(b *op.Builder) { b.Left(op.R0, 63) }},
		{"49c1ed01", func(b *op.Builder) { b.Right(op.R3, 1) }},
		{"498d5980", func(b *op.Builder) { b.FrameAddress(op.R0, 0) }},
		{"498d19", func(b *op.Builder) { b.FrameAddress(op.R0, 128) }},
		{"498d597f", func(b *op.Builder) { b.FrameAddress(op.R0, 255) }},
		{"498d9980000000", func(b *op.Builder) { b.FrameAddress(op.R0, 256) }},
		{"410fb65980", func(b *op.Builder) { b.Load(op.R0, 1, op.SP, 0) }},
		{"410fb75980", func(b *op.Builder) { b.Load(op.R0, 2, op.SP, 0) }},
		{"418b5980", func(b *op.Builder) { b.Load(op.R0, 4, op.SP, 0) }},
		{"498b5980", func(b *op.Builder) { b.Load(op.R0, 8, op.SP, 0) }},
		{"0fb66d00", func(b *op.Builder) { b.Load(op.R1, 1, op.R1, 0) }},
		{"40886b01", func(b *op.Builder) { b.Store(op.R1, 1, op.R0, 1) }},
		{"8803", func(b *op.Builder) { b.Store(op.Result, 1, op.R0, 0) }},
		{"6641890424", func(b *op.Builder) { b.Store(op.Result, 2, op.R2, 0) }},
		{"41894500", func(b *op.Builder) { b.Store(op.Result, 4, op.R3, 0) }},
		{"49898600010000", func(b *op.Builder) { b.Store(op.Result, 8, op.R4, 256) }},
		{"4885c078fb", func(b *op.Builder) { b.IfNegative(op.Result, b.Here()) }},
		{"4885db75fb", func(b *op.Builder) { b.If(op.R0, op.NotEqual, 0, b.Here()) }},
		{"483d01f0ffff73f8", func(b *op.Builder) { b.If(op.Result, op.AtLeast, -4095, b.Here()) }},
		{"f6c38075fb", func(b *op.Builder) { b.If(op.R0, op.AnyBit, 128, b.Here()) }},
		{"f7c30001000074f8", func(b *op.Builder) { b.If(op.R0, op.NoBit, 256, b.Here()) }},
		{"4839eb72fb", func(b *op.Builder) { b.IfReg(op.R0, op.Below, op.R1, b.Here()) }},
		{"ebfe", func(b *op.Builder) { b.Jump(b.Here()) }},
		{"b8e70000000f05e8fbffffff", inSubroutine(func(b *op.Builder, l op.LabelID) { b.Call(l); b.Call(l) })},
		{"b8e70000000f05ebfe", inSubroutine(func(b *op.Builder, l op.LabelID) { b.Call(l) })},
		{"b8e70000000f05c3", inSubroutine(func(*op.Builder, op.LabelID) {})},
		{"4889df4c89e66a01580f05", func(b *op.Builder) { b.Syscall(op.Write, op.Of(op.R0), op.Of(op.R2)) }},
	} {
		result, err := Assemble(one(test.f), 0x400000)
		if err != nil || !strings.HasPrefix(hex.EncodeToString(result), test.want) {
			t.Errorf("% x, %v; want %s", result[:min(len(result), 16)], err, test.want)
		}
	}
}

// TestJumps has jumps at the edges of the displacement of 1 byte.
func TestJumps(t *testing.T) {
	for fill, want := range map[int]string{127: "eb7f", 128: "e980000000"} {
		result, err := Assemble(one(inSubroutine(func(b *op.Builder, _ op.LabelID) {
			l := b.NewLabel()
			b.Jump(l)
			for range fill {
				b.Return() // 1 byte
			}
			b.Place(l)
		})), 0x400000)
		if err != nil || !strings.HasPrefix(hex.EncodeToString(result[7:]), want) {
			t.Errorf("%d bytes forward: % x, %v; want %s", fill, result[7:15], err, want)
		}
	}
	for fill, want := range map[int]string{126: "eb80", 127: "e97cffffff"} {
		result, err := Assemble(one(inSubroutine(func(b *op.Builder, _ op.LabelID) {
			l := b.Here()
			for range fill {
				b.Return()
			}
			b.Jump(l)
		})), 0x400000)
		if err != nil || !strings.HasPrefix(hex.EncodeToString(result[7+fill:]), want) {
			t.Errorf("%d bytes backward: % x, %v; want %s", fill, result[7+fill:15+fill], err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	p := one(func(*op.Builder) {})
	first, err := Assemble(p, 0x400000)
	second, _ := Assemble(p, 0x400000)
	if err != nil || !slices.Equal(first, second) {
		t.Errorf("% x, then % x, %v", first, second, err)
	}
	for _, base := range []uint64{1<<31 - 8, 1 << 31, 1 << 63} {
		if _, err := Assemble(p, base); err == nil {
			t.Errorf("no error for the address %#x", base)
		}
	}
	if _, err := Assemble(&op.Program{}, 0x400000); err == nil {
		t.Error("no error for an empty program")
	}
}
