package cred_test

import (
	"fmt"
	"slices"
	"testing"

	"caprun/engine/cred"
)

const (
	no        = cred.NoID
	setuidCap = cred.Caps(1 << cred.SETUID)
	setgidCap = cred.Caps(1 << cred.SETGID)
)

// TestIDs checks the rules that users and groups share. The IDs are the real, effective,
// saved and file system ID; nil means EPERM.
func TestIDs(t *testing.T) {
	type four = [4]uint32
	is := func(r, e, s, f uint32) *four { return &four{r, e, s, f} }
	for _, tt := range []struct {
		call string
		args []uint32
		from four
		able *four // with the capability
		bare *four // without
	}{
		{"setuid", []uint32{9}, four{1, 2, 3, 4}, is(9, 9, 9, 9), nil},
		{"setuid", []uint32{1}, four{1, 2, 3, 4}, is(1, 1, 1, 1), is(1, 1, 3, 1)},
		{"setuid", []uint32{3}, four{1, 2, 3, 4}, is(3, 3, 3, 3), is(1, 3, 3, 3)},
		{"setuid", []uint32{2}, four{1, 2, 3, 4}, is(2, 2, 2, 2), nil},
		{"setuid", []uint32{4}, four{1, 2, 3, 4}, is(4, 4, 4, 4), nil},

		{"setreuid", []uint32{no, no}, four{1, 2, 3, 4}, is(1, 2, 3, 2), is(1, 2, 3, 2)},
		{"setreuid", []uint32{2, no}, four{1, 2, 3, 4}, is(2, 2, 2, 2), is(2, 2, 2, 2)},
		{"setreuid", []uint32{3, no}, four{1, 2, 3, 4}, is(3, 2, 2, 2), nil},
		{"setreuid", []uint32{2, 1}, four{1, 2, 3, 4}, is(2, 1, 1, 1), is(2, 1, 1, 1)},
		{"setreuid", []uint32{no, 3}, four{1, 2, 3, 4}, is(1, 3, 3, 3), is(1, 3, 3, 3)},
		{"setreuid", []uint32{no, 1}, four{1, 2, 3, 4}, is(1, 1, 3, 1), is(1, 1, 3, 1)},
		{"setreuid", []uint32{no, 2}, four{1, 2, 3, 4}, is(1, 2, 2, 2), is(1, 2, 2, 2)},
		{"setreuid", []uint32{no, 4}, four{1, 2, 3, 4}, is(1, 4, 4, 4), nil},

		{"setresuid", []uint32{no, no, no}, four{1, 2, 3, 4}, is(1, 2, 3, 4), is(1, 2, 3, 4)},
		{"setresuid", []uint32{1, no, 3}, four{1, 2, 3, 4}, is(1, 2, 3, 4), is(1, 2, 3, 4)},
		{"setresuid", []uint32{1, 2, 3}, four{1, 2, 3, 4}, is(1, 2, 3, 2), is(1, 2, 3, 2)},
		{"setresuid", []uint32{2, no, no}, four{1, 2, 3, 4}, is(2, 2, 3, 2), is(2, 2, 3, 2)},
		{"setresuid", []uint32{3, 1, 2}, four{1, 2, 3, 4}, is(3, 1, 2, 1), is(3, 1, 2, 1)},
		{"setresuid", []uint32{no, no, 1}, four{1, 2, 3, 4}, is(1, 2, 1, 2), is(1, 2, 1, 2)},
		{"setresuid", []uint32{4, no, no}, four{1, 2, 3, 4}, is(4, 2, 3, 2), nil},
		{"setresuid", []uint32{no, 4, no}, four{1, 2, 3, 4}, is(1, 4, 3, 4), nil},
		{"setresuid", []uint32{no, no, 4}, four{1, 2, 3, 4}, is(1, 2, 4, 2), nil},

		{"setfsuid", []uint32{1}, four{1, 2, 3, 4}, is(1, 2, 3, 1), is(1, 2, 3, 1)},
		{"setfsuid", []uint32{2}, four{1, 2, 3, 4}, is(1, 2, 3, 2), is(1, 2, 3, 2)},
		{"setfsuid", []uint32{3}, four{1, 2, 3, 4}, is(1, 2, 3, 3), is(1, 2, 3, 3)},
		{"setfsuid", []uint32{4}, four{1, 2, 3, 4}, is(1, 2, 3, 4), is(1, 2, 3, 4)},
		{"setfsuid", []uint32{9}, four{1, 2, 3, 4}, is(1, 2, 3, 9), is(1, 2, 3, 4)},
		{"setfsuid", []uint32{no}, four{1, 2, 3, 4}, is(1, 2, 3, 4), is(1, 2, 3, 4)},
	} {
		for _, able := range []bool{true, false} {
			want := tt.bare
			if able {
				want = tt.able
			}
			name := fmt.Sprintf("%s%v able %v", tt.call, tt.args, able)

			c := cred.Cred{UID: tt.from[0], EUID: tt.from[1], SUID: tt.from[2], FSUID: tt.from[3], Effective: setgidCap}
			if able {
				c.Effective = setuidCap
			}
			after, errno := userCall(c, tt.call, tt.args)
			verdict(t, name, errno, four{after.UID, after.EUID, after.SUID, after.FSUID}, tt.from, want)
			if after.Effective != c.Effective {
				t.Errorf("%s: effective capabilities became %v", name, after.Effective)
			}

			c = cred.Cred{GID: tt.from[0], EGID: tt.from[1], SGID: tt.from[2], FSGID: tt.from[3], Effective: setuidCap}
			if able {
				c.Effective = setgidCap
			}
			after, errno = groupCall(c, tt.call, tt.args)
			verdict(t, name+", groups", errno, four{after.GID, after.EGID, after.SGID, after.FSGID}, tt.from, want)
		}
	}
}

