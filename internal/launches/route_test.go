package launches

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
)

// root is a machine with everything.
func root() *Machine {
	return &Machine{
		Start: cred.Root(), Rules: cred.Latest(),
		Users: []engine.User{
			{Name: "root", Home: "/root"},
			{Name: "www", UID: 33, GID: 33, Groups: []uint32{27}, Home: "/var/www"},
			{Name: "nobody", UID: 65534, GID: 65534, Home: "/"},
		},
		Owners: []uint32{0, 1000, 1001}, Groups: []uint32{0, 1000, 1003}, FileCaps: true, Mounts: true, Namespaces: true,
	}
}

// TestRoutes compares the compiler with a search in the model: what it accepts
// keeps the promise of the profile and can be found, and what it refuses
// cannot be had.
func TestRoutes(t *testing.T) {
	m := root()
	count := 20000
	outcomes := map[string]int{}
	missed := map[string]int{}
	for index := range count {
		c := Make(m, 1, index)
		from, _, ok := c.Caller.State(m)
		if !ok {
			t.Fatalf("case %d: the kernel would refuse a setting:\n%v", index, c)
		}
		v := c.Compile(m, "/dir", from)
		if v.Plan != nil {
			outcomes["launched"]++
			if faults := c.Profile.Promise(m.Users).Broken(from, v.Plan.After); faults != nil {
				t.Errorf("case %d: %s\n%v", index, strings.Join(faults, "; "), c)
			}
			q := c.Profile.Promise(m.Users)
			if FindRoute(q, from, c.Target.Facts(from.UserNS, c.Caller.Has("nosuid")), m.Rules) == nil {
				t.Errorf("case %d: the search is too weak\n%v", index, c)
			}
			continue
		}
		outcomes[v.Rule()]++
		if calls := c.Missed(m, v, from); calls != nil {
			if name := c.Known(m, from); name != "" {
				outcomes["known: "+name]++
				continue
			}
			missed[v.Rule()]++
			if missed[v.Rule()] < 30 {
				t.Errorf("case %d: refused, but there is a way: %v\n%v%s", index, v.Diagnostics[0], c, RouteText(calls))
			}
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(outcomes)) {
		t.Log(fmt.Sprintf("%6d %s, wrongly: %d", outcomes[rule], rule, missed[rule]))
	}
}
