package interp

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"caprun/seal/internal/op"
)

// exits is a kernel for programs that only exit or exec.
type exits struct{}

func (exits) Syscall(nr op.Sys, args [6]uint64, _ *Memory) (int64, error) {
	switch nr {
	case op.ExitGroup:
		return 0, ErrExit
	case op.Execve:
		return 0, ErrExec
	case op.Getpid:
		return 4242, nil
	}
	return 0, fmt.Errorf("unexpected call")
}

// build returns the program that write adds, after Enter with R0 = 0 as the extra size.
func build(write func(b *op.Builder)) *op.Program {
	b := &op.Builder{}
	b.Const(op.R0, 0)
	b.Enter(op.R0, op.R0)
	write(b)
	return b.Program()
}

// exit ends a program with the low byte of R1.
func exit(b *op.Builder) { b.Syscall(op.ExitGroup, op.Of(op.R1)) }

func TestOperations(t *testing.T) {
	tests := []struct {
		code op.Code
		want int
		f    func(b *op.Builder)
	}{
		{op.Start, 1, func(*op.Builder) {}}, // see below
		{op.Reserve, 9, func(b *op.Builder) {
			b.Reserve(op.R2, 32)
			b.Const(op.R3, 9)
			b.Store(op.R3, 8, op.R2, 24)
			b.Load(op.R1, 8, op.R2, 24)
		}},
		{op.Const, 7, func(b *op.Builder) { b.Const(op.R1, 7) }},
		{op.Copy, 8, func(b *op.Builder) { b.Const(op.R2, 8); b.Copy(op.R1, op.R2) }},
		{op.Add, 4, func(b *op.Builder) { b.Const(op.R1, 7); b.Add(op.R1, -3) }},
		{op.AddReg, 9, func(b *op.Builder) { b.Const(op.R1, 7); b.Const(op.R2, 2); b.AddReg(op.R1, op.R2) }},
		{op.SubReg, 5, func(b *op.Builder) { b.Const(op.R1, 7); b.Const(op.R2, 2); b.SubReg(op.R1, op.R2) }},
		{op.And, 4, func(b *op.Builder) { b.Const(op.R1, 6); b.And(op.R1, 12) }},
		{op.AndReg, 2, func(b *op.Builder) { b.Const(op.R1, 6); b.Const(op.R2, 3); b.AndReg(op.R1, op.R2) }},
		{op.OrReg, 7, func(b *op.Builder) { b.Const(op.R1, 6); b.Const(op.R2, 3); b.OrReg(op.R1, op.R2) }},
		{op.Left, 24, func(b *op.Builder) { b.Const(op.R1, 6); b.Left(op.R1, 2) }},
		{op.Right, 1, func(b *op.Builder) { b.Const(op.R1, -1); b.Right(op.R1, 63) }},
		{op.Data, 'b', func(b *op.Builder) { b.DataAddress(op.R2, b.Text("ab")); b.Load(op.R1, 1, op.R2, 1) }},
		{op.Frame, 5, func(b *op.Builder) {
			slot := b.Slot(8)
			b.FrameAddress(op.R2, slot)
			b.Const(op.R3, 5)
			b.Store(op.R3, 8, op.R2, 0)
			b.Load(op.R1, 8, op.SP, slot)
		}},
		{op.Store, 0x34, func(b *op.Builder) {
			slot := b.Slot(8)
			b.Const(op.R3, 0x1234)
			b.Store(op.R3, 8, op.SP, slot)
			b.Store(op.R3, 1, op.SP, slot+1)
			b.Load(op.R1, 1, op.SP, slot+1)
		}},
		{op.Load, 2, func(b *op.Builder) { b.Load(op.R1, 8, op.R0, 0) }},
		{op.CodeAddress, 3, func(b *op.Builder) {
			b.CodeAddress(op.R2, b.Here())
			b.Const(op.R1, 3)
		}},
		{op.Call, 6, func(b *op.Builder) {
			double := b.NewLabel()
			b.Const(op.R1, 3)
			b.Call(double)
			b.Subroutine(double, func() {
				b.AddReg(op.R1, op.R1)
				b.Return()
			})
		}},
		{op.Syscall, 4242 & 255, func(b *op.Builder) { b.Syscall(op.Getpid); b.Copy(op.R1, op.Result) }},
	}
	// The other codes are part of every test here, or of TestConditions.
	covered := map[op.Code]bool{op.Label: true, op.Subroutine: true, op.Enter: true, op.If: true, op.IfReg: true, op.Jump: true, op.Return: true}
	for _, test := range tests {
		covered[test.code] = true
		p := build(func(b *op.Builder) { test.f(b); exit(b) })
		if test.code == op.Start {
			b := &op.Builder{}
			b.Start(op.R1)
			b.Const(op.R2, 0)
			b.Enter(op.R2, op.R2)
			l := b.NewLabel()
			b.IfReg(op.R1, op.NotEqual, op.R2, l)
			b.Const(op.R1, 1)
			b.Place(l)
			exit(b)
			p = b.Program()
		}
		o, err := Run(p, exits{}, Start{Args: []string{"a", "b"}})
		if err != nil || o.Exec || o.Status != test.want {
			t.Errorf("%v: %+v, %v; want status %d", test.code, o, err, test.want)
		}
	}
	for c := range op.Codes {
		if !covered[c] {
			t.Errorf("no test for %v", c)
		}
	}
}

