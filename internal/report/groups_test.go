package report

import (
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
)

// TestGroups: every capability is in exactly one group, and those that amount to root are in
// the first two.
func TestGroups(t *testing.T) {
	var all cred.Caps
	for _, g := range groups {
		if g.Caps.Intersect(all) != 0 {
			t.Errorf("%s: %v are in another group, too", g.Name, g.Caps.Intersect(all))
		}
		all = all.Union(g.Caps)
	}
	if want := cred.FirstCaps(cap.NamedCount); all != want {
		t.Errorf("no group has %v; %v do not exist", want.Minus(all), all.Minus(want))
	}
	row := oneRow(t, "version: 1\n")
	if row.Held.Len() != cap.NamedCount || row.RootEquivalent.Len() < 10 {
		t.Fatalf("has %v, %v amount to root", row.Held, row.RootEquivalent)
	}
	if rest := row.RootEquivalent.Minus(groups[0].Caps.Union(groups[1].Caps)); rest != 0 {
		t.Errorf("%v amount to root", rest)
	}
}
