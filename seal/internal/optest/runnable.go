package optest

import (
	"math/rand/v2"

	"caprun/seal/internal/op"
)

// Runnable returns a program that ends, and whose output and exit status do not depend on
// addresses: package interp and a processor agree about them. It makes only the system
// calls that [Kernel] has.
func Runnable(r *rand.Rand, n int) *op.Program {
	g := &generator{Builder: &op.Builder{}, r: r}
	g.near = g.Slot(areaSize)
	g.Slot(pick(r, 0, 200, 5000, 40000)) // so that the next offsets need other instructions
	g.far = g.Slot(areaSize)
	g.counter = g.Slot(8)
	data := make([]byte, 256)
	for n := range data {
		data[n] = byte(r.Uint32())
	}
	g.data = g.Bytes(string(data))

	g.begin()
	for range n {
		g.snippet(2)
	}
	g.end()
	for n := 0; n < len(g.functions); n++ {
		g.Subroutine(g.functions[n], func() {
			g.change()
			// A function calls others that follow, so calls end.
			if r.IntN(3) == 0 {
				g.call()
			}
			if r.IntN(2) == 0 {
				g.change()
			}
			g.Return()
		})
	}
	return g.Program()
}

// areaSize is the size of each of the two areas of the frame, and of the data.
const areaSize = 256

type generator struct {
	*op.Builder
	r *rand.Rand

	near, far, counter, data int64

	functions []op.LabelID
	looping   bool
}

// begin gives every register and every byte of the areas a value.
func (g *generator) begin() {
	g.Start(op.R3)
	g.Const(op.R0, pick[int64](g.r, 0, 24, 4096))
	if g.r.IntN(2) == 0 {
		g.Enter(op.R0, op.R0)
		g.Copy(op.R1, op.R0)
	} else {
		g.Enter(op.R1, op.R0)
	}
	g.FrameAddress(op.R4, 0)
	g.FrameEnd(op.R5)
	for _, area := range []int64{g.near, g.far} {
		g.FrameAddress(op.R0, area)
		g.Const(op.R2, areaSize/8)
		again := g.Here()
		g.Store(op.R2, 8, op.R0, 0)
		g.Add(op.R0, 8)
		g.Add(op.R2, -1)
		g.If(op.R2, op.NotEqual, 0, again)
	}
	// The distances between the stack pointer at the start, the frame and its end.
	g.Load(op.R0, 8, op.R1, 0)
	g.SubReg(op.R3, op.R1)
	g.SubReg(op.R1, op.R4)
	g.SubReg(op.R5, op.R4)
	g.Const(op.R4, 5)
	g.Syscall(op.Umask, op.Int(18))
	g.Syscall(op.Umask, op.Int(18))
	// The first and the last word of reserved bytes.
	size := 16 * (1 + g.r.Int64N(pick[int64](g.r, 4, 200, 1000)))
	for range 1 + g.r.IntN(2) {
		g.Reserve(op.R2, size)
		g.Copy(op.R3, op.R2)
		g.Add(op.R3, size-8)
		g.Store(op.R0, 8, op.R3, 0)
		g.Store(op.R4, 8, op.R2, 0)
		g.Load(op.R3, 8, op.R3, 0)
		g.Load(op.R2, 8, op.R2, 0)
	}
	g.write()
}

// write makes the registers and the areas output.
func (g *generator) write() {
	for n := range op.Result + 1 {
		g.Store(n, 8, op.SP, g.near+8*int64(n))
	}
	g.Syscall(op.Write, op.Int(1), op.FrameAt(g.near), op.Int(areaSize))
	g.Syscall(op.Write, op.Int(1), op.FrameAt(g.far), op.Int(areaSize))
}

func (g *generator) end() {
	g.write()
	g.Syscall(op.ExitGroup, op.Of(anyRegister(g.r)))
}

// snippet appends operations that leave values that are no addresses in the registers.
// depth is how far snippets may contain others.
func (g *generator) snippet(depth int) {
	switch kind := g.r.IntN(11); {
	case kind < 3 || depth == 0:
		g.change()
	case kind < 7:
		g.branch(depth)
	case kind == 7:
		g.loop(depth)
	case kind == 8:
		g.call()
	case kind == 9:
		g.systemCall()
	case kind == 10:
		g.write()
	}
}

// call appends the call of a new function.
func (g *generator) call() {
	f := g.NewLabel()
	g.functions = append(g.functions, f)
	g.Call(f)
}

// Number sets a register.
func (g *generator) Number(r op.Reg) { g.Const(r, Number(g.r)) }

