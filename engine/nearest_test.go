package engine

import (
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestNearestBesideLimit checks that nearest keeps cap_sys_resource, with which the caller
// raises a limit.
func TestNearestBesideLimit(t *testing.T) {
	target := OrdinaryTarget()
	target.Resources = &machine.Resources{Limits: map[int]machine.Limit{4: {Soft: 0, Hard: 8}}}
	p := parse(t, "uid: 33\ngid: 33\ncaps: cap_net_raw=ep\nrlimits: {core: 9}")
	plan, found := Compile(p, cred.Root(), target)
	if plan != nil || !strings.HasPrefix(found[0].Message, "caps cap_net_raw=ep is not reachable for a non-root target") || found[0].Hint != "write cap_net_raw=eip" {
		t.Errorf("got %+v", found)
	}
}
