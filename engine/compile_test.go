package engine

import (
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// parse returns the profile with these lines and the version.
func parse(t testing.TB, text string) *policy.Profile {
	t.Helper()
	p, diagnostics := policy.Parse("test.yaml", []byte("version: 1\n"+text+"\n"))
	if p == nil {
		t.Fatalf("%s\n%v", text, diagnostics)
	}
	return p
}

const (
	bind = cred.Caps(1 << 10)
	raw  = cred.Caps(1 << 13)
)

// withCaps returns the credentials of an ordinary user with caps, also in the ambient set.
func withCaps(caps cred.Caps) cred.Cred {
	c := cred.Root()
	c.UID, c.EUID, c.SUID, c.FSUID = 1000, 1000, 1000, 1000
	c.GID, c.EGID, c.SGID, c.FSGID = 1000, 1000, 1000, 1000
	c.Groups = []uint32{1000}
	c.Permitted, c.Effective, c.Inheritable, c.Ambient = caps, caps, caps, caps
	return c
}

func target(f cred.File) Target {
	t := OrdinaryTarget()
	t.File, t.FilePath, t.Path, t.Args = f, "/t", "/t", []string{"t"}
	return t
}

// TestCompile compares the state in which the target starts, for profiles with a plan.
func TestCompile(t *testing.T) {
	all := cred.FirstCaps(41)
	pingFile := cred.File{HasCaps: true, Permitted: raw, Effective: true}
	cases := []struct {
		name, text    string
		from          cred.Cred
		file          cred.File
		route         Route
		e, p, i, b, a cred.Caps
		uid           uint32
		nnp           bool
	}{
		{name: "web", text: "uid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true",
			from: cred.Root(), route: RouteAmbient, e: bind, p: bind, i: bind, b: bind, a: bind, uid: 33, nnp: true},
		{name: "more inherited than ambient", text: "uid: 33\ngid: 33\ncaps: cap_net_bind_service=eip cap_net_raw+i",
			from: cred.Root(), route: RouteAmbient, e: bind, p: bind, i: bind | raw, b: bind | raw, a: bind, uid: 33},
		{name: "uid 0 takes it from the bounding set", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=ep",
			from: cred.Root(), route: RouteRoot, e: raw, p: raw, b: raw},
		{name: "uid 0 under noroot", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=eip\nsecbits: [noroot]",
			from: cred.Root(), route: RouteAmbient, e: raw, p: raw, i: raw, b: raw, a: raw},
		{name: "no capabilities, root", text: "caps: \"=\"\niab: \"\"\nno_new_privs: true",
			from: cred.Root(), route: RouteNone, b: all, nnp: true},
		{name: "no capabilities, a user", text: "caps: \"=\"\niab: \"\"\nno_new_privs: true",
			from: withCaps(0), route: RouteNone, b: all, uid: 1000, nnp: true},
		{name: "a user passes on one of two", text: "caps: cap_net_raw=eip\niab: ^cap_net_raw",
			from: withCaps(raw | bind), route: RouteNone, e: raw, p: raw, i: raw, b: all, a: raw, uid: 1000},
		{name: "no declaration, another user", text: "uid: 33\ngid: 33",
			from: cred.Root(), route: RouteNone, b: all, uid: 33},
		{name: "no declaration, same user", text: "no_new_privs: true",
			from: withCaps(raw), route: RouteNone, e: raw, p: raw, i: raw, b: all, a: raw, uid: 1000, nnp: true},
		{name: "iab without caps", text: "uid: 33\ngid: 33\niab: ^cap_net_raw,!cap_chown",
			from: cred.Root(), route: RouteNone, e: raw, p: raw, i: raw, b: all.Without(0), a: raw, uid: 33},
		{name: "file capabilities that give what is declared", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep",
			from: cred.Root(), file: pingFile, route: RouteFile, e: raw, p: raw, b: raw, uid: 33},
		{name: "file capabilities instead of the ambient set", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip",
			from: cred.Root(), file: pingFile, route: RouteFile, e: raw, p: raw, i: raw, b: raw, uid: 33},
		{name: "set-user-ID is off under no_new_privs", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\nno_new_privs: true",
			from: cred.Root(), file: cred.File{Setuid: true}, route: RouteAmbient, e: raw, p: raw, i: raw, b: raw, a: raw, uid: 33, nnp: true},
		{name: "NOPRIV", text: "uid: 33\ngid: 33\nmode: NOPRIV", from: cred.Root(), route: RouteNone, uid: 33, nnp: true},
		{name: "PURE1E with what it allows", text: "uid: 33\ngid: 33\nmode: PURE1E\ncaps: cap_net_raw=i",
			from: cred.Root(), route: RouteAmbient, i: raw, b: raw, uid: 33},
		{name: "no_new_privs limits file capabilities to the final set", text: "uid: 33\ngid: 33\ncaps: \"=\"\niab: \"\"\nno_new_privs: true",
			from: cred.Root(), file: pingFile, route: RouteNone, b: all, uid: 33, nnp: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			plan, diagnostics := Compile(parse(t, c.text), c.from, target(c.file))
			if plan == nil {
				t.Fatal(diagnostics)
			}
			a := plan.AfterExec
			got := [...]cred.Caps{a.Effective, a.Permitted, a.Inheritable, a.Bounding, a.Ambient}
			want := [...]cred.Caps{c.e, c.p, c.i, c.b, c.a}
			for n, name := range []string{"effective", "permitted", "inheritable", "bounding", "ambient"} {
				if got[n] != want[n] {
					t.Errorf("%s is %s, want %s", name, got[n].String(), want[n].String())
				}
			}
			if plan.Route != c.route {
				t.Errorf("the route is %v, want %v", plan.Route, c.route)
			}
			if a.UID != c.uid || a.EUID != c.uid || a.SUID != c.uid || a.FSUID != c.uid {
				t.Errorf("uids are %d %d %d %d, want %d", a.UID, a.EUID, a.SUID, a.FSUID, c.uid)
			}
			if a.NoNewPrivs != c.nnp {
				t.Errorf("no_new_privs is %v", a.NoNewPrivs)
			}
			if !plan.BeforeExec.Permitted.SubsetOf(a.Permitted.Union(a.Ambient)) && c.text != "" && plan.Route != RouteNone {
				t.Errorf("the launcher keeps %s permitted, and the target gets %s", plan.BeforeExec.Permitted.String(), a.Permitted.String())
			}
		})
	}
}

