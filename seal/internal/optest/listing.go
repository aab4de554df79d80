package optest

import (
	"bytes"
	"fmt"
	"reflect"

	"caprun/seal/internal/op"
)

// Listing is the result of a back end, to be read again by a disassembler.
type Listing struct {
	Code   []byte
	At     int    // position of the next instruction
	Base   uint64 // address of Code
	Data   uint64 // address of the data
	Target uint64 // address to which the last operation refers; 0 if none
}

// Address returns the address of the next instruction.
func (l *Listing) Address() uint64 { return l.Base + uint64(l.At) }

// CompareCode compares the result of a back end for p with p. read reads the instructions
// of one operation and returns the operation: its code is that of o, its label is 0, and
// Target is the label's address. read may use o only to tell apart what has the same
// instructions. Each instruction belongs to an operation, so there are no others.
func CompareCode(p *op.Program, base uint64, result []byte, read func(l *Listing, o *op.Op) (op.Op, error)) error {
	end := len(result) - len(p.Data)
	if end < 0 || end%8 != 0 {
		return fmt.Errorf("%d bytes with %d of data", len(result), len(p.Data))
	}
	if !bytes.Equal(result[end:], p.Data) {
		return fmt.Errorf("different data")
	}
	l := &Listing{Code: result[:end], Base: base, Data: base + uint64(end)}
	labels := make([]uint64, p.Labels)
	targets := make([]uint64, len(p.Ops))
	for n := range p.Ops {
		want := &p.Ops[n]
		switch want.Code {
		case op.Label:
			labels[want.Label] = l.Address()
			continue
		case op.Subroutine:
			labels[want.Label] = l.Address()
		}
		l.Target = 0
		got, err := read(l, want)
		if err != nil {
			return fmt.Errorf("operation %d, %v: %w", n, want, err)
		}
		targets[n] = l.Target
		got.Label = want.Label
		if !reflect.DeepEqual(got, *want) {
			return fmt.Errorf("operation %d is %v, want %v", n, got, want)
		}
	}
	for n, o := range p.Ops {
		refers := o.Code == op.CodeAddress || o.Code == op.If || o.Code == op.IfReg || o.Code == op.Jump || o.Code == op.Call
		switch {
		case !refers && targets[n] != 0:
			return fmt.Errorf("operation %d, %v: target %#x", n, o, targets[n])
		case refers && targets[n] != labels[o.Label]:
			return fmt.Errorf("operation %d, %v: target %#x, want %#x", n, o, targets[n], labels[o.Label])
		}
	}
	if rest := l.Code[l.At:]; len(rest) > 7 || bytes.Count(rest, []byte{0}) != len(rest) {
		return fmt.Errorf("% x after the code", rest)
	}
	return nil
}
