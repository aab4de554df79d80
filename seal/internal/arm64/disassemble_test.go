package arm64

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"

	"caprun/internal/test/requires"
	"caprun/seal/internal/op"
	"caprun/seal/internal/optest"
)

var backEnd = optest.BackEnd{
	Architecture: "arm64", Machine: 183, Assemble: Assemble, Numbers: numbers[:],
	Reader: func(p *op.Program, calls map[int64]op.Sys) func(*optest.Listing, *op.Op) (op.Op, error) {
		begins := map[op.LabelID]bool{}
		for _, o := range p.Ops {
			if o.Code == op.Subroutine {
				begins[o.Label] = true
			}
		}
		return (&reader{frame: int64(p.Frame), calls: calls, begins: begins}).read
	},
}

func TestDisassemble(t *testing.T) { backEnd.TestDisassemble(t, requires.Rounds(20, 200)) }

func TestNumbers(t *testing.T) { backEnd.TestNumbers(t) }

// reader reconstructs operations from the text of instructions. Its methods panic with an
// error for other instructions than those of the operation.
type reader struct {
	*optest.Listing
	frame int64            // its size
	calls map[int64]op.Sys // the system calls by number

	begins        map[op.LabelID]bool // the labels of subroutines
	inside, saved bool                // in a subroutine; one that saves the return address
}

// patterns has the compiled patterns of try.
var patterns = map[string]*regexp.Regexp{}

// read is for optest.CompareCode.
func (r *reader) read(l *optest.Listing, want *op.Op) (got op.Op, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	r.Listing = l
	got = op.Op{Code: want.Code}
	three := map[op.Code]string{op.AddReg: "add", op.SubReg: "sub", op.AndReg: "and", op.OrReg: "orr"}
	shift := map[op.Code]string{op.Left: "lsl", op.Right: "lsr"}
	switch want.Code {
	case op.Subroutine:
		_, r.saved = r.try(`str x30, \[sp,#-16\]!`)
		r.inside = true
	case op.Start:
		got.D = of(r.match(`mov (x\d+), sp`)[0])
	case op.Enter:
		r.match(`mov x9, sp`)
		got.S = of(r.match(`sub x25, x9, (x\d+)`)[0])
		high := number64(r.match(`sub x25, x25, #(\S+), lsl #12`)[0])
		low := number64(r.match(`sub x25, x25, #(\S+)`)[0])
		check(high<<12+low == r.frame, "another frame")
		r.match(`and x25, x25, #0xfffffffffffffff0`)
		r.match(`mov sp, x25`)
		got.D = of(r.match(`mov (x\d+), x9`)[0])
	case op.Reserve:
		high := number64(r.match(`sub sp, sp, #(\S+), lsl #12`)[0])
		low := number64(r.match(`sub sp, sp, #(\S+)`)[0])
		got.Value = high<<12 + low
		got.D = of(r.match(`mov (x\d+), sp`)[0])
	case op.Const:
		d, v := r.constant()
		got.D, got.Value = of(d), v
	case op.Copy:
		m := r.match(`mov (x\d+), (x\d+)`)
		got.D, got.S = of(m[0]), of(m[1])
	case op.AddReg, op.SubReg, op.AndReg, op.OrReg:
		m := r.match(three[want.Code] + ` (x\d+), (x\d+), (x\d+)`)
		check(m[0] == m[1], m)
		got.D, got.S = of(m[0]), of(m[2])
	case op.Add:
		got.D, got.Value = r.operand("add", "sub")
	case op.And:
		got.D, got.Value = r.operand("and", "")
	case op.Left, op.Right:
		m := r.match(shift[want.Code] + ` (x\d+), (x\d+), #(\d+)`)
		check(m[0] == m[1], m)
		got.D, got.Value = of(m[0]), number64(m[2])
	case op.Data:
		got.D, got.Value = r.adr()
		got.Value -= int64(r.Data)
	case op.CodeAddress:
		var v int64
		got.D, v = r.adr()
		r.Target = uint64(v)
	case op.Frame:
		var d string
		d, got.Value = r.sum("x25")
		got.D = of(d)
	case op.Load:
		r.memory("ld", &got)
	case op.Store:
		r.memory("st", &got)
	case op.If, op.IfReg:
		r.condition(&got, want)
	case op.Jump:
		if r.saved && r.begins[want.Label] {
			r.match(`ldr x30, \[sp\],#16`)
		}
		r.jump("b")
	case op.Call:
		check(r.saved || !r.inside, "the return address is not saved")
		r.jump("bl")
	case op.Return:
		if r.saved {
			r.match(`ldr x30, \[sp\],#16`)
		}
		r.match(`ret`)
	case op.Syscall:
		r.systemCall(&got)
	}
	return got, nil
}