// TestRefuse compares the diagnostic, for profiles without a plan.
func TestRefuse(t *testing.T) {
	noSetpcap := cred.Root()
	noSetpcap.Permitted = noSetpcap.Permitted.Without(cred.SETPCAP)
	noSetpcap.Effective = noSetpcap.Permitted
	noSetpcap.Bounding = noSetpcap.Permitted
	locked := cred.Root()
	locked.Securebits = cred.SecNoRoot | cred.SecNoRootLocked
	cases := []struct {
		name, text string
		from       cred.Cred
		file       cred.File
		rule       rule
		line       int
		want       []string
	}{
		{name: "not inheritable", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep", from: cred.Root(),
			rule: ruleUnreachable, line: 4, want: []string{"caps cap_net_raw=ep is not reachable for a non-root target", "also inheritable", "write cap_net_raw=eip"}},
		{name: "not effective", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=p", from: cred.Root(),
			rule: ruleUnreachable, line: 4, want: []string{"permitted, effective and inheritable", "write cap_net_raw=eip"}},
		{name: "uid 0 inherits more", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=ep cap_kill+i", from: cred.Root(),
			rule: ruleUnreachable, line: 4, want: []string{"for uid 0 without", "becomes permitted"}},
		{name: "uid 0 under noroot", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=ep\nsecbits: [noroot]", from: cred.Root(),
			rule: ruleUnreachable, line: 4, want: []string{"uid 0 under noroot", "write cap_net_raw=eip"}},
		{name: "caps and iab", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip\niab: ^cap_kill", from: cred.Root(),
			rule: ruleCapsIAB, line: 4, want: []string{"cap_kill=eip", "cap_net_raw=eip"}},
		{name: "mode and iab", text: "uid: 33\ngid: 33\nmode: PURE1E\niab: ^cap_kill", from: cred.Root(),
			rule: ruleMode, line: 5, want: []string{"PURE1E"}},
		{name: "mode and caps", text: "uid: 33\ngid: 33\nmode: NOPRIV\ncaps: cap_kill=eip", from: cred.Root(),
			rule: ruleMode, line: 5, want: []string{"NOPRIV"}},
		{name: "no setuid", text: "uid: 33\ngid: 1000\ngroups: [1000]\ncaps: \"=\"\niab: \"\"", from: withCaps(0),
			rule: ruleMissing, line: 2, want: []string{"set uid 33", "needs cap_setuid", "caller has: none", "start caprun as root"}},
		{name: "no setpcap, for a user whose bounding set lacks it", text: "caps: \"=\"", from: func() cred.Cred {
			c := withCaps(0)
			c.Bounding = raw
			return c
		}(), rule: ruleMissing, line: 2, want: []string{"needs cap_setpcap", "start caprun as root", "start as root with cap_setpcap"}},
		{name: "no setpcap", text: "uid: 33\ngid: 33\ncaps: \"=\"", from: noSetpcap,
			rule: ruleMissing, line: 4, want: []string{"needs cap_setpcap", "iab: ''"}},
		{name: "not held", text: "caps: cap_net_raw=eip\niab: ^cap_net_raw", from: withCaps(0),
			rule: ruleMissing, line: 3, want: []string{"cap_net_raw", "start as root with cap_net_raw"}},
		{name: "locked securebits", text: "uid: 33\ngid: 33\ncaps: \"=\"\nsecbits: []", from: locked,
			rule: ruleSecbits, line: 5, want: []string{"noroot,noroot_locked"}},
		{name: "set-user-ID target", text: "uid: 33\ngid: 33\ncaps: \"=\"", from: cred.Root(), file: cred.File{Setuid: true, UID: 5},
			rule: ruleIdentity, line: 2, want: []string{"set-user-ID (uid 5)", "no_new_privs"}},
		{name: "set-group-ID target", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip", from: cred.Root(), file: cred.File{Setgid: true, GroupExec: true, GID: 5},
			rule: ruleIdentity, line: 2, want: []string{"set-group-ID (gid 5)"}},
		{name: "empty file capabilities", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip", from: cred.Root(), file: cred.File{HasCaps: true},
			rule: ruleTarget, line: 4, want: []string{"/t has file capabilities (an empty set)", "cap_net_raw=i"}},
		{name: "file capabilities outside the bounding set", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip", from: cred.Root(),
			file: cred.File{HasCaps: true, Permitted: bind, Effective: true},
			rule: ruleTarget, line: 4, want: []string{"/t has file capabilities (cap_net_bind_service=ep)", "bounding set"}},
		{name: "ambient set of iab, emptied", text: "uid: 33\ngid: 33\niab: ^cap_net_raw", from: cred.Root(), file: cred.File{HasCaps: true, Permitted: raw},
			rule: ruleAmbientLost, line: 4, want: []string{"/t has file capabilities"}},
		{name: "a lock, not a missing capability", text: "uid: 1000\ngid: 1000\ngroups: [1000]\ncaps: cap_net_raw=eip\niab: ^cap_net_raw", from: func() cred.Cred {
			c := withCaps(raw)
			c.EUID, c.Securebits = 0, cred.SecKeepCapsLocked
			return c
		}(), rule: ruleCaller, line: 2, want: []string{"locked keep_caps", "without keep_caps_locked"}},
		{name: "the permitted set of the caller", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=eip", from: func() cred.Cred {
			c := cred.Root()
			c.Bounding = c.Bounding.Minus(raw)
			c.Permitted, c.Effective = c.Permitted.Minus(raw), c.Effective.Minus(raw)
			return c
		}(), rule: ruleMissing, line: 4, want: []string{"permitted set lacks cap_net_raw"}},
		{name: "the bounding set of the caller", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=ep", from: func() cred.Cred {
			c := cred.Root()
			c.Bounding = c.Bounding.Minus(raw)
			return c
		}(), rule: ruleMissing, line: 4, want: []string{"the caller's bounding set lacks cap_net_raw"}},
		{name: "a capability of no kernel", text: "uid: 33\ngid: 33\ncaps: 40=eip", from: func() cred.Cred {
			c := cred.Root()
			c.All = cred.FirstCaps(40)
			return c
		}(), rule: ruleUnknownToOS, line: 4, want: []string{"does not have cap_checkpoint_restore"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			plan, diagnostics := Compile(parse(t, c.text), c.from, target(c.file))
			if plan != nil {
				t.Fatalf("there is a plan: %+v", plan.AfterExec)
			}
			d := diagnostics[0]
			if d.Rule != rules[c.rule].Name || d.Line != c.line {
				t.Errorf("rule %s on line %d, want %s on line %d: %v", d.Rule, d.Line, rules[c.rule].Name, c.line, d)
			}
			for _, s := range c.want {
				if !strings.Contains(d.Message+"; "+d.Hint, s) {
					t.Errorf("%q is missing in: %s; %s", s, d.Message, d.Hint)
				}
			}
		})
	}
}

