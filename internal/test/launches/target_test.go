package launches

import (
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// TestUnmappedOwners has targets whose set-id bits the kernel ignores because the
// user namespace does not map their owner or group: no refusal may name these bits.
func TestUnmappedOwners(t *testing.T) {
	zero := uint32(0)
	kill := cred.CapsOf(5)
	for _, test := range []struct {
		name  string
		users string
		file  cred.File
	}{
		{"neither is mapped", "0:100000:65534", cred.File{Setuid: true, GroupExec: true}},
		{"the group is not mapped", "0:100000:1,1000:1000:2", cred.File{Setuid: true, GroupExec: true, UID: 1001}},
	} {
		m := root()
		c := Case{
			Caller{{"userns", test.users}, {"unbound", hex(cred.CapsOf(cred.SETGID))}},
			Profile{UID: &zero, GID: &zero, Caps: &Sets{kill, kill, kill}},
			Target{File: test.file},
		}
		from, _, ok := c.Caller.State(m)
		if !ok {
			t.Fatalf("%s: the kernel would refuse a setting", test.name)
		}
		if f := c.Target.Facts(from.UserNS, false); !machine.UnmappedOwner(f) {
			t.Errorf("%s: owner %d:%d, expected an unmapped one", test.name, f.UID, f.GID)
		}
		if v := c.Compile(m, "/dir", from); v.Rule() != "missing-capability" {
			t.Errorf("%s: %v, expected that cap_setgid is missing", test.name, v.Diagnostics)
		}
	}
}