func check(ok bool, problem any) {
	if !ok {
		panic(fmt.Errorf("%v", problem))
	}
}

// text returns the next instruction.
func (r *reader) text() string {
	i, err := arm64asm.Decode(r.Code[r.At:])
	check(err == nil, err)
	return strings.ToLower(arm64asm.GNUSyntax(i))
}

// try returns what the groups of a pattern match, and steps over the instruction, if
// the pattern matches it.
func (r *reader) try(pattern string) ([]string, bool) {
	compiled, ok := patterns[pattern]
	if !ok {
		compiled = regexp.MustCompile("^" + pattern + "$")
		patterns[pattern] = compiled
	}
	match := compiled.FindStringSubmatch(r.text())
	if match == nil {
		return nil, false
	}
	r.At += 4
	return match[1:], true
}

// match is try for an instruction that must be the next one.
func (r *reader) match(pattern string) []string {
	m, ok := r.try(pattern)
	if !ok {
		panic(fmt.Errorf("%s, want %s", r.text(), pattern))
	}
	return m
}

func number64(text string) int64 {
	v, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		signed, err := strconv.ParseInt(text, 0, 64)
		check(err == nil, err)
		return signed
	}
	return int64(v)
}

// of returns the register of package op.
func of(name string) op.Reg {
	n := number64(name[1:])
	switch {
	case n >= 19 && n <= 24:
		return op.Reg(n - 19)
	case n == 25:
		return op.SP
	case n == 0:
		return op.Result
	}
	panic(fmt.Errorf("register %s", name))
}

// constant reads the instructions that set a register to a constant.
func (r *reader) constant() (string, int64) {
	m := r.match(`mov (x\d+), #(\S+)`)
	d, v := m[0], uint64(number64(m[1]))
	for {
		m, ok := r.try(`movk ` + d + `, #(\w+)(?:, lsl #(\d+))?`)
		if !ok {
			return d, int64(v)
		}
		shift := 0
		if m[1] != "" {
			shift = int(number64(m[1]))
		}
		v = v&^(0xffff<<shift) | uint64(number64(m[0]))<<shift
	}
}

// operand reads an instruction for a register and a constant, or one that does it for the
// negative constant.
func (r *reader) operand(name, negative string) (op.Reg, int64) {
	if m, ok := r.try(name + ` (x\d+), (x\d+), #(\w+)`); ok {
		check(m[0] == m[1], m)
		return of(m[0]), number64(m[2])
	}
	if m, ok := r.try(negative + ` (x\d+), (x\d+), #(\w+)`); ok && negative != "" {
		check(m[0] == m[1], m)
		return of(m[0]), -number64(m[2])
	}
	s, v := r.constant()
	check(s == "x9", s)
	m := r.match(name + ` (x\d+), (x\d+), x9`)
	check(m[0] == m[1], m)
	return of(m[0]), v
}

// adr reads the address of data or code.
func (r *reader) adr() (op.Reg, int64) {
	at := r.Address()
	m := r.match(`adr (x\d+), \.([-+]\w+)`)
	return of(m[0]), int64(at) + distance(m[1])
}

// distance is a number that the decoder prints without a sign.
func distance(text string) int64 { return number64(strings.TrimPrefix(text, "+")) }

// sum reads the addition of a constant to a register.
func (r *reader) sum(base string) (string, int64) {
	if m, ok := r.try(`add (x\d+), ` + base + `, #(\w+), lsl #12`); ok {
		v := number64(m[1]) << 12
		if low, ok := r.try(`add ` + m[0] + `, ` + m[0] + `, #(\w+)`); ok {
			v += number64(low[0])
		}
		return m[0], v
	}
	m := r.match(`add (x\d+), ` + base + `, #(\w+)`)
	return m[0], number64(m[1])
}