// TestEveryStepIsPredicted fails if predictStep lacks a kind of step.
func TestEveryStepIsPredicted(t *testing.T) {
	for k := cap.StepKind(1); k < cap.StepKinds; k++ {
		if _, _, errno := predictStep(cred.Root(), &cap.Step{Kind: k}, cred.Latest()); errno != 0 {
			t.Errorf("%v: %v", k, errno)
		}
	}
	if _, _, errno := predictStep(cred.Root(), &cap.Step{Kind: cap.StepKinds}, cred.Latest()); errno == 0 {
		t.Error("an unknown kind is predicted")
	}
}

// TestNumbersAgree compares the numbers in package cred with those in package cap.
func TestNumbersAgree(t *testing.T) {
	for n, v := range map[int]cap.Value{
		cred.CHOWN: cap.CHOWN, cred.DAC_OVERRIDE: cap.DAC_OVERRIDE, cred.DAC_READ_SEARCH: cap.DAC_READ_SEARCH,
		cred.FOWNER: cap.FOWNER, cred.FSETID: cap.FSETID, cred.SETGID: cap.SETGID, cred.SETUID: cap.SETUID,
		cred.SETPCAP: cap.SETPCAP, cred.LINUX_IMMUTABLE: cap.LINUX_IMMUTABLE, cred.SYS_CHROOT: cap.SYS_CHROOT,
		cred.MKNOD: cap.MKNOD, cred.MAC_OVERRIDE: cap.MAC_OVERRIDE,
	} {
		if cap.Value(n) != v {
			t.Errorf("%v is %d", v, n)
		}
	}
	for n := range 12 {
		a, b := cap.Secbits(1<<n).Names(), cred.Securebits(1<<n).Names()
		if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
			t.Errorf("securebit %d is %v and %v", n, a, b)
		}
	}
	if cred.Root().All != cred.FirstCaps(int(cap.NamedCount)) {
		t.Error("the model's root does not have the named capabilities")
	}
}

