package optest

import (
	"math/rand/v2"
	"testing"

	"caprun/seal/internal/op"
)

// BackEnd is what the tests need of a back end.
type BackEnd struct {
	Architecture string // its name in Go
	Machine      uint16 // the field e_machine of elf(5)
	Assemble     func(p *op.Program, base uint64) ([]byte, error)

	// Reader returns the function for [CompareCode]. calls has the system calls by
	// their numbers.
	Reader func(p *op.Program, calls map[int64]op.Sys) func(l *Listing, o *op.Op) (op.Op, error)

	// Numbers are those of the system calls.
	Numbers []int64
}

// TestProgram reads the code of p with another decoder. It returns the size of code and
// data.
func (b *BackEnd) TestProgram(t *testing.T, p *op.Program) int {
	t.Helper()
	const base = 0x400b00
	result, err := b.Assemble(p, base)
	if err == nil {
		err = CompareCode(p, base, result, b.Reader(p, b.calls(t)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(result)
}

// TestDisassemble reads the code of random programs with another decoder, and
// reconstructs their operations.
func (b *BackEnd) TestDisassemble(t *testing.T, programs int) {
	t.Helper()
	calls := b.calls(t)
	var codes [op.Codes]bool
	var conditions [op.Conds]bool
	for seed := range uint64(programs) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := 1 + r.IntN(3000)
		// Code of about 50 and 150 KB: the shortest branch of arm64 reaches 32 KiB.
		switch seed {
		case 0:
			size = 7000
		case 1:
			size = 20000
		}
		p := Random(r, size)
		const base = 0x400b00
		result, err := b.Assemble(p, base)
		if err == nil {
			err = CompareCode(p, base, result, b.Reader(p, calls))
		}
		if err != nil {
			t.Fatalf("program %d: %v", seed, err)
		}
		for _, o := range p.Ops {
			codes[o.Code] = true
			conditions[o.Cond] = true
		}
	}
	for c, seen := range codes {
		if !seen {
			t.Errorf("no %v in the programs", op.Code(c))
		}
	}
	for c, seen := range conditions {
		if !seen {
			t.Errorf("no condition %v in the programs", op.Cond(c))
		}
	}
}