// branch appends a jump over some operations, often for a condition that holds.
func (g *generator) branch(depth int) {
	over, d, s := g.NewLabel(), anyRegister(g.r), anyRegister(g.r)
	cond, v := op.Cond(g.r.IntN(int(op.Conds))), Number(g.r)
	switch g.r.IntN(4) {
	case 0:
		g.Const(d, v)
		g.Const(s, v)
	case 1:
		g.Const(d, v+1)
		g.Const(s, v)
	case 2:
		g.Copy(s, op.Result)
	}
	switch {
	case cond == op.Negative:
		g.IfNegative(pick(g.r, d, op.Result), over)
	case g.r.IntN(2) == 0:
		g.If(d, cond, v, over)
	default:
		g.IfReg(d, cond, s, over)
	}
	for range 1 + g.r.IntN(8) {
		g.snippet(depth - 1)
	}
	g.Place(over)
}

// loop repeats some operations. Loops are not nested: there is one counter.
func (g *generator) loop(depth int) {
	if g.looping {
		g.change()
		return
	}
	g.looping = true
	r := anyRegister(g.r)
	g.Const(r, int64(1+g.r.IntN(4)))
	g.Store(r, 8, op.SP, g.counter)
	again := g.Here()
	for range 1 + g.r.IntN(8) {
		g.snippet(depth - 1)
	}
	g.Load(r, 8, op.SP, g.counter)
	g.Add(r, -1)
	g.Store(r, 8, op.SP, g.counter)
	g.If(r, op.NotEqual, 0, again)
	g.looping = false
}

// change appends an operation for registers or memory.
func (g *generator) change() {
	d, s := anyRegister(g.r), op.Reg(g.r.IntN(int(op.Result)+1))
	switch g.r.IntN(15) {
	case 0:
		g.Number(d)
	case 1:
		g.Copy(d, s)
	case 2:
		g.Add(d, Number(g.r))
	case 3:
		g.AddReg(d, s)
	case 4:
		g.SubReg(d, s)
	case 5:
		g.And(d, Number(g.r))
	case 6:
		g.AndReg(d, s)
	case 7:
		g.OrReg(d, s)
	case 8:
		g.Left(d, int64(1+g.r.IntN(63)))
	case 9:
		g.Right(d, int64(1+g.r.IntN(63)))
	case 10:
		size, offset := g.place()
		g.Load(d, size, op.SP, g.area()+offset)
	case 11:
		size, offset := g.place()
		g.Store(s, size, op.SP, g.area()+offset)
	case 12:
		// d has an address and then the value that is loaded.
		size, offset := g.place()
		from := g.r.Int64N(offset + 1)
		g.FrameAddress(d, g.area()+offset-from)
		g.Load(d, size, d, from)
	case 13:
		size, offset := g.place()
		from := g.r.Int64N(offset + 1)
		g.DataAddress(d, g.data+offset-from)
		g.Load(d, size, d, from)
	case 14:
		size, offset := g.place()
		from := g.r.Int64N(offset + 1)
		other := (d + 1) % op.Result
		g.FrameAddress(d, g.area()+offset-from)
		g.Store(other, size, d, from)
		g.Number(d)
	}
}

// area returns the offset of an area.
func (g *generator) area() int64 { return pick(g.r, g.near, g.far) }

// place returns a size and an offset in an area.
func (g *generator) place() (size uint8, offset int64) {
	size = pick[uint8](g.r, 1, 2, 4, 8)
	return size, g.r.Int64N(areaSize - int64(size) + 1)
}

// systemCall appends a call whose result is known.
func (g *generator) systemCall() {
	d := anyRegister(g.r)
	switch g.r.IntN(6) {
	case 0:
		g.Syscall(op.Umask, op.Int(int64(g.r.IntN(0o1000))))
	case 1:
		g.And(d, 0o777)
		g.Syscall(op.Umask, op.Of(d))
	case 2:
		g.Syscall(op.Close, op.Int(-1))
	case 3:
		g.Syscall(op.Write, op.Int(1), op.DataAt(g.data+int64(g.r.IntN(200))), op.Int(int64(g.r.IntN(57))))
	case 4: // six arguments
		g.Const(d, 0x10000000+4096*int64(g.r.IntN(1000)))
		g.Syscall(op.Mmap, op.Of(d), op.Int(4096), op.Int(1), op.Int(mapFixed), op.Int(-1), op.Int(0))
	case 5:
		g.Syscall(op.Getpgid, op.Int(-1))
	}
	g.Copy(anyRegister(g.r), op.Result)
}

// mapFixed is MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS of mmap(2).
const mapFixed = 0x32