func verdict(t *testing.T, name string, errno cred.Errno, got, from [4]uint32, want *[4]uint32) {
	t.Helper()
	switch {
	case want == nil && (errno != cred.EPERM || got != from):
		t.Errorf("%s: %v and %v, want EPERM", name, errno, got)
	case want != nil && (errno != 0 || got != *want):
		t.Errorf("%s: %v and %v, want %v", name, errno, got, *want)
	}
}

func userCall(c cred.Cred, call string, a []uint32) (cred.Cred, cred.Errno) {
	switch call {
	case "setuid":
		return c.Setuid(a[0])
	case "setreuid":
		return c.Setreuid(a[0], a[1])
	case "setresuid":
		return c.Setresuid(a[0], a[1], a[2])
	}
	return c.Setfsuid(a[0]), 0
}

func groupCall(c cred.Cred, call string, a []uint32) (cred.Cred, cred.Errno) {
	switch call {
	case "setuid":
		return c.Setgid(a[0])
	case "setreuid":
		return c.Setregid(a[0], a[1])
	case "setresuid":
		return c.Setresgid(a[0], a[1], a[2])
	}
	return c.Setfsgid(a[0]), 0
}

// TestSetuidCapabilities checks how a change of uids changes the sets.
func TestSetuidCapabilities(t *testing.T) {
	const held = setuidCap | 1<<netRaw
	from := func(r, e, s uint32, bits cred.Securebits) cred.Cred {
		return cred.Cred{
			UID: r, EUID: e, SUID: s, FSUID: e, Securebits: bits,
			Inheritable: held, Permitted: held | 1<<netBind, Effective: held, Bounding: held, Ambient: held,
		}
	}
	to := func(r, e, s uint32) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setresuid(r, e, s) }
	}
	sets := func(c cred.Cred, r, e, s uint32, P, E, A cred.Caps) cred.Cred {
		c.UID, c.EUID, c.SUID, c.FSUID = r, e, s, e
		c.Permitted, c.Effective, c.Ambient = P, E, A
		return c
	}
	const all = held | 1<<netBind
	root, keep, fixed := from(0, 0, 0, 0), from(0, 0, 0, cred.SecKeepCaps), from(0, 0, 0, cred.SecNoSetuidFixup)
	fsRoot := edit(from(1, 1, 1, 0), func(c *cred.Cred) { c.FSUID = 0 })
	check(t, []transition{
		{name: "all leave 0", from: root, do: to(1, 1, 1), want: sets(root, 1, 1, 1, 0, 0, 0)},
		{name: "all leave 0, keep", from: keep, do: to(1, 1, 1), want: sets(keep, 1, 1, 1, all, 0, 0)},
		{name: "all leave 0, no fix-up", from: fixed, do: to(1, 1, 1), want: sets(fixed, 1, 1, 1, all, held, held)},
		{name: "the saved one stays", from: root, do: to(1, 1, no), want: sets(root, 1, 1, 0, all, 0, held)},
		{name: "the real one stays", from: root, do: to(no, 1, 1), want: sets(root, 0, 1, 1, all, 0, held)},
		{name: "the effective one stays", from: root, do: to(1, no, 1), want: sets(root, 1, 0, 1, all, held, held)},
		{name: "only the saved one was 0", from: from(1, 1, 0, 0), do: to(no, no, 1), want: sets(from(1, 1, 0, 0), 1, 1, 1, 0, 0, 0)},
		{name: "only the file system one was 0", from: fsRoot, do: to(2, 2, 2), want: sets(fsRoot, 2, 2, 2, all, held, held)},
		{name: "only the real one was 0, keep", from: from(0, 1, 1, cred.SecKeepCaps), do: to(1, no, no),
			want: sets(from(0, 1, 1, cred.SecKeepCaps), 1, 1, 1, all, held, 0)},
		{name: "the effective one becomes 0", from: from(0, 1, 1, 0), do: to(no, 0, no), want: sets(from(0, 1, 1, 0), 0, 0, 1, all, all, held)},
		{name: "the effective one becomes 0, no fix-up", from: from(0, 1, 1, cred.SecNoSetuidFixup), do: to(no, 0, no),
			want: sets(from(0, 1, 1, cred.SecNoSetuidFixup), 0, 0, 1, all, held, held)},
		{name: "none was 0", from: from(1, 1, 1, 0), do: to(2, 2, 2), want: sets(from(1, 1, 1, 0), 2, 2, 2, all, held, held)},
		{name: "setuid", from: root, do: func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setuid(1) }, want: sets(root, 1, 1, 1, 0, 0, 0)},
		{name: "setreuid", from: root, do: func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setreuid(1, 1) }, want: sets(root, 1, 1, 1, 0, 0, 0)},
		{name: "root without effective capabilities", from: edit(root, func(c *cred.Cred) { c.Effective = 0 }), do: to(no, 1, no), errno: cred.EPERM},
	})
}

