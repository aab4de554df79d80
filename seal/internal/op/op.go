package op

import (
	"fmt"
	"strings"
)

// Reg is a register.
type Reg uint8

// The registers. A system call keeps R0 to R5.
const (
	R0 Reg = iota
	R1
	R2
	R3
	R4
	R5
	Result // of the last system call; only a source
	SP     // the beginning of the frame; only an address in Load and Store
)

// Code says what an operation does. The package documentation describes each.
type Code uint8

// The codes.
const (
	Label Code = iota
	Subroutine
	Start
	Enter
	Reserve
	Const
	Copy
	Add
	AddReg
	SubReg
	And
	AndReg
	OrReg
	Left
	Right
	Data
	Frame
	CodeAddress
	Load
	Store
	If
	IfReg
	Jump
	Call
	Return
	Syscall
	Codes // the number of codes
)

var codeNames = [Codes]string{
	"label", "subroutine", "start", "enter", "reserve", "const", "copy", "add", "add", "sub", "and", "and", "or", "left", "right",
	"data", "frame", "code", "load", "store", "if", "if", "jump", "call", "return", "syscall",
}

// Cond is the condition of If and IfReg.
type Cond uint8

// The conditions. Numbers are unsigned.
const (
	Equal Cond = iota
	NotEqual
	Below
	AtLeast
	AnyBit   // D & operand is not 0
	NoBit    // D & operand is 0
	Negative // D is negative as a signed number; there is no operand, and Value is 0
	Conds    // the number of conditions
)

var condNames = [Conds]string{"==", "!=", "<", ">=", "has any of", "has none of", "is negative"}

// LabelID identifies a label of a program.
type LabelID int

// Op is an operation. The fields that its code does not use are zero.
type Op struct {
	Code  Code
	D, S  Reg
	Size  uint8 // Load, Store: 1, 2, 4 or 8
	Cond  Cond
	Value int64
	Label LabelID
	Call  Sys
	Args  []Arg
}

// Arg is an argument of a system call: a constant, a register, or an address of the frame
// or the data.
type Arg struct {
	Kind  ArgKind
	Reg   Reg   // ArgReg
	Value int64 // the constant, or the offset
}

// ArgKind is the kind of an [Arg].
type ArgKind uint8

// The kinds of arguments.
const (
	ArgConst ArgKind = iota
	ArgReg
	ArgFrame
	ArgData
)

// Program is a list of operations with its constants.
type Program struct {
	Ops    []Op
	Data   []byte
	Frame  int // bytes that Enter reserves, a multiple of 16
	Labels int // labels are 0 to Labels - 1
}

// Calls reports whether the subroutine that begins with operation n calls others.
func (p *Program) Calls(n int) bool {
	for _, o := range p.Ops[n+1:] {
		switch o.Code {
		case Call:
			return true
		case Subroutine:
			return false
		}
	}
	return false
}

// String returns the operation as text, such as "if R3 != 0: go to L12".
func (o Op) String() string {
	name := o.Code.String()
	switch o.Code {
	case Label:
		return fmt.Sprintf("L%d:", o.Label)
	case Subroutine:
		return fmt.Sprintf("subroutine L%d:", o.Label)
	case Start:
		return fmt.Sprintf("%s %v", name, o.D)
	case Enter, Copy, AddReg, SubReg, AndReg, OrReg:
		return fmt.Sprintf("%s %v, %v", name, o.D, o.S)
	case Const, Add, And:
		return fmt.Sprintf("%s %v, %#x", name, o.D, o.Value)
	case Reserve, Left, Right, Data, Frame:
		return fmt.Sprintf("%s %v, %d", name, o.D, o.Value)
	case CodeAddress:
		return fmt.Sprintf("%s %v, L%d", name, o.D, o.Label)
	case Load, Store:
		return fmt.Sprintf("%s%d %v, [%v%+d]", name, 8*int(o.Size), o.D, o.S, o.Value)
	case If:
		if o.Cond == Negative {
			return fmt.Sprintf("if %v %v: go to L%d", o.D, o.Cond, o.Label)
		}
		return fmt.Sprintf("if %v %v %#x: go to L%d", o.D, o.Cond, o.Value, o.Label)
	case IfReg:
		return fmt.Sprintf("if %v %v %v: go to L%d", o.D, o.Cond, o.S, o.Label)
	case Jump:
		return fmt.Sprintf("go to L%d", o.Label)
	case Call:
		return fmt.Sprintf("call L%d", o.Label)
	case Syscall:
		args := make([]string, len(o.Args))
		for n, a := range o.Args {
			args[n] = a.String()
		}
		return fmt.Sprintf("%v(%s)", o.Call, strings.Join(args, ", "))
	}
	return name
}

// String returns the argument as text, such as "frame+16".
func (a Arg) String() string {
	switch a.Kind {
	case ArgConst:
		return fmt.Sprintf("%#x", a.Value)
	case ArgReg:
		return a.Reg.String()
	case ArgFrame:
		return fmt.Sprintf("frame+%d", a.Value)
	case ArgData:
		return fmt.Sprintf("data+%d", a.Value)
	}
	return fmt.Sprintf("argument kind %d", a.Kind)
}

// String returns the name of the register, such as "R3".
func (r Reg) String() string {
	switch {
	case r <= R5:
		return fmt.Sprintf("R%d", r)
	case r == Result:
		return "result"
	case r == SP:
		return "SP"
	}
	return fmt.Sprintf("register %d", r)
}

// String returns the name of the code.
func (c Code) String() string {
	if c < Codes {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", c)
}

// String returns the condition as text, such as "==".
func (c Cond) String() string {
	if c < Conds {
		return condNames[c]
	}
	return fmt.Sprintf("condition %d", c)
}
