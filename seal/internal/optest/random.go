package optest

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"caprun/seal/internal/op"
)

// Random returns a valid program of about n operations of all kinds. It makes no sense to
// execute it.
func Random(r *rand.Rand, n int) *op.Program {
	p := &op.Program{
		Frame: 16 * (1 + r.IntN(pick(r, 2, 8, 64, 1024, 8192))),
		Data:  make([]byte, 1+r.IntN(3000)),
	}
	for n := range p.Data {
		p.Data[n] = byte(r.Uint32())
	}
	s := &part{r: r, p: p, subroutines: newLabels(p, r.IntN(1+n/16))}
	p.Ops = append(p.Ops, op.Op{Code: op.Start, D: anyRegister(r)})
	p.Ops = append(p.Ops, op.Op{Code: op.Enter, D: anyRegister(r), S: anyRegister(r)})
	size := n / (1 + len(s.subroutines))
	s.write(size)
	main := s.labels
	for _, l := range s.subroutines {
		s.labels, s.inside = main, true
		p.Ops = append(p.Ops, op.Op{Code: op.Subroutine, Label: l})
		s.write(size)
	}
	return p
}

// part is the operations before the first subroutine, or those of one.
type part struct {
	r           *rand.Rand
	p           *op.Program
	subroutines []op.LabelID // all of them
	labels      []op.LabelID // that the operations may name
	inside      bool         // a subroutine
}

func newLabels(p *op.Program, n int) (list []op.LabelID) {
	for range n {
		list = append(list, op.LabelID(p.Labels))
		p.Labels++
	}
	return list
}

// write appends about n operations with labels of their own.
func (s *part) write(n int) {
	own := newLabels(s.p, 1+s.r.IntN(1+n/8))
	s.labels = append(slices.Clone(s.labels), own...)
	places := map[int][]op.LabelID{}
	for _, l := range own {
		at := s.r.IntN(n + 2)
		places[at] = append(places[at], l)
	}
	for n := range n + 2 {
		for _, l := range places[n] {
			s.p.Ops = append(s.p.Ops, op.Op{Code: op.Label, Label: l})
		}
		s.p.Ops = append(s.p.Ops, s.randomOp())
	}
	s.p.Ops = append(s.p.Ops, op.Op{Code: op.Jump, Label: pick(s.r, own...)})
}

// randomOp returns an operation that may be anywhere after Enter.
func (s *part) randomOp() op.Op {
	r, p := s.r, s.p
	o := op.Op{Code: op.Reserve + op.Code(r.IntN(int(op.Codes-op.Reserve))), D: anyRegister(r)}
	label := pick(r, s.labels...)
	if o.Code == op.Call && len(s.subroutines) == 0 || o.Code == op.Return && !s.inside {
		o.Code = op.Jump
	}
	if o.Code == op.Reserve && s.inside {
		o.Code = op.Const
	}
	switch o.Code {
	case op.Reserve:
		o.Value = 16 * int64(1+r.IntN(pick(r, 2, 16, 1024)))
	case op.Const, op.Add, op.And:
		o.Value = Number(r)
	case op.Copy, op.AddReg, op.SubReg, op.AndReg, op.OrReg:
		o.S = op.Reg(r.IntN(int(op.Result) + 1))
	case op.Left, op.Right:
		o.Value = int64(1 + r.IntN(63))
	case op.Data:
		o.Value = int64(r.IntN(len(p.Data)))
	case op.Frame:
		o.Value = int64(r.IntN(p.Frame + 1))
	case op.CodeAddress:
		o.Label = label
	case op.Load, op.Store:
		o.Size = pick[uint8](r, 1, 2, 4, 8)
		if o.Code == op.Store {
			o.D = op.Reg(r.IntN(int(op.Result) + 1))
		}
		o.S = op.SP
		o.Value = int64(r.IntN(p.Frame - int(o.Size) + 1))
		if r.IntN(2) == 0 {
			o.S = anyRegister(r)
			o.Value = int64(r.IntN(pick(r, 1, 128, 256, 4096)))
		}
		if r.IntN(4) != 0 {
			o.Value -= o.Value % int64(o.Size)
		}
	case op.If, op.IfReg:
		o.D = op.Reg(r.IntN(int(op.Result) + 1))
		o.Cond = op.Cond(r.IntN(int(op.Conds)))
		o.Label = label
		switch {
		case o.Cond == op.Negative:
			o.Code = op.If
		case o.Code == op.If:
			o.Value = Number(r)
		default:
			o.S = op.Reg(r.IntN(int(op.Result) + 1))
		}
	case op.Jump:
		o.D, o.Label = 0, label
		if s.inside && r.IntN(2) == 0 {
			o.Label = pick(r, s.subroutines...)
		}
	case op.Call:
		o.D, o.Label = 0, pick(r, s.subroutines...)
	case op.Return:
		o.D = 0
	case op.Syscall:
		o.D, o.Call = 0, op.Sys(r.IntN(int(op.Syscalls)))
		for range r.IntN(7) {
			o.Args = append(o.Args, randomArg(r, p))
		}
	}
	return o
}

func randomArg(r *rand.Rand, p *op.Program) op.Arg {
	switch op.ArgKind(r.IntN(4)) {
	case op.ArgReg:
		return op.Of(anyRegister(r))
	case op.ArgFrame:
		return op.FrameAt(int64(r.IntN(p.Frame + 1)))
	case op.ArgData:
		return op.DataAt(int64(r.IntN(len(p.Data))))
	}
	return op.Int(Number(r))
}

// Number returns a number that is often at the edge of what an instruction encodes.
func Number(r *rand.Rand) int64 {
	switch r.IntN(5) {
	case 0:
		return int64(r.IntN(9))
	case 1:
		edge := pick[int64](r, 0, 1<<7, 1<<8, 1<<12, 1<<15, 1<<16, 1<<24, 1<<31, 1<<32, 1<<48, math.MinInt64)
		return pick(r, edge, -edge) + int64(r.IntN(3)) - 1
	case 2: // a row of ones, rotated
		return int64(bits.RotateLeft64(1<<(1+r.IntN(63))-1, r.IntN(64)))
	case 3: // few bytes
		return int64(r.Uint64() >> r.IntN(64))
	}
	return int64(r.Uint64())
}

func anyRegister(r *rand.Rand) op.Reg { return op.Reg(r.IntN(int(op.R5) + 1)) }

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }
