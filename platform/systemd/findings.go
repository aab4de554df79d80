package systemd

import "caprun/platform/declared"

// findings collects findings about a unit.
type findings struct {
	declared.Findings
	failed bool // one is of declared.Syntax or declared.Refused, and there are no processes
}

// add adds a finding. A hint can be empty.
func (f *findings) add(r declared.Rule, at declared.Source, hint, format string, args ...any) {
	f.failed = f.failed || r == declared.Syntax || r == declared.Refused
	f.Add(r, at, hint, format, args...)
}