func TestSetfsuidCapabilities(t *testing.T) {
	const others = cred.Caps(1<<netRaw | 1<<cred.SETUID)
	to := func(u uint32) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setfsuid(u), 0 }
	}
	state := func(f uint32, p, e cred.Caps, bits cred.Securebits) cred.Cred {
		return cred.Cred{FSUID: f, Permitted: p, Effective: e, Ambient: others, Securebits: bits}
	}
	check(t, []transition{
		{name: "leaves 0", from: state(0, cred.FS|others, cred.FS|others, 0), do: to(1), want: state(1, cred.FS|others, others, 0)},
		{name: "becomes 0", from: state(1, 1<<cred.CHOWN|others, 1<<netRaw, 0), do: to(0), want: state(0, 1<<cred.CHOWN|others, 1<<netRaw|1<<cred.CHOWN, 0)},
		{name: "stays 0", from: state(0, cred.FS, 0, 0), do: to(0), want: state(0, cred.FS, 0, 0)},
		{name: "leaves 0, no fix-up", from: state(0, cred.FS|others, cred.FS|others, 4), do: to(1), want: state(1, cred.FS|others, cred.FS|others, 4)},
		{name: "becomes 0, no fix-up", from: state(1, cred.FS, 0, 4), do: to(0), want: state(0, cred.FS, 0, 4)},
		{name: "refused", from: state(0, cred.FS, cred.FS, 0), do: to(1), want: state(0, cred.FS, cred.FS, 0)},
	})
}

func TestSetgroups(t *testing.T) {
	given := []uint32{5, 3, 5}
	set := func(groups []uint32) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setgroups(groups) }
	}
	root := cred.Root()
	root.Groups = []uint32{1}
	groups := func(c cred.Cred, g ...uint32) cred.Cred { c.Groups = g; return c }
	check(t, []transition{
		{name: "sorted, with duplicates", from: root, do: set(given), want: groups(root, 3, 5, 5)},
		{name: "none", from: root, do: set(nil), want: groups(root)},
		{name: "as many as can be", from: root, do: set(make([]uint32, 65536)), want: groups(root, make([]uint32, 65536)...)},
		{name: "one more", from: root, do: set(make([]uint32, 65537)), errno: cred.EINVAL},
		{name: "not an id", from: root, do: set([]uint32{1, no}), errno: cred.EINVAL},
		{name: "without SETGID", from: user(), do: set(nil), errno: cred.EPERM},
		{name: "without SETGID, not an id", from: user(), do: set([]uint32{no}), errno: cred.EPERM},
	})
	if !slices.Equal(given, []uint32{5, 3, 5}) {
		t.Errorf("the argument became %v", given)
	}
	c, _ := root.Setgroups(given)
	given[0] = 9
	if !slices.Equal(c.Groups, []uint32{3, 5, 5}) {
		t.Errorf("the groups follow the argument: %v", c.Groups)
	}
}
