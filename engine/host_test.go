package engine

import (
	"errors"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestCompileForProcess takes the way by file capabilities where the process's
// executable has some, and there is no other.
func TestCompileForProcess(t *testing.T) {
	text := "uid: 33\ngid: 33\ncaps: cap_net_raw=p"
	p := &machine.Process{File: cred.File{HasCaps: true, Permitted: raw}}
	plan, findings := CompileForProcess(p, parse(t, text), cred.Root(), nil)
	if plan == nil || plan.Route != RouteFile || plan.After.Permitted != raw || plan.After.Effective != 0 {
		t.Errorf("%+v %v", plan, findings)
	}
	p.File.Permitted = bind
	if plan, findings := CompileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil || len(findings) == 0 || findings[0].Rule != rules[ruleUnreachable].Name {
		t.Errorf("%+v %v", plan, findings)
	}
	p.File.Permitted, p.FileErr = raw, errors.New("unreadable")
	if plan, _ := CompileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil {
		t.Errorf("%+v", plan)
	}
}

// TestWritablePathsCount leaves out the way to a program that gets no capability, as
// opposed to the root directory.
func TestWritablePathsCount(t *testing.T) {
	found := []machine.WritablePath{{Key: "command", Path: "/srv/p"}, {Key: "chroot", Path: "/srv"}}
	for permitted, want := range map[cred.Caps]int{0: 1, raw: 2} {
		plan := &Plan{Target: Target{Program: machine.Program{WritablePaths: found}}, After: cred.Cred{Permitted: permitted}}
		if got := plan.WritablePaths(); len(got) != want || got[want-1].Key != "chroot" {
			t.Errorf("permitted %s: %+v", permitted.String(), got)
		}
	}
}
