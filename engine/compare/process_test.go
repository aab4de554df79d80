package compare

import (
	"errors"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestCompileForProcess checks that the plan uses the file capabilities of the process's
// executable only if there is no other plan.
func TestCompileForProcess(t *testing.T) {
	text := "uid: 33\ngid: 33\ncaps: cap_net_raw=p"
	raw, bind := cred.CapsOf(int(cap.NET_RAW)), cred.CapsOf(int(cap.NET_BIND_SERVICE))
	p := &machine.Process{File: cred.File{HasCaps: true, Permitted: raw}}
	plan, findings := compileForProcess(p, parse(t, text), cred.Root(), nil)
	if plan == nil || plan.Route != engine.RouteFile || plan.AfterExec.Permitted != raw || plan.AfterExec.Effective != 0 {
		t.Errorf("%+v %v", plan, findings)
	}
	p.File.Permitted = bind
	if plan, findings := compileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil || len(findings) == 0 || findings[0].Rule != "unreachable-caps" {
		t.Errorf("%+v %v", plan, findings)
	}
	p.File.Permitted, p.FileErr = raw, errors.New("unreadable")
	if plan, _ := compileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil {
		t.Errorf("%+v", plan)
	}
}
