package amd64

import (
	"encoding/binary"
	"fmt"
	"math"

	"caprun/seal/internal/op"
)

// machine is the state of a translation.
type machine struct {
	program *op.Program
	base    int64 // address of the code
	code    []byte
	labels  []int64 // position of each label
	data    int64   // position of the data
	jumps   []jump  // of this pass
	long    []bool  // operations whose jump needs a displacement of 4 bytes
	at      int     // index of the current operation
}

// jump is a place in the code that depends on the distance to a label.
type jump struct {
	at    int   // index of the operation
	end   int64 // position after the instruction
	label op.LabelID
}

// Assemble translates a program. It returns the code, whose first byte is the entry, zero
// bytes up to a multiple of 8, and the data. The result works only at the address base.
// Code and data must end below 2 GiB, so that an address fits into a signed number of 32
// bits.
func Assemble(p *op.Program, base uint64) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if base > math.MaxInt32 {
		return nil, fmt.Errorf("address %#x is above 2 GiB", base)
	}
	m := &machine{program: p, base: int64(base), labels: make([]int64, p.Labels), long: make([]bool, len(p.Ops))}
	for {
		if err := m.pass(); err != nil {
			return nil, err
		}
		if !m.lengthen() {
			break
		}
	}
	// The sizes are final, so every position is known. This pass uses them.
	if err := m.pass(); err != nil {
		return nil, err
	}
	for len(m.code)%8 != 0 {
		m.put(0)
	}
	m.put(p.Data...)
	if m.base+int64(len(m.code)) > math.MaxInt32 {
		return nil, fmt.Errorf("code and data of %d bytes at %#x end above 2 GiB", len(m.code), base)
	}
	return m.code, nil
}

// pass translates every operation, with the positions of the previous pass where this one
// has not reached them.
func (m *machine) pass() error {
	m.code, m.jumps = m.code[:0], m.jumps[:0]
	for n := range m.program.Ops {
		m.at = n
		if err := m.operation(&m.program.Ops[n]); err != nil {
			return fmt.Errorf("operation %d, %v: %w", n, &m.program.Ops[n], err)
		}
	}
	m.data = (int64(len(m.code)) + 7) &^ 7
	return nil
}

// lengthen marks the jumps whose distance does not fit into 1 byte, and reports whether
// there are any. Jumps only become longer, so repeating this ends.
func (m *machine) lengthen() bool {
	grown := false
	for _, j := range m.jumps {
		if !m.long[j.at] && !fits8(m.labels[j.label]-j.end) {
			m.long[j.at], grown = true, true
		}
	}
	return grown
}

func (m *machine) put(bytes ...byte) { m.code = append(m.code, bytes...) }

func (m *machine) put32(v int64) { m.code = binary.LittleEndian.AppendUint32(m.code, uint32(v)) }

func (m *machine) put64(v int64) { m.code = binary.LittleEndian.AppendUint64(m.code, uint64(v)) }

// fits8 reports whether v is a signed number of 1 byte.
func fits8(v int64) bool { return v == int64(int8(v)) }

// fits32 reports whether v is a signed number of 4 bytes.
func fits32(v int64) bool { return v == int64(int32(v)) }

// fitsUnsigned32 reports whether v is an unsigned number of 4 bytes: an instruction that
// writes 32 bits of a register clears the others.
func fitsUnsigned32(v int64) bool { return v == int64(uint32(v)) }