// TestModeBeforeText checks that a set which the mode empties is refused because of the
// mode, also if caps is not reachable without the mode either.
func TestModeBeforeText(t *testing.T) {
	for _, caps := range []string{"cap_net_raw=ep", "cap_net_raw=p", "cap_net_raw=eip"} {
		_, diagnostics := Compile(parse(t, "uid: 0\ngid: 0\nmode: NOPRIV\ncaps: "+caps), cred.Root(), OrdinaryTarget())
		if len(diagnostics) != 1 || diagnostics[0].Rule != rules[ruleMode].Name {
			t.Errorf("%s: %v", caps, diagnostics)
		}
	}
}

// TestGroupsEquivalent checks that the empty group list is kept only if it is equivalent
// to a list of the gid.
func TestGroupsEquivalent(t *testing.T) {
	const setgid = cred.Caps(1 << cred.SETGID)
	none := withCaps(0)
	none.Groups = nil
	with := func(change func(*cred.Cred)) cred.Cred {
		c := none
		change(&c)
		return c
	}
	denied := cred.UserNS{Nested: true, SetgroupsDenied: true, UIDs: []cred.Extent{{Inside: 0, Outside: 0, Count: 2000}}, GIDs: []cred.Extent{{Inside: 0, Outside: 0, Count: 2000}}}
	const ids = "uid: 1000\ngid: 1000\n"
	for _, c := range []struct {
		name, text string
		from       cred.Cred
		refused    string
		groups     string
	}{
		{name: "nothing to change", text: ids + "no_new_privs: true", from: none, groups: "none"},
		{name: "declared", text: ids + "groups: [1000]\nno_new_privs: true", from: none, groups: "none"},
		{name: "declared empty", text: ids + "groups: []\nno_new_privs: true", from: none, groups: "none"},
		{name: "of the caller", text: ids, from: with(func(c *cred.Cred) { c.NoNewPrivs = true }), groups: "none"},
		{name: "a saved gid that goes", text: ids + "no_new_privs: true", from: with(func(c *cred.Cred) { c.SGID = 7 }), groups: "none"},
		{name: "a real gid that stays possible", text: ids + "no_new_privs: true", from: with(func(c *cred.Cred) { c.GID = 1000; c.EGID, c.FSGID = 7, 7 }), groups: "none"},
		{name: "without no_new_privs", text: ids, from: none, refused: "set groups 1000 (caller has groups: none): operation not permitted: needs cap_setgid (caller has: none)"},
		{name: "another gid", text: "uid: 1000\ngid: 7\nno_new_privs: true", from: none, refused: "set groups 7 (caller has groups: none)"},
		{name: "another group", text: ids + "groups: [7]\nno_new_privs: true", from: none, refused: "set groups 7,1000 (caller has groups: none)"},
		{name: "a group of the caller", text: ids + "no_new_privs: true", from: with(func(c *cred.Cred) { c.Groups = []uint32{7} }), refused: "(caller has groups: 7)"},
		{name: "cap_setgid sets it", text: ids + "no_new_privs: true\niab: ''", from: with(func(c *cred.Cred) { c.Permitted, c.Effective = setgid, setgid }), groups: "1000"},
		{name: "cap_setgid denied and held", text: "iab: ^cap_setgid\n" + ids + "no_new_privs: true",
			from: with(func(c *cred.Cred) { c.Permitted, c.Effective, c.Inheritable, c.UserNS = setgid, setgid, setgid, denied }), refused: "(caller has groups: none): this user namespace denies setgroups(2)"},
		{name: "cap_setgid denied and inheritable", text: "iab: cap_setgid\n" + ids + "no_new_privs: true",
			from: with(func(c *cred.Cred) { c.Permitted, c.Effective, c.Inheritable, c.UserNS = setgid, setgid, setgid, denied }), refused: "this user namespace denies setgroups(2)"},
		{name: "cap_setgid denied and given up", text: "iab: ''\n" + ids + "no_new_privs: true",
			from: with(func(c *cred.Cred) { c.Permitted, c.Effective, c.UserNS = setgid, setgid, denied }), groups: "none"},
		{name: "unmapped", text: "uid: 1000\ngid: 1000\ngroups: [5, 3000, 4000]\niab: ''",
			from: with(func(c *cred.Cred) {
				c.Permitted, c.Effective, c.UserNS = setgid, setgid, denied
				c.UserNS.SetgroupsDenied = false
			}), refused: "set groups 5,1000,3000,4000 (caller has groups: none): this user namespace does not map gid 3000,4000"},
	} {
		plan, found := Compile(parse(t, c.text), c.from, OrdinaryTarget())
		switch {
		case c.refused != "":
			if plan != nil || !strings.Contains(found[0].Message, c.refused) {
				t.Errorf("%s: %+v, want %q", c.name, found, c.refused)
			}
		case plan == nil || FieldText(plan.AfterExec, "Groups") != c.groups:
			t.Errorf("%s: %+v, want groups %s", c.name, found, c.groups)
		}
	}
}

