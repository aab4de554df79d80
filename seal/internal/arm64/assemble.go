package arm64

import (
	"encoding/binary"
	"errors"
	"fmt"

	"caprun/seal/internal/op"
)

// machine is the state of a translation.
type machine struct {
	program *op.Program
	code    []byte
	far     bool    // a distance may be above 32 KiB, the range of tbz
	begins  []bool  // whether a subroutine begins at each label
	saved   bool    // the current subroutine has saved the return address
	labels  []int64 // position of each label
	fixups  []fixup
}

// fixup is an instruction that lacks the distance to its target.
type fixup struct {
	at     int64 // position of the instruction
	target target
	field  field
}

// target is a position that is known at the end: of a label, or in the data.
type target struct {
	isData bool
	label  op.LabelID
	offset int64 // in the data
}

// Assemble translates a program. It returns the code, whose first byte is the entry, zero
// bytes up to a multiple of 8, and the data. Addresses in the result are relative: it works
// at every base that is a multiple of 8, and ends within 1 MiB, the range of adr.
func Assemble(p *op.Program, base uint64) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if base%8 != 0 {
		return nil, fmt.Errorf("address %#x is no multiple of 8", base)
	}
	code, err := assemble(p, false)
	var outOfRange *rangeError
	if errors.As(err, &outOfRange) {
		code, err = assemble(p, true)
	}
	return code, err
}

// rangeError reports a distance for which an instruction has not enough bits.
type rangeError struct{ distance, at int64 }

func (e *rangeError) Error() string {
	return fmt.Sprintf("a distance of %d bytes at %#x is out of range", e.distance, e.at)
}

func assemble(p *op.Program, far bool) ([]byte, error) {
	m := &machine{program: p, far: far, labels: make([]int64, p.Labels), begins: make([]bool, p.Labels)}
	for _, o := range p.Ops {
		if o.Code == op.Subroutine {
			m.begins[o.Label] = true
		}
	}
	for n := range p.Ops {
		if err := m.operation(n); err != nil {
			return nil, fmt.Errorf("operation %d, %v: %w", n, &p.Ops[n], err)
		}
	}
	for len(m.code)%8 != 0 {
		m.put(0)
	}
	for _, f := range m.fixups {
		position := int64(len(m.code)) + f.target.offset
		if !f.target.isData {
			position = m.labels[f.target.label]
		}
		bits, ok := f.field(position - f.at)
		if !ok {
			return nil, &rangeError{position - f.at, f.at}
		}
		instruction := m.code[f.at:]
		binary.LittleEndian.PutUint32(instruction, binary.LittleEndian.Uint32(instruction)|bits)
	}
	return append(m.code, p.Data...), nil
}

func (m *machine) put(instruction uint32) {
	m.code = binary.LittleEndian.AppendUint32(m.code, instruction)
}

// putDistance appends an instruction with the distance to a target.
func (m *machine) putDistance(instruction uint32, f field, t target) {
	m.fixups = append(m.fixups, fixup{int64(len(m.code)), t, f})
	m.put(instruction)
}

func toLabel(l op.LabelID) target { return target{label: l} }
func toData(offset int64) target  { return target{isData: true, offset: offset} }
