package interp

import (
	"fmt"

	"caprun/seal/internal/op"
)

// step executes an operation other than a system call.
func (m *Machine) step(o *op.Op) error {
	var d, s uint64
	var err error
	switch o.Code {
	case op.Add, op.AddReg, op.SubReg, op.And, op.AndReg, op.OrReg, op.Left, op.Right, op.Store, op.If, op.IfReg:
		if d, err = m.get(o.D); err != nil {
			return err
		}
	}
	switch o.Code {
	case op.Enter, op.Copy, op.AddReg, op.SubReg, op.AndReg, op.OrReg, op.IfReg:
		if s, err = m.get(o.S); err != nil {
			return err
		}
	case op.Load, op.Store:
		if o.S == op.SP {
			s, err = m.frame(o.Value)
		} else if s, err = m.get(o.S); err == nil {
			s += uint64(o.Value)
		}
		if err != nil {
			return err
		}
	case op.Frame, op.Call, op.Return:
		if s, err = m.frame(o.Value); err != nil {
			return err
		}
	}
	v := uint64(o.Value)
	switch o.Code {
	case op.Label, op.Subroutine:
	case op.Start:
		if m.sp != 0 {
			return fmt.Errorf("the frame is reserved")
		}
		m.set(o.D, m.start)
	case op.Enter:
		return m.enter(o.D, s)
	case op.Reserve:
		m.set(o.D, m.reserve(v))
	case op.Const:
		m.set(o.D, v)
	case op.Copy, op.Frame:
		m.set(o.D, s)
	case op.Add:
		m.set(o.D, d+v)
	case op.AddReg:
		m.set(o.D, d+s)
	case op.SubReg:
		m.set(o.D, d-s)
	case op.And:
		m.set(o.D, d&v)
	case op.AndReg:
		m.set(o.D, d&s)
	case op.OrReg:
		m.set(o.D, d|s)
	case op.Left:
		m.set(o.D, d<<v)
	case op.Right:
		m.set(o.D, d>>v)
	case op.Data:
		m.set(o.D, dataBase+v)
	case op.CodeAddress:
		m.set(o.D, m.code(m.place[o.Label]))
	case op.Load:
		if d, err = m.Uint(s, int(o.Size)); err != nil {
			return err
		}
		m.set(o.D, d)
	case op.Store:
		return m.Put(s, int(o.Size), d)
	case op.If:
		return m.branch(o, d, v)
	case op.IfReg:
		return m.branch(o, d, s)
	case op.Jump:
		m.next = m.place[o.Label]
	case op.Call:
		if len(m.returns) == maxDepth {
			return fmt.Errorf("more than %d calls that have not returned", maxDepth)
		}
		m.returns = append(m.returns, m.next)
		m.next = m.place[o.Label]
	case op.Return:
		n := len(m.returns)
		if n == 0 {
			return fmt.Errorf("no call to return from")
		}
		m.next, m.returns = m.returns[n-1], m.returns[:n-1]
	default:
		return fmt.Errorf("unknown operation")
	}
	return nil
}

// branch goes to the label of o if the comparison of a and b is true.
func (m *Machine) branch(o *op.Op, a, b uint64) error {
	var holds bool
	switch o.Cond {
	case op.Equal:
		holds = a == b
	case op.NotEqual:
		holds = a != b
	case op.Below:
		holds = a < b
	case op.AtLeast:
		holds = a >= b
	case op.AnyBit:
		holds = a&b != 0
	case op.NoBit:
		holds = a&b == 0
	case op.Negative:
		holds = int64(a) < 0
	default:
		return fmt.Errorf("unknown condition")
	}
	if holds {
		m.next = m.place[o.Label]
	}
	return nil
}
