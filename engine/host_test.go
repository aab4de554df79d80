package engine

import (
	"errors"
	"testing"

	"caprun/engine/cred"
)

// TestCompileForProcess takes the way by file capabilities where the process's
// executable has some, and there is no other.
func TestCompileForProcess(t *testing.T) {
	text := "uid: 33\ngid: 33\ncaps: cap_net_raw=p"
	p := &Process{facts: cred.File{HasCaps: true, Permitted: raw}}
	plan, findings := CompileForProcess(p, parse(t, text), cred.Root(), nil)
	if plan == nil || plan.Route != RouteFile || plan.After.Permitted != raw || plan.After.Effective != 0 {
		t.Errorf("%+v %v", plan, findings)
	}
	p.facts.Permitted = bind
	if plan, findings := CompileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil || len(findings) == 0 || findings[0].Rule != rules[ruleUnreachable].Name {
		t.Errorf("%+v %v", plan, findings)
	}
	p.facts.Permitted, p.factsErr = raw, errors.New("unreadable")
	if plan, _ := CompileForProcess(p, parse(t, text), cred.Root(), nil); plan != nil {
		t.Errorf("%+v", plan)
	}
}