// memory reads a load or store. name is the beginning of its name.
func (r *reader) memory(name string, o *op.Op) {
	base, offset := "", int64(0)
	if strings.HasPrefix(r.text(), "add x10") {
		_, after, _ := strings.Cut(r.text(), "x10, ")
		base, _, _ = strings.Cut(after, ",")
		_, offset = r.sum(base)
	}
	m := r.match(name + `u?r(b|h|) ([wx])(\d+), \[(x\d+)(?:,#(-?\d+))?\]`)
	switch m[0] + m[1] {
	case "bw":
		o.Size = 1
	case "hw":
		o.Size = 2
	case "w":
		o.Size = 4
	case "x":
		o.Size = 8
	}
	check(o.Size != 0, m)
	if base != "" {
		check(m[3] == "x10" && m[4] == "", m)
	} else {
		base = m[3]
		if m[4] != "" {
			offset = number64(m[4])
		}
	}
	o.D, o.S, o.Value = of("x"+m[2]), of(base), offset
}

// condition reads a comparison and the branch after it. The sign is bit 63, so want tells a
// test of the sign from a test of the bit.
func (r *reader) condition(o, want *op.Op) {
	at := r.Address()
	if m, ok := r.try(`cb(n?)z (x\d+), \.([-+]\w+)`); ok {
		o.D, o.Cond = of(m[1]), op.Equal
		if m[0] == "n" {
			o.Cond = op.NotEqual
		}
		r.Target = at + uint64(distance(m[2]))
		return
	}
	if m, ok := r.try(`tb(n?)z ([wx]\d+), #(\w+), \.([-+]\w+)`); ok {
		bit := number64(m[2])
		o.D, o.Cond, o.Value = of(m[1]), op.NoBit, 1<<bit
		if m[0] == "n" {
			o.Cond = op.AnyBit
		}
		r.Target = at + uint64(distance(m[3]))
		if bit == 63 && m[0] == "n" && want.Cond == op.Negative {
			o.Cond, o.Value = op.Negative, 0
		}
		return
	}
	isTest := false
	if m, ok := r.try(`(cmp|tst|cmn) (x\d+), #(\w+)`); ok {
		isTest = m[0] == "tst"
		o.D, o.Value = of(m[1]), number64(m[2])
		if m[0] == "cmn" {
			o.Value = -o.Value
		}
	} else if m, ok := r.try(`(cmp|tst) (x\d+), (x\d+)`); ok {
		check(o.Code == op.IfReg, m)
		isTest, o.D, o.S = m[0] == "tst", of(m[1]), of(m[2])
	} else {
		s, v := r.constant()
		m := r.match(`(cmp|tst) (x\d+), x9`)
		check(s == "x9", s)
		isTest, o.D, o.Value = m[0] == "tst", of(m[1]), v
	}
	at = r.Address()
	m := r.match(`b\.(\w+) \.([-+]\w+)`)
	var ok bool
	if isTest {
		o.Cond, ok = map[string]op.Cond{"ne": op.AnyBit, "eq": op.NoBit}[m[0]]
	} else {
		o.Cond, ok = map[string]op.Cond{"eq": op.Equal, "ne": op.NotEqual, "cc": op.Below, "cs": op.AtLeast, "mi": op.Negative}[m[0]]
	}
	check(ok, m)
	r.Target = at + uint64(distance(m[1]))
}

// jump reads a jump to a label.
func (r *reader) jump(name string) {
	at := r.Address()
	m := r.match(name + ` \.([-+]\w+)`)
	r.Target = at + uint64(distance(m[0]))
}

// systemCall reads the arguments, the number and the call.
func (r *reader) systemCall(o *op.Op) {
	for {
		d := fmt.Sprintf("x%d", len(o.Args))
		at := r.Address()
		switch text := r.text(); {
		case strings.HasPrefix(text, "mov x8, "):
			d, v := r.constant()
			call, ok := r.calls[v]
			check(ok && d == "x8", fmt.Sprintf("system call %d", v))
			o.Call = call
			r.match(`svc #0x0`)
			return
		case len(o.Args) == 6:
			panic(fmt.Errorf("%s after six arguments", text))
		case strings.HasPrefix(text, "adr "):
			m := r.match(`adr ` + d + `, \.([-+]\w+)`)
			o.Args = append(o.Args, op.DataAt(int64(at-r.Data)+distance(m[0])))
		case strings.HasPrefix(text, "add "):
			to, v := r.sum("x25")
			check(to == d, text)
			o.Args = append(o.Args, op.FrameAt(v))
		default:
			if m, ok := r.try(`mov ` + d + `, (x\d+)`); ok {
				o.Args = append(o.Args, op.Of(of(m[0])))
				continue
			}
			to, v := r.constant()
			check(to == d, text)
			o.Args = append(o.Args, op.Int(v))
		}
	}
}
