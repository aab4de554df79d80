package engine

import (
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestWritablePathsCount checks that paths to a program without capabilities do not count,
// and paths to the root directory do.
func TestWritablePathsCount(t *testing.T) {
	found := []machine.WritablePath{{Key: "command", Path: "/srv/p"}, {Key: "chroot", Path: "/srv"}}
	for permitted, want := range map[cred.Caps]int{0: 1, raw: 2} {
		plan := &Plan{Target: Target{Program: machine.Program{WritablePaths: found}}, AfterExec: cred.Cred{Permitted: permitted}}
		if got := plan.WritablePaths(); len(got) != want || got[want-1].Key != "chroot" {
			t.Errorf("permitted %s: %+v", permitted.String(), got)
		}
	}
}
