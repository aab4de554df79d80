package engine

import (
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// TestRefusesResources checks that a step is refused if the kernel would refuse it because
// of a resource, and never if the resources are unknown.
func TestRefusesResources(t *testing.T) {
	nofile, ok := machine.RlimitNumber("nofile")
	core, ok2 := machine.RlimitNumber("core")
	if !ok || !ok2 {
		t.Fatal("no such limits")
	}
	root, user, nested := cred.Root(), withCaps(0), cred.Root()
	nested.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Count: 65536}}, GIDs: []cred.Extent{{Count: 65536}}}
	limits := func(soft, hard, nrOpen uint64) *machine.Resources {
		return &machine.Resources{Limits: map[int]machine.Limit{nofile: {Soft: soft, Hard: hard}, core: {Soft: soft, Hard: hard}}, NrOpen: nrOpen}
	}
	open := func(d machine.Descriptor) *machine.Resources {
		return &machine.Resources{Descriptors: map[int]machine.Descriptor{0: {Open: true}, 7: d}}
	}
	on := func(x machine.Terminal) *machine.Resources { return &machine.Resources{Terminal: &x} }
	const max = policy.Unlimited
	for _, c := range []struct {
		name, text string
		from       cred.Cred
		resources  *machine.Resources
		want       string // empty for a plan
		needs      cred.Caps
	}{
		{name: "lower", text: "rlimits: {core: 5}", from: user, resources: limits(0, 10, 0)},
		{name: "the same", text: "rlimits: {core: 10}", from: user, resources: limits(10, 10, 0)},
		{name: "soft up to hard", text: "rlimits: {core: {soft: 10, hard: 10}}", from: user, resources: limits(0, 10, 0)},
		{name: "above hard", text: "rlimits: {core: {soft: 5, hard: 11}}", from: user, resources: limits(0, 10, 0),
			want: "2:17: error: set limit core to soft 5, hard 11: operation not permitted: raising the hard limit needs cap_sys_resource (caller has: none; caller's limit: soft 0, hard 10)"},
		{name: "soft alone", text: "rlimits: {core: {soft: 10}}", from: user, resources: limits(0, 10, 0)},
		{name: "soft alone, above hard", text: "rlimits: {core: {soft: 11}}", from: root, resources: limits(0, 10, 0),
			want: "2:17: error: set limit core: soft limit 11 is above the caller's hard limit 10"},
		{name: "soft alone, not known", text: "rlimits: {core: {soft: 11}}", from: user},
		{name: "hard alone", text: "rlimits: {core: {hard: 5}}", from: user, resources: limits(5, 10, 0)},
		{name: "hard alone, below soft", text: "rlimits: {core: {hard: 4}}", from: root, resources: limits(5, 10, 0),
			want: "2:17: error: set limit core: hard limit 4 is below the caller's soft limit 5"},
		{name: "hard alone, raised", text: "rlimits: {core: {hard: 11}}", from: user, resources: limits(5, 10, 0), want: "raising the hard limit needs cap_sys_resource"},
		{name: "soft alone, with a hard limit above nr_open", text: "rlimits: {nofile: {soft: 5}}", from: root, resources: limits(10, 200, 100), want: "fs.nr_open"},
		{name: "unlimited", text: "rlimits: {core: unlimited}", from: user, resources: limits(0, 10, 0), want: "raising the hard limit needs cap_sys_resource"},
		{name: "from unlimited", text: "rlimits: {core: unlimited}", from: user, resources: limits(0, max, 0)},
		{name: "with the capability", text: "rlimits: {core: 11}", from: root, resources: limits(0, 10, 0), needs: cred.CapsOf(sysResource)},
		{name: "which the uid takes away later", text: "uid: 33\ngid: 33\nrlimits: {core: 11}\ncaps: \"=\"", from: root, resources: limits(0, 10, 0), needs: cred.CapsOf(sysResource)},
		{name: "in a user namespace", text: "rlimits: {core: 11}", from: nested, resources: limits(0, 10, 0), want: "needs cap_sys_resource in the initial user namespace"},
		{name: "not known", text: "rlimits: {core: 11, nofile: unlimited}", from: user},

		{name: "at nr_open", text: "rlimits: {nofile: 100}", from: root, resources: limits(0, 10, 100), needs: cred.CapsOf(sysResource)},
		{name: "above nr_open", text: "rlimits: {nofile: 101}", from: root, resources: limits(1, 10, 100), want: "2:19: error: set limit nofile to 101: fs.nr_open allows no more than 100 (caller's limit: soft 1, hard 10)"},
		{name: "above nr_open and hard", text: "rlimits: {nofile: 101}", from: user, resources: limits(1, 10, 100), want: "fs.nr_open allows no more than 100"},
		{name: "a soft limit below a hard one above nr_open", text: "rlimits: {nofile: {soft: 5, hard: 200}}", from: root, resources: limits(10, 200, 100), want: "fs.nr_open"},
		{name: "as it is, above nr_open", text: "rlimits: {nofile: 200}", from: user, resources: limits(200, 200, 100)},
		{name: "another limit above nr_open", text: "rlimits: {core: 101}", from: root, resources: limits(0, 200, 100)},
		{name: "with caps", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nrlimits: {nofile: 101}", from: root, resources: limits(0, 10, 100), want: "5:19: error: set limit nofile"},

		{name: "kept", text: "keep_fds: [7]", from: user, resources: open(machine.Descriptor{Open: true})},
		{name: "kept and not open", text: "keep_fds: [7]", from: user, resources: open(machine.Descriptor{}), want: "2:12: error: keep descriptor 7: not open"},
		{name: "kept and close-on-exec", text: "keep_fds: [7]", from: user, resources: open(machine.Descriptor{Open: true, CloseOnExec: true}), want: "2:12: error: keep descriptor 7: not open, or close-on-exec"},
		{name: "descriptors not known", text: "keep_fds: [9]", from: user, resources: limits(0, 0, 0)},
		{name: "a directory leads out", text: "chroot: /srv", from: root, resources: &machine.Resources{Descriptors: map[int]machine.Descriptor{1: {Open: true, Directory: true}}},
			want: "2:9: error: pass on descriptor 1: it is a directory"},
		{name: "a directory without another root", text: "chroot: /", from: root, resources: &machine.Resources{Descriptors: map[int]machine.Descriptor{1: {Open: true, Directory: true}}}},

		{name: "a terminal to ask", text: "new_session: true", from: user, resources: on(machine.Terminal{GroupLeader: true, DevTTY: true})},
		{name: "a standard one", text: "new_session: true", from: user, resources: on(machine.Terminal{GroupLeader: true, OnStandardFD: true})},
		{name: "lost with the session, and listed", text: "new_session: true", from: user, resources: on(machine.Terminal{InProc: true})},
		{name: "none, and listed", text: "new_session: true", from: user, resources: on(machine.Terminal{GroupLeader: true, InProc: true, ProcNone: true})},
		{name: "listed, and it stays", text: "new_session: true", from: user, resources: on(machine.Terminal{GroupLeader: true, InProc: true}), want: "2:14: error: leave the session"},
		{name: "nobody can tell", text: "new_session: true", from: user, resources: on(machine.Terminal{OnStandardFD: true}), want: "2:14: error: leave the session"},
		{name: "a keyring that can be replaced", text: "uid: 33\ngid: 33", from: root, resources: &machine.Resources{}},
		{name: "a keyring that a filter protects", text: "uid: 33\ngid: 33", from: root, resources: &machine.Resources{Keys: cap.KeysFixed}, want: "2:6: error: replace the session keyring: a seccomp filter denies"},
		{name: "the same, of a user", text: "user: web", from: root, resources: &machine.Resources{Keys: cap.KeysFixed}, want: "2:7: error: replace the session keyring: a seccomp filter denies"},
		{name: "the same, inherited", text: "uid: 33\ngid: 33\nkeyring: inherit", from: root, resources: &machine.Resources{Keys: cap.KeysFixed}},
		{name: "the same, with the caller's uid", text: "uid: 0\ngid: 0", from: root, resources: &machine.Resources{Keys: cap.KeysFixed}},
		{name: "no key within reach", text: "uid: 33\ngid: 33", from: root, resources: &machine.Resources{Keys: cap.KeysUnreachable}},
		{name: "not asked for", text: "umask: \"0027\"", from: user, resources: on(machine.Terminal{})},
	} {
		target := OrdinaryTarget()
		target.Resources = c.resources
		plan, found := Compile(parse(t, c.text), c.from, target)
		if c.want != "" {
			if plan != nil || len(found) != 1 || !strings.Contains(found[0].String(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, found, c.want)
			}
			continue
		}
		if plan == nil {
			t.Errorf("%s: %v", c.name, found)
			continue
		}
		for _, s := range plan.Steps {
			if s.Kind == cap.StepRlimit && s.Needs != c.needs {
				t.Errorf("%s: needs %s", c.name, s.Needs.String())
			}
		}
	}
}

// TestNrOpenHint checks that the hint names a value of fs.nr_open only if the kernel
// accepts it.
func TestNrOpenHint(t *testing.T) {
	nofile, _ := machine.RlimitNumber("nofile")
	for value, want := range map[string]string{
		"101":        "write nofile: 100, or raise fs.nr_open: sysctl fs.nr_open=101",
		"2147483584": "write nofile: 100, or raise fs.nr_open: sysctl fs.nr_open=2147483584",
		"2147483585": "write nofile: 100",
		"unlimited":  "write nofile: 100",
	} {
		target := OrdinaryTarget()
		target.Resources = &machine.Resources{Limits: map[int]machine.Limit{nofile: {Soft: 10, Hard: 10}}, NrOpen: 100}
		_, found := Compile(parse(t, "rlimits: {nofile: "+value+"}"), cred.Root(), target)
		if len(found) != 1 || found[0].Hint != want {
			t.Errorf("%s: %+v, want the hint %q", value, found, want)
		}
	}
}