func TestConditions(t *testing.T) {
	for c := range op.Conds {
		for _, pair := range [][2]int64{{1, 1}, {1, 2}, {2, 1}, {3, 1}, {-1, 1}, {1, -1}} {
			a, v := uint64(pair[0]), uint64(pair[1])
			want := map[op.Cond]bool{
				op.Equal: a == v, op.NotEqual: a != v, op.Below: a < v, op.AtLeast: a >= v, op.AnyBit: a&v != 0, op.NoBit: a&v == 0, op.Negative: int64(a) < 0,
			}[c]
			for _, constant := range []bool{true, false} {
				if c == op.Negative && !constant {
					continue // it has no operand
				}
				o, err := Run(build(func(b *op.Builder) {
					l := b.NewLabel()
					b.Const(op.R1, 1)
					b.Const(op.R2, pair[0])
					b.Const(op.R3, pair[1])
					switch {
					case c == op.Negative:
						b.IfNegative(op.R2, l)
					case constant:
						b.If(op.R2, c, pair[1], l)
					default:
						b.IfReg(op.R2, c, op.R3, l)
					}
					b.Const(op.R1, 0)
					b.Place(l)
					exit(b)
				}), exits{}, Start{})
				if err != nil || o.Status == 1 != want {
					t.Errorf("%#x %v %#x: %v, %v; want %v", a, c, v, o.Status == 1, err, want)
				}
			}
		}
	}
}

// TestStart reads the initial stack as a launcher does.
func TestStart(t *testing.T) {
	start := Start{
		Args: []string{"/web", "--", "x"}, Env: []string{"A=1", "B="},
		Aux: []Aux{{23, 1}, {51, 9}},
	}
	m, err := New(build(exit), start)
	if err != nil {
		t.Fatal(err)
	}
	sp := m.start
	if sp%16 != 0 {
		t.Errorf("stack pointer %#x", sp)
	}
	if n, _ := m.Uint(sp, 8); n != 3 {
		t.Errorf("%d arguments", n)
	}
	args, err1 := m.Strings(sp + 8)
	env, err2 := m.Strings(sp + 8*5)
	if !reflect.DeepEqual(args, start.Args) || !reflect.DeepEqual(env, start.Env) || err1 != nil || err2 != nil {
		t.Errorf("%q, %q, %v, %v", args, env, err1, err2)
	}
	for n, want := range []uint64{23, 1, 51, 9, 0, 0} {
		if got, err := m.Uint(sp+8*uint64(8+n), 8); got != want || err != nil {
			t.Errorf("auxiliary vector: word %d is %d, %v; want %d", n, got, err, want)
		}
	}
}

