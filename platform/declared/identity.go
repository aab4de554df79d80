package declared

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
)

// IfRoot says what a process whose uid is not known has if it is uid 0, such as "if it is
// uid 0, the process has 14 capabilities". The sets and the securebits of p are known.
func (p *Process) IfRoot() string {
	what := ""
	switch n := p.grants(true).Len(); n {
	case 0:
		what = "has no capability, and owns the files of root"
	case 1:
		what = "has 1 capability"
	case cred.FirstCaps(cap.NamedCount).Len():
		what = "has every capability"
	default:
		what = fmt.Sprintf("has %d capabilities", n)
	}
	return "if it is uid 0, the process " + what
}

// grants returns the capabilities that exec grants the process as root or as another user.
func (p *Process) grants(root bool) cred.Caps {
	s := p.Sets
	if root && (p.Profile.Secbits == nil || *p.Profile.Secbits&cap.SecbitNoRoot == 0) {
		return s.Bounding.Union(s.Inheritable).Union(s.Ambient).Minus(s.Withheld)
	}
	return s.Ambient
}
