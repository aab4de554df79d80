package systemd

import (
	"caprun/platform/declared"
	"caprun/policy"
)

// maxFindings is the largest number of findings about a unit: nobody fixes more before the
// next check.
const maxFindings = 256

// findings collects findings.
type findings struct {
	list   []policy.Diagnostic
	failed bool // one is of declared.Syntax or declared.Refused, and there are no processes
}

// isFull reports that add ignores further findings. Who needs time for the position of one
// asks first.
func (f *findings) isFull() bool { return len(f.list) >= maxFindings }

// add adds a finding. A hint can be empty.
func (f *findings) add(r declared.Rule, at declared.Source, hint, format string, args ...any) {
	first := (r == declared.Syntax || r == declared.Refused) && !f.failed
	f.failed = f.failed || first
	if f.isFull() && !first {
		return
	}
	var p declared.Process
	p.AddFinding(r, at, hint, format, args...)
	f.list = append(f.list, p.Findings...)
}
