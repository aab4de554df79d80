package engine

import (
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestWritablePathsCount leaves out the way to a program that gets no capability, as
// opposed to the root directory.
func TestWritablePathsCount(t *testing.T) {
	found := []machine.WritablePath{{Key: "command", Path: "/srv/p"}, {Key: "chroot", Path: "/srv"}}
	for permitted, want := range map[cred.Caps]int{0: 1, raw: 2} {
		plan := &Plan{Target: Target{Program: machine.Program{WritablePaths: found}}, AfterExec: cred.Cred{Permitted: permitted}}
		if got := plan.WritablePaths(); len(got) != want || got[want-1].Key != "chroot" {
			t.Errorf("permitted %s: %+v", permitted.String(), got)
		}
	}
}
