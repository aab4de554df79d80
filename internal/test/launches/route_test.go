package launches

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/test/command"
)

// root is a machine that allows every case.
func root() *Machine {
	return &Machine{
		Start: cred.Root(), Rules: cred.Latest(),
		Users: []machine.User{
			{Name: "root", Home: "/root"},
			{Name: "www", UID: 33, GID: 33, Groups: []uint32{27}, Home: "/var/www"},
			{Name: "nobody", UID: 65534, GID: 65534, Home: "/"},
		},
		Owners: []uint32{0, 1000, 1001}, Groups: []uint32{0, 1000, 1003}, FileCaps: true, Mounts: true, Namespaces: true,
	}
}

// TestRoutes compares the compiler with a search in the model. A plan must give what
// the profile declares, and the search must find it too. What the compiler refuses
// must not be reachable.
//
// CAPRUN_TEST_LAUNCHES and CAPRUN_TEST_SEED choose other cases.
func TestRoutes(t *testing.T) {
	m := root()
	count, seed := int(command.Number(t, "CAPRUN_TEST_LAUNCHES", 1000)), command.Number(t, "CAPRUN_TEST_SEED", 1)
	outcomes := map[string]int{}
	missed := map[string]int{}
	for index := range count {
		c := Make(m, seed, index)
		from, _, ok := c.Caller.State(m)
		if !ok {
			t.Fatalf("case %d: the kernel would refuse a setting:\n%v", index, c)
		}
		v := c.Compile(m, "/dir", from)
		if v.Plan != nil {
			outcomes["launched"]++
			if faults := c.Profile.Promise(m.Users).Broken(from, v.Plan.AfterExec); faults != nil {
				t.Errorf("case %d: %s\n%v", index, strings.Join(faults, "; "), c)
			}
			q := c.Profile.Promise(m.Users)
			if FindRoute(q, from, c.Target.Facts(from.UserNS, c.Caller.Has("nosuid")), m.Rules) == nil {
				t.Errorf("case %d: there is a plan, but the search found no route\n%v", index, c)
			}
			continue
		}
		outcomes[v.Rule()]++
		if calls := c.Missed(m, v, from); calls != nil {
			missed[v.Rule()]++
			if missed[v.Rule()] < 30 {
				t.Errorf("case %d: refused, but reachable: %v\n%v%s", index, v.Diagnostics[0], c, RouteText(calls))
			}
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(outcomes)) {
		t.Logf("%6d %s, wrongly: %d", outcomes[rule], rule, missed[rule])
	}
}

// TestRare has an example of each route that is easily missed.
func TestRare(t *testing.T) {
	id := func(n uint32) *uint32 { return &n }
	ordinary := Target{File: cred.File{GroupExec: true}}
	setuid := ordinary
	setuid.File.Setuid, setuid.File.UID = true, 1000
	full := ordinary
	full.File.HasCaps, full.File.Permitted = true, cred.FirstCaps(41)
	kill, chown := cred.CapsOf(5), cred.CapsOf(cred.CHOWN)
	m := root()
	for _, test := range []struct {
		name string
		Case
	}{
		{"real and effective uid differ, and one is 0",
			Case{Caller{{"uid", "0,1000,1000"}}, Profile{Caps: &Sets{P: chown}}, ordinary}},
		{"the target is set-user-ID",
			Case{nil, Profile{Caps: &Sets{P: chown}}, setuid}},
		{"uid 0 under no_new_privs with an inheritable capability that is not permitted",
			Case{Caller{{"nnp", ""}}, Profile{Caps: &Sets{E: chown, P: chown, I: kill}}, ordinary}},
		{"the uid changes, with an inheritable capability that the caller is not permitted",
			Case{Caller{{"lose", "0x20"}, {"nnp", ""}}, Profile{UID: id(1000), GID: id(1000), Caps: &Sets{I: kill}}, ordinary}},
		{"no_cap_ambient_raise is set but not locked",
			Case{Caller{{"secbits", "0x40"}}, Profile{UID: id(1000), GID: id(1000), Caps: &Sets{kill, kill, kill}}, ordinary}},
		{"keep_caps and no_setuid_fixup are locked off, and no capability is kept",
			Case{Caller{{"secbits", "0x28"}}, Profile{UID: id(1000), GID: id(1000), Caps: &Sets{}}, ordinary}},
		{"a file capability must leave the bounding set, because the profile declares it inheritable only",
			Case{nil, Profile{UID: id(1000), GID: id(1000), Caps: &Sets{I: kill}}, full}},
	} {
		from, _, ok := test.Caller.State(m)
		if !ok {
			t.Errorf("%s: the kernel would refuse a setting", test.name)
			continue
		}
		if v := test.Compile(m, "/dir", from); v.Plan == nil {
			t.Errorf("%s: %v\n%v", test.name, v.Diagnostics[0], test.Case)
		}
	}
}
