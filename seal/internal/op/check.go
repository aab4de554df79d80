package op

import "fmt"

// Check returns an error unless every operation of p is valid: its registers, sizes and
// labels, and the offsets of the frame and the data that it names.
func (p *Program) Check() error {
	if p.Frame < 0 || p.Frame > maxFrame || p.Frame%16 != 0 {
		return fmt.Errorf("frame of %d bytes", p.Frame)
	}
	places, err := p.places()
	if err != nil {
		return err
	}
	entered, subroutine := false, 0
	for n, o := range p.Ops {
		if o.Code == Subroutine {
			subroutine++
			if n == 0 || !ends(&p.Ops[n-1]) {
				return fmt.Errorf("operation %d, %v: the operation before it continues there", n, o)
			}
		}
		if entered && (o.Code == Start || o.Code == Enter) {
			return fmt.Errorf("operation %d, %v: after the frame is reserved", n, o)
		}
		if !entered && o.Code == Reserve {
			return fmt.Errorf("operation %d, %v: before the frame is reserved", n, o)
		}
		entered = entered || o.Code == Enter
		if err := p.checkOp(&o); err != nil {
			return fmt.Errorf("operation %d, %v: %w", n, o, err)
		}
		if err := checkTarget(&o, places, subroutine); err != nil {
			return fmt.Errorf("operation %d, %v: %w", n, o, err)
		}
	}
	if n := len(p.Ops); n == 0 || !ends(&p.Ops[n-1]) {
		return fmt.Errorf("the last operation continues after the end")
	}
	return nil
}

// place is where a label is.
type place struct {
	count      int
	begins     bool // a subroutine
	subroutine int  // the number of the subroutine; 0 before the first one
}

// places returns the place of each label, of which there must be one.
func (p *Program) places() ([]place, error) {
	places := make([]place, p.Labels)
	subroutine := 0
	for _, o := range p.Ops {
		if o.Code != Label && o.Code != Subroutine {
			continue
		}
		if o.Label < 0 || int(o.Label) >= p.Labels {
			return nil, fmt.Errorf("%v: unknown label", o)
		}
		if o.Code == Subroutine {
			subroutine++
		}
		places[o.Label] = place{places[o.Label].count + 1, o.Code == Subroutine, subroutine}
	}
	for label, at := range places {
		if at.count != 1 {
			return nil, fmt.Errorf("label L%d has %d places", label, at.count)
		}
	}
	return places, nil
}

// checkTarget returns an error unless an operation of a subroutine, or of none, may name its
// label.
func checkTarget(o *Op, places []place, subroutine int) error {
	switch o.Code {
	case CodeAddress, If, IfReg, Jump, Call:
		to := places[o.Label]
		switch {
		case o.Code == Call && !to.begins:
			return fmt.Errorf("no subroutine is called")
		case to.begins && o.Code != Call && (o.Code != Jump || subroutine == 0):
			return fmt.Errorf("a subroutine that is not called")
		case !to.begins && to.subroutine != 0 && to.subroutine != subroutine:
			return fmt.Errorf("the label is in a subroutine")
		}
	case Reserve:
		if subroutine != 0 {
			return fmt.Errorf("in a subroutine")
		}
	case Return:
		if subroutine == 0 {
			return fmt.Errorf("not in a subroutine")
		}
	}
	return nil
}

// ends reports whether the next operation is not executed after o.
func ends(o *Op) bool {
	return o.Code == Jump || o.Code == Return || o.Code == Syscall && o.Call == ExitGroup
}

func (p *Program) checkOp(o *Op) error {
	target := o.Code == Label || o.Code == Subroutine || o.Code == CodeAddress || o.Code == If || o.Code == IfReg || o.Code == Jump || o.Code == Call
	switch {
	case o.Code >= Codes:
		return fmt.Errorf("unknown code")
	case target && (o.Label < 0 || int(o.Label) >= p.Labels):
		return fmt.Errorf("unknown label")
	}
	switch o.Code {
	case Start, Enter, Reserve, Const, Add, And, Left, Right, Data, Frame, CodeAddress, Load, Copy, AddReg, SubReg, AndReg, OrReg:
		if o.D > R5 {
			return fmt.Errorf("%v cannot be changed", o.D)
		}
	case Store, If, IfReg:
		if o.D > Result {
			return fmt.Errorf("%v has no value", o.D)
		}
	}
	switch o.Code {
	case Enter, Copy, AddReg, SubReg, AndReg, OrReg, IfReg:
		if o.S > Result {
			return fmt.Errorf("%v has no value", o.S)
		}
	case Reserve:
		if o.Value < 16 || o.Value > maxFrame || o.Value%16 != 0 {
			return fmt.Errorf("%d bytes", o.Value)
		}
	case Left, Right:
		if o.Value < 1 || o.Value > 63 {
			return fmt.Errorf("shift by %d bits", o.Value)
		}
	case Data:
		return p.checkData(o.Value)
	case Frame:
		return p.checkFrame(o.Value, 0)
	case Load, Store:
		return p.checkMemory(o)
	case Syscall:
		return p.checkSyscall(o)
	}
	if (o.Code == If || o.Code == IfReg) && o.Cond >= Conds {
		return fmt.Errorf("unknown condition")
	}
	if o.Cond == Negative && (o.Code != If || o.Value != 0) {
		return fmt.Errorf("condition with an operand that it does not have")
	}
	return nil
}

func (p *Program) checkMemory(o *Op) error {
	switch o.Size {
	case 1, 2, 4, 8:
	default:
		return fmt.Errorf("%d bytes", o.Size)
	}
	switch {
	case o.S == SP:
		return p.checkFrame(o.Value, int64(o.Size))
	case o.S > R5:
		return fmt.Errorf("%v is no address", o.S)
	case o.Value < 0 || o.Value > maxOffset:
		return fmt.Errorf("offset out of range")
	}
	return nil
}

// maxFrame is far above what a launcher needs, and far below the stack of a process.
const maxFrame = 1 << 20

// maxOffset is the greatest offset from a register: arm64 encodes 12 bits.
const maxOffset = 4095

func (p *Program) checkSyscall(o *Op) error {
	if o.Call >= Syscalls || len(o.Args) > 6 {
		return fmt.Errorf("unknown system call, or more than six arguments")
	}
	for _, a := range o.Args {
		var err error
		switch a.Kind {
		case ArgConst:
		case ArgReg:
			if a.Reg > R5 {
				err = fmt.Errorf("%v as an argument", a.Reg)
			}
		case ArgFrame:
			err = p.checkFrame(a.Value, 0)
		case ArgData:
			err = p.checkData(a.Value)
		default:
			err = fmt.Errorf("unknown kind of argument")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) checkFrame(offset, size int64) error {
	if offset < 0 || offset+size > int64(p.Frame) {
		return fmt.Errorf("outside the frame of %d bytes", p.Frame)
	}
	return nil
}

func (p *Program) checkData(offset int64) error {
	if offset < 0 || offset >= int64(len(p.Data)) {
		return fmt.Errorf("outside the %d bytes of data", len(p.Data))
	}
	return nil
}