func TestExec(t *testing.T) {
	start := Start{Args: []string{"/web", "server", "-v"}, Env: []string{"A=1"}}
	o, err := Run(build(func(b *op.Builder) {
		b.Copy(op.R1, op.R0)
		b.Add(op.R1, 16)
		b.Load(op.R2, 8, op.R1, 0)
		b.Add(op.R0, 8*5)
		b.Syscall(op.Execve, op.Of(op.R2), op.Of(op.R1), op.Of(op.R0))
		b.Const(op.R1, 1)
		exit(b)
	}), exits{}, start)
	want := Outcome{Exec: true, Path: "server", Args: []string{"server", "-v"}, Env: []string{"A=1"}}
	if err != nil || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestBugs has programs that the machine must refuse.
func TestBugs(t *testing.T) {
	for _, test := range []struct {
		want string
		f    func(b *op.Builder)
	}{
		{"outside the memory", func(b *op.Builder) { b.Const(op.R1, 4096); b.Load(op.R1, 8, op.R1, 0) }},
		{"outside the memory", func(b *op.Builder) { b.Const(op.R2, stackTop-4); b.Load(op.R1, 8, op.R2, 0) }},
		{"outside the memory", func(b *op.Builder) { b.FrameAddress(op.R2, b.Slot(16)); b.Add(op.R2, -8); b.Load(op.R1, 8, op.R2, 0) }},
		{"outside the memory", func(b *op.Builder) { b.Const(op.R2, -4); b.Load(op.R1, 8, op.R2, 0) }},
		{"outside the memory", func(b *op.Builder) { b.DataAddress(op.R2, b.Text("ab")); b.Load(op.R1, 4, op.R2, 0) }},
		{"write to data", func(b *op.Builder) { b.DataAddress(op.R2, b.Text("ab")); b.Store(op.R2, 1, op.R2, 0) }},
		{"not all written", func(b *op.Builder) { b.Load(op.R1, 8, op.SP, b.Slot(16)) }},
		{"not all written", func(b *op.Builder) {
			slot := b.Slot(16)
			b.Store(op.R0, 4, op.SP, slot)
			b.Load(op.R1, 8, op.SP, slot)
		}},
		{"outside the memory", func(b *op.Builder) { b.Reserve(op.R2, 32); b.Store(op.R2, 8, op.R2, 25) }},
		{"not all written", func(b *op.Builder) { b.Reserve(op.R2, 32); b.Load(op.R1, 8, op.R2, 24) }},
		{"R4 has no value", func(b *op.Builder) { b.Copy(op.R1, op.R4) }},
		{"result has no value", func(b *op.Builder) { b.Copy(op.R1, op.Result) }},
		{"R1 has no value", func(*op.Builder) {}},
		{"calls that have not returned", func(b *op.Builder) {
			l := b.NewLabel()
			b.Call(l)
			b.Subroutine(l, func() {
				b.Call(l)
				b.Const(op.R1, 0)
				b.Return()
			})
		}},
		{"not in a subroutine", func(b *op.Builder) { b.Return() }},
		{"continues there", func(b *op.Builder) {
			b.Subroutine(b.NewLabel(), func() {})
			b.Subroutine(b.NewLabel(), func() {})
		}},
		{"no subroutine is called", func(b *op.Builder) { b.Call(b.Here()) }},
		{"a subroutine that is not called", func(b *op.Builder) {
			l := b.NewLabel()
			b.Jump(l)
			b.Subroutine(l, b.Return)
		}},
		{"the label is in a subroutine", func(b *op.Builder) {
			inside := b.NewLabel()
			b.Jump(inside)
			b.Subroutine(b.NewLabel(), func() {
				b.Place(inside)
				b.Return()
			})
		}},
		{"after the frame is reserved", func(b *op.Builder) { b.Enter(op.R0, op.R0) }},
		{"no end after", func(b *op.Builder) { b.Jump(b.Here()) }},
		{"unexpected call", func(b *op.Builder) { b.Syscall(op.Umask, op.Int(0)) }},
	} {
		p := build(func(b *op.Builder) { test.f(b); exit(b) })
		if o, err := Run(p, exits{}, Start{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v, %v; want an error with %q", o, err, test.want)
		}
	}
	b := &op.Builder{}
	b.Load(op.R1, 8, op.SP, b.Slot(16))
	b.Const(op.R1, 0)
	exit(b)
	if _, err := Run(b.Program(), exits{}, Start{}); err == nil || !strings.Contains(err.Error(), "not reserved") {
		t.Errorf("frame before Enter: %v", err)
	}
	// exit_group is the last operation, but a filter can let it return.
	m, err := New(build(func(b *op.Builder) { b.Const(op.R1, 1); exit(b) }), Start{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = m.Next(); err != nil {
		t.Fatal(err)
	}
	m.Return(0)
	if _, err = m.Next(); err == nil || !strings.Contains(err.Error(), "after its end") {
		t.Errorf("after exit_group: %v", err)
	}
}

// TestEnter reserves bytes above the frame, which hold what the launcher adds.
func TestEnter(t *testing.T) {
	b := &op.Builder{}
	slot := b.Slot(8)
	b.Const(op.R0, 24)
	b.Enter(op.R0, op.R0)
	b.Const(op.R1, 7)
	b.FrameAddress(op.R2, slot)
	b.Store(op.R1, 8, op.R2, 16+16) // the frame has 16 bytes
	b.Load(op.R1, 8, op.R2, 16+16)
	exit(b)
	if o, err := Run(b.Program(), exits{}, Start{Args: []string{"x"}}); err != nil || o.Status != 7 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestClone continues twice from one state.
func TestClone(t *testing.T) {
	m, err := New(build(func(b *op.Builder) {
		slot := b.Slot(8)
		b.Const(op.R1, 1)
		b.Store(op.R1, 8, op.SP, slot)
		b.Syscall(op.Getpid)
		b.Copy(op.R2, op.Result)
		b.Load(op.R1, 8, op.SP, slot)
		b.AddReg(op.R1, op.R2)
		b.Store(op.R1, 8, op.SP, slot)
		exit(b)
	}), Start{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Next(); err != nil {
		t.Fatal(err)
	}
	for _, result := range []int64{1, 2, 3} {
		c := m.Clone()
		c.Return(result)
		if o, err := c.Finish(exits{}); err != nil || int64(o.Status) != 1+result {
			t.Errorf("%+v, %v", o, err)
		}
	}
}

// TestGarbage reads memory that nothing has written.
func TestGarbage(t *testing.T) {
	m, err := New(build(func(b *op.Builder) {
		slot := b.Slot(16)
		b.Store(op.R0, 1, op.SP, slot)
		b.Load(op.R1, 2, op.SP, slot)
		b.Right(op.R1, 8)
		exit(b)
	}), Start{})
	if err != nil {
		t.Fatal(err)
	}
	for _, garbage := range []byte{0, 0x5a} {
		c := m.Clone()
		c.Garbage = &garbage
		if o, err := c.Finish(exits{}); err != nil || o.Status != int(garbage) {
			t.Errorf("%+v, %v", o, err)
		}
	}
}

func TestMap(t *testing.T) {
	m := &Memory{}
	a, b := m.Map(1), m.Map(5000)
	if b < a+2*pageSize {
		t.Errorf("segments at %#x and %#x", a, b)
	}
	if err := m.Put(b+8184, 8, 5); err != nil {
		t.Error(err)
	}
	if v, err := m.Uint(b+8184, 8); v != 5 || err != nil {
		t.Error(v, err)
	}
	if v, err := m.Uint(a, 8); v != 0 || err != nil {
		t.Error(v, err)
	}
	if err := m.Put(b+8185, 8, 5); err == nil {
		t.Error("write after the end of a segment")
	}
}

// alarms is a kernel in which a call is interrupted by a signal, whose handler is the
// argument.
type alarms struct{ exits }

func (k alarms) Syscall(nr op.Sys, args [6]uint64, mem *Memory) (int64, error) {
	if nr == op.Write {
		return 0, Handler(args[0])
	}
	return k.exits.Syscall(nr, args, mem)
}

// TestHandler continues in signal handlers, in which no register and no frame is known.
func TestHandler(t *testing.T) {
	handled := func(b *op.Builder, address bool, body func()) {
		l := b.NewLabel()
		b.Const(op.R1, codeBase+8)
		if address {
			b.CodeAddress(op.R1, l)
		}
		b.Syscall(op.Write, op.Of(op.R1))
		b.Place(l)
		body()
	}
	o, err := Run(build(func(b *op.Builder) { handled(b, true, func() { b.Const(op.R1, 5) }); exit(b) }), alarms{}, Start{})
	if err != nil || o.Status != 5 {
		t.Errorf("%+v, %v", o, err)
	}
	for _, test := range []struct {
		want    string
		address bool
		body    func(b *op.Builder)
	}{
		{"R1 has no value", true, func(*op.Builder) {}},
		{"the frame is not reserved", true, func(b *op.Builder) { b.Load(op.R1, 8, op.SP, b.Slot(16)) }},
		{"not that of a label", false, func(*op.Builder) {}},
	} {
		p := build(func(b *op.Builder) { handled(b, test.address, func() { test.body(b) }); exit(b) })
		if _, err := Run(p, alarms{}, Start{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, expected %q", err, test.want)
		}
	}
}
