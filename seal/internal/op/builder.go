package op

import (
	"bytes"
	"slices"
)

// Builder makes a [Program]. Each method for a code appends one operation.
type Builder struct {
	program     Program
	subroutines []Op // operations that follow all others
	inside      bool // a subroutine
}

// frameEnd is the offset of the end of the frame, until its size is known.
const frameEnd = -1

// Program returns the program. The builder must not be used afterwards.
func (b *Builder) Program() *Program {
	p := &b.program
	p.Frame = (p.Frame + 15) &^ 15
	p.Ops = append(p.Ops, b.subroutines...)
	for n := range p.Ops {
		if o := &p.Ops[n]; o.Code == Frame && o.Value == frameEnd {
			o.Value = int64(p.Frame)
		}
	}
	return p
}

// Slot reserves size bytes of the frame, aligned to 8 bytes, and returns their offset.
func (b *Builder) Slot(size int) int64 {
	at := int64(b.program.Frame)
	b.program.Frame += (size + 7) &^ 7
	return at
}

// NewLabel returns a label to place with [Builder.Place].
func (b *Builder) NewLabel() LabelID {
	b.program.Labels++
	return LabelID(b.program.Labels - 1)
}

// Text adds a string to the data, ended by a zero byte, and returns its offset.
func (b *Builder) Text(s string) int64 { return b.Bytes(s + "\x00") }

// Bytes adds bytes to the data, unless it contains them already, and returns their offset.
func (b *Builder) Bytes(s string) int64 {
	if at := bytes.Index(b.program.Data, []byte(s)); at >= 0 {
		return int64(at)
	}
	at := len(b.program.Data)
	b.program.Data = append(b.program.Data, s...)
	return int64(at)
}

