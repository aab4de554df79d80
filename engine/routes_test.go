package engine

import (
	"testing"

	"caprun/engine/cred"
)

// TestRareRoutes has a case for each route other than the plain ambient, root and file
// routes. TestEveryRoute finds these too, in a large sample.
func TestRareRoutes(t *testing.T) {
	mixed := func(uid, euid uint32) cred.Cred {
		c := cred.Root()
		c.UID, c.EUID, c.SUID, c.FSUID = uid, euid, euid, euid
		return c
	}
	without := func(c cred.Cred, lost cred.Caps) cred.Cred {
		c.Permitted, c.Effective = c.Permitted.Minus(lost), c.Permitted.Minus(lost)
		return c
	}
	locked := withCaps(1<<cred.SETUID | raw)
	locked.Bounding, locked.Securebits = raw, cred.SecKeepCapsLocked
	user := withCaps(cred.FirstCaps(41))
	cases := []struct {
		name, text string
		from       cred.Cred
		file       cred.File
		route      Route
	}{
		{name: "real uid 0 only: part of it effective", text: "caps: cap_net_raw=eip cap_kill+p", from: mixed(0, 1000), route: RouteRoot},
		{name: "real uid 0 only: nothing effective", text: "caps: cap_kill=p", from: mixed(0, 1000), route: RouteRoot},
		{name: "uid 0 under no_new_privs inherits without being permitted", text: "uid: 0\ngid: 0\ncaps: cap_net_raw=ep cap_kill+i\nno_new_privs: true", from: cred.Root(), route: RouteRoot},
		{name: "a set-user-ID-root target", text: "caps: cap_net_raw=ep", from: user, file: cred.File{Setuid: true}, route: RouteRoot},
		{name: "a file that may not give what is inherited", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=i", from: cred.Root(),
			file: cred.File{HasCaps: true, Permitted: raw}, route: RouteFile},
		{name: "a file that insists on what no_new_privs withholds", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=i\nno_new_privs: true", from: cred.Root(),
			file: cred.File{HasCaps: true, Permitted: raw, Effective: true}, route: RouteFile},
		{name: "an ambient set that the file empties", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=ep cap_kill+i\niab: ^cap_kill", from: cred.Root(),
			file: cred.File{HasCaps: true, Permitted: raw, Effective: true}, route: RouteNone},
		{name: "inheritable after the uid, without being permitted", text: "uid: 33\ngid: 33\ncaps: cap_net_raw=i", from: without(cred.Root(), raw), route: RouteAmbient},
		{name: "a change of uid under a locked keep_caps", text: "uid: 33\ngid: 1000\ngroups: [1000]\ncaps: cap_net_raw=eip", from: locked, route: RouteAmbient},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, c.text)
			plan, diagnostics := Compile(p, c.from, target(c.file))
			if plan == nil {
				t.Fatal(diagnostics)
			}
			if plan.Route != c.route {
				t.Errorf("route %v, want %v", plan.Route, c.route)
			}
			a := plan.AfterExec
			if got := (declaredCaps{a.Effective, a.Permitted, a.Inheritable}); got != readText(p.Caps.Text) {
				t.Errorf("the target starts with %s, not with %s", got.text(), p.Caps.Text)
			}
		})
	}
}
