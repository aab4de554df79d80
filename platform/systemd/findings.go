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
	failed bool // one is an Error of declared.Syntax
}

// add adds a finding. A hint can be empty.
func (f *findings) add(r declared.Rule, at declared.Source, hint, format string, args ...any) {
	if r == declared.Syntax {
		f.failed = true
	} else if len(f.list) >= maxFindings {
		return
	}
	var p declared.Process
	p.Find(r, at, hint, format, args...)
	f.list = append(f.list, p.Findings...)
}