// Words adds numbers of 32 bits to the data and returns their offset.
func (b *Builder) Words(list []uint32) int64 {
	var bytes []byte
	for _, w := range list {
		bytes = append(bytes, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	return b.Bytes(string(bytes))
}

func (b *Builder) emit(o Op) {
	list := &b.program.Ops
	if b.inside {
		list = &b.subroutines
	}
	*list = append(*list, o)
}

// Place puts a label here.
func (b *Builder) Place(l LabelID) { b.emit(Op{Code: Label, Label: l}) }

// Subroutine adds a subroutine at the end of the program, with the operations that write
// appends.
func (b *Builder) Subroutine(l LabelID, write func()) {
	b.inside = true
	b.emit(Op{Code: Subroutine, Label: l})
	write()
	b.inside = false
}

// Here returns a new label, placed here.
func (b *Builder) Here() LabelID {
	l := b.NewLabel()
	b.Place(l)
	return l
}

// Start sets d to the stack pointer at the start. It must precede Enter.
func (b *Builder) Start(d Reg) { b.emit(Op{Code: Start, D: d}) }

// FrameEnd sets d to the address of the bytes that Enter reserves above the frame.
func (b *Builder) FrameEnd(d Reg) { b.FrameAddress(d, frameEnd) }

// Enter reserves the frame, and extra bytes above it: d = stack pointer at the start.
func (b *Builder) Enter(d, extra Reg) { b.emit(Op{Code: Enter, D: d, S: extra}) }

// Reserve reserves size bytes, a multiple of 16, below the frame: d = their address.
func (b *Builder) Reserve(d Reg, size int64) { b.emit(Op{Code: Reserve, D: d, Value: size}) }

// Const sets a register.
func (b *Builder) Const(d Reg, v int64) { b.emit(Op{Code: Const, D: d, Value: v}) }

// Copy sets a register to another.
func (b *Builder) Copy(d, s Reg) { b.emit(Op{Code: Copy, D: d, S: s}) }

// Add adds a constant.
func (b *Builder) Add(d Reg, v int64) { b.emit(Op{Code: Add, D: d, Value: v}) }

// AddReg adds a register.
func (b *Builder) AddReg(d, s Reg) { b.emit(Op{Code: AddReg, D: d, S: s}) }

// SubReg subtracts a register.
func (b *Builder) SubReg(d, s Reg) { b.emit(Op{Code: SubReg, D: d, S: s}) }

// And clears the bits that v lacks.
func (b *Builder) And(d Reg, v int64) { b.emit(Op{Code: And, D: d, Value: v}) }

// AndReg clears the bits that s lacks.
func (b *Builder) AndReg(d, s Reg) { b.emit(Op{Code: AndReg, D: d, S: s}) }

// OrReg sets the bits of s.
func (b *Builder) OrReg(d, s Reg) { b.emit(Op{Code: OrReg, D: d, S: s}) }

// Left shifts to the left.
func (b *Builder) Left(d Reg, bits int64) { b.emit(Op{Code: Left, D: d, Value: bits}) }

// Right shifts to the right.
func (b *Builder) Right(d Reg, bits int64) { b.emit(Op{Code: Right, D: d, Value: bits}) }

// DataAddress sets a register to the address of the data at an offset.
func (b *Builder) DataAddress(d Reg, offset int64) { b.emit(Op{Code: Data, D: d, Value: offset}) }

// FrameAddress sets a register to the address of the frame at an offset.
func (b *Builder) FrameAddress(d Reg, offset int64) { b.emit(Op{Code: Frame, D: d, Value: offset}) }

// CodeAddress sets a register to the address of a label.
func (b *Builder) CodeAddress(d Reg, l LabelID) { b.emit(Op{Code: CodeAddress, D: d, Label: l}) }

// Load reads size bytes at an offset from the address in base.
func (b *Builder) Load(d Reg, size uint8, base Reg, offset int64) {
	b.emit(Op{Code: Load, D: d, S: base, Size: size, Value: offset})
}

// Store writes the low size bytes of s at an offset from the address in base.
func (b *Builder) Store(s Reg, size uint8, base Reg, offset int64) {
	b.emit(Op{Code: Store, D: s, S: base, Size: size, Value: offset})
}

// If goes to a label if the comparison of d with a constant is true.
func (b *Builder) If(d Reg, c Cond, v int64, l LabelID) {
	b.emit(Op{Code: If, D: d, Cond: c, Value: v, Label: l})
}

// IfReg goes to a label if the comparison of two registers is true.
func (b *Builder) IfReg(d Reg, c Cond, s Reg, l LabelID) {
	b.emit(Op{Code: IfReg, D: d, Cond: c, S: s, Label: l})
}

// Jump goes to a label.
func (b *Builder) Jump(l LabelID) { b.emit(Op{Code: Jump, Label: l}) }

// Call goes to a subroutine, until the next Return.
func (b *Builder) Call(l LabelID) { b.emit(Op{Code: Call, Label: l}) }

// Return continues after the last Call that has not returned. A call directly before it
// becomes a jump: that subroutine returns to the caller of this one.
func (b *Builder) Return() {
	if n := len(b.subroutines); b.inside && n > 0 && b.subroutines[n-1].Code == Call {
		b.subroutines[n-1].Code = Jump
		return
	}
	b.emit(Op{Code: Return})
}

// IfNegative goes to a label if d is negative, as the result of a system call that failed.
func (b *Builder) IfNegative(d Reg, l LabelID) {
	b.emit(Op{Code: If, D: d, Cond: Negative, Label: l})
}

// Syscall makes a system call. Its result is in Result.
func (b *Builder) Syscall(nr Sys, args ...Arg) {
	b.emit(Op{Code: Syscall, Call: nr, Args: slices.Clone(args)})
}

// Int is a constant argument.
func Int(v int64) Arg { return Arg{Kind: ArgConst, Value: v} }

// Of is the value of a register.
func Of(r Reg) Arg { return Arg{Kind: ArgReg, Reg: r} }

// FrameAt is the address of the frame at an offset.
func FrameAt(offset int64) Arg { return Arg{Kind: ArgFrame, Value: offset} }

// DataAt is the address of the data at an offset.
func DataAt(offset int64) Arg { return Arg{Kind: ArgData, Value: offset} }
