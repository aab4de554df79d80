package classify

import (
	"slices"
	"testing"

	"caprun/learn/observe"
)

func TestPrograms(t *testing.T) {
	exec := func(path string, p observe.Tristate) observe.Exec { return observe.Exec{Path: path, Privileged: p} }
	for _, test := range []struct {
		what      string
		recording *observe.Recording
		want      observe.Tristate
		paths     []string
	}{
		{"without tracing", nil, observe.Unknown, nil},
		{"no program", &observe.Recording{}, observe.Unknown, nil},
		{"ordinary programs", &observe.Recording{Execs: []observe.Exec{exec("/bin/sh", observe.No), exec("/bin/ls", observe.No)}}, observe.No, nil},
		{"an unreadable program", &observe.Recording{Execs: []observe.Exec{exec("/bin/sh", observe.No), exec("/x", observe.Unknown)}}, observe.Unknown, nil},
		{"lost events", &observe.Recording{Lost: 1, Execs: []observe.Exec{exec("/bin/sh", observe.No)}}, observe.Unknown, nil},
		{"the end of the observation", &observe.Recording{Execs: []observe.Exec{{Path: "/x", Privileged: observe.No, Unobserved: true}}}, observe.Unknown, nil},
		{"ping and su", &observe.Recording{Lost: 1, Execs: []observe.Exec{exec("/bin/sh", observe.Unknown), exec("/bin/ping", observe.Yes), exec("/bin/su", observe.Yes), exec("/bin/ping", observe.Yes)}}, observe.Yes, []string{"/bin/ping", "/bin/su"}},
	} {
		got := Programs(test.recording)
		if got.Privileged != test.want || !slices.Equal(got.Paths, test.paths) {
			t.Errorf("%s: %+v", test.what, got)
		}
	}
	many := &observe.Recording{}
	for n := range 20 {
		many.Execs = append(many.Execs, observe.Exec{Path: string(rune('a' + n)), Privileged: observe.Yes, Unobserved: true})
	}
	if got := Programs(many); len(got.Paths) != MaxPaths || len(got.Unobserved) != MaxPaths {
		t.Errorf("%+v", got)
	}
}

// TestMerge: two runs executed nothing privileged only if that is known of both.
func TestMerge(t *testing.T) {
	const yes, no, unknown = observe.Yes, observe.No, observe.Unknown
	for _, test := range [][3]observe.Tristate{
		{yes, no, yes}, {yes, unknown, yes}, {yes, yes, yes}, {no, no, no}, {no, unknown, unknown}, {unknown, unknown, unknown},
	} {
		a, b := Executed{Privileged: test[0], Paths: []string{"/a"}}, Executed{Privileged: test[1], Paths: []string{"/a", "/b"}, Unobserved: []string{""}}
		for _, got := range []Executed{a.Merge(b), b.Merge(a)} {
			if got.Privileged != test[2] || !slices.Equal(got.Paths, []string{"/a", "/b"}) || len(got.Unobserved) != 1 {
				t.Errorf("%v and %v: %+v", test[0], test[1], got)
			}
		}
	}
}

func TestIdentities(t *testing.T) {
	setuid := func(pid int, uid int64) observe.IDChange {
		return observe.IDChange{PID: pid, Command: "w", UID: uid, GID: -1}
	}
	setgid := func(pid int, gid int64) observe.IDChange {
		return observe.IDChange{PID: pid, Command: "w", UID: -1, GID: gid}
	}
	setgroups := func(pid int, groups ...uint32) observe.IDChange {
		return observe.IDChange{PID: pid, Command: "w", UID: -1, GID: -1, Groups: groups, GroupsKnown: true}
	}
	// Two workers of nginx, and a process that changes its uid only temporarily.
	list := Identities(&observe.Recording{IDChanges: []observe.IDChange{
		setgid(2, 33), setgroups(2, 33), setuid(2, 33),
		setgid(3, 33), setgroups(3, 33), setuid(3, 33),
		setuid(4, 65534), setuid(4, 0),
		setgid(5, 7),
	}})
	if len(list) != 1 || list[0].UID != 33 || list[0].GID != 33 || list[0].Processes != 2 || !slices.Equal(list[0].Groups, []uint32{33}) {
		t.Errorf("%+v", list)
	}
	if id, ok := OnlyIdentity(list); !ok || id.UID != 33 {
		t.Errorf("%+v %v", id, ok)
	}
	// sshd: a user for the unprivileged child, and the one that logs in.
	list = Identities(&observe.Recording{IDChanges: []observe.IDChange{setuid(2, 101), setgid(3, 1000), setuid(3, 1000)}})
	if len(list) != 2 || list[0].GIDKnown || list[0].GroupsKnown {
		t.Errorf("%+v", list)
	}
	if id, ok := OnlyIdentity(list); ok {
		t.Errorf("%+v", id)
	}
	// What /proc showed afterwards is complete.
	after := setuid(2, 33)
	after.After, after.Settled = &observe.IDs{UID: 33, GID: 34, Groups: []uint32{5, 4}}, true
	list = Identities(&observe.Recording{IDChanges: []observe.IDChange{after}})
	if id, ok := OnlyIdentity(list); !ok || id.GID != 34 || !slices.Equal(id.Groups, []uint32{4, 5}) {
		t.Errorf("%+v", list)
	}
	var many []observe.IDChange
	for n := range 100 {
		many = append(many, setuid(n, int64(n+1)))
	}
	if list := Identities(&observe.Recording{IDChanges: many}); len(list) != MaxIdentities {
		t.Errorf("%d identities", len(list))
	}
	if _, ok := OnlyIdentity(nil); ok || Identities(nil) != nil {
		t.Error("no recording has an identity")
	}
}