// TestDifferingUIDs compiles for a caller whose real and effective uid differ: it can have
// a plan where one without uid 0 has none, and a refusal names both uids.
func TestDifferingUIDs(t *testing.T) {
	from := cred.Root()
	from.UID = 1000
	from.NoNewPrivs = true
	plan, found := Compile(parse(t, "caps: cap_net_raw=ep"), from, OrdinaryTarget())
	if plan == nil || plan.AfterExec.UID != 1000 || plan.AfterExec.Effective != raw || plan.AfterExec.Inheritable != 0 {
		t.Errorf("cap_net_raw=ep: %v", found)
	}
	const want = "caps cap_net_raw=p is not reachable for real uid 1000 with effective uid 0 without file capabilities: "
	if plan, found := Compile(parse(t, "caps: cap_net_raw=p"), from, OrdinaryTarget()); plan != nil || !strings.HasPrefix(found[0].Message, want) {
		t.Errorf("cap_net_raw=p: %v", found)
	}
}

// TestAmbientLostWithoutBits: before Linux 6.17, exec empties the ambient set of a process
// whose effective uid is not its real one, and the file is not the reason.
func TestAmbientLostWithoutBits(t *testing.T) {
	caller := withCaps(raw)
	caller.UID = 0
	old := target(cred.File{Setuid: true, NoSuid: true})
	old.KernelRules = cred.Linux(6, 12)
	plan, diagnostics := Compile(parse(t, "iab: ^cap_net_raw\nno_new_privs: true"), caller, old)
	if plan != nil || len(diagnostics) != 1 {
		t.Fatalf("%v, %v", plan, diagnostics)
	}
	d := diagnostics[0]
	if d.Rule != rules[ruleAmbientLost].Name || !strings.Contains(d.Message, "before Linux 6.17") || strings.Contains(d.Message, "set-user-ID") || !strings.Contains(d.Hint, "add uid and gid") {
		t.Errorf("%s: %s; %s", d.Rule, d.Message, d.Hint)
	}
}
