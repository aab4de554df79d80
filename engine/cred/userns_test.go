package cred_test

import (
	"testing"

	"caprun/engine/cred"
)

func TestNewUserNamespace(t *testing.T) {
	into := func(ns cred.UserNS) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.NewUserNamespace(ns) }
	}
	maps := cred.UserNS{
		UIDs: []cred.Extent{{Inside: 5, Outside: 2000, Count: 2}, {Inside: 0, Outside: 1000, Count: 2}},
		GIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}},
	}
	nested := maps
	nested.Nested = true

	from := user()
	from.SUID, from.FSUID = 2001, 1002
	from.FSGID = 1001
	from.Groups = []uint32{7, 1000}
	from.Inheritable, from.Permitted, from.Ambient = 7, 7, 7
	from.Bounding = 3
	from.Securebits = 0xfff
	from.NoNewPrivs, from.SharedFS, from.Traced = true, true, true

	all := cred.FirstCaps(41)
	inside := cred.Cred{
		UID: 0, EUID: 0, SUID: 6, FSUID: cred.OverflowID,
		GID: 0, EGID: 0, SGID: 0, FSGID: cred.OverflowID,
		Groups:    []uint32{0, cred.OverflowID},
		Permitted: all, Effective: all, Bounding: all, All: all,
		NoNewPrivs: true, Traced: true,
		UserNS: nested,
	}
	blank := inside
	blank.UserNS, blank.TracerUID = cred.UserNS{Nested: true}, no
	blank.UID, blank.EUID, blank.SUID = cred.OverflowID, cred.OverflowID, cred.OverflowID
	blank.GID, blank.EGID, blank.SGID = cred.OverflowID, cred.OverflowID, cred.OverflowID
	blank.Groups = []uint32{cred.OverflowID, cred.OverflowID}

	// Two of the IDs are unmapped, and OverflowID is mapped.
	wide := cred.UserNS{
		UIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 1, Outside: 100000, Count: 65535}},
		GIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 1, Outside: 100000, Count: 65535}},
	}
	among := edit(inside, func(c *cred.Cred) {
		c.UserNS = wide
		c.UserNS.Nested = true
		c.SUID, c.FSUID, c.FSGID = no, no, no
		c.Groups = []uint32{0, no}
	})

	// Whether the tracer created the namespace that the task is in.
	by := func(euid uint32) cred.Cred {
		return edit(from, func(c *cred.Cred) { c.TracerUID = euid })
	}
	safe := edit(inside, func(c *cred.Cred) { c.Traced, c.TracerUID = false, 0 })
	nobodys := edit(inside, func(c *cred.Cred) { c.TracerUID = no })
	deeper := edit(nobodys, func(c *cred.Cred) { c.UserNS = nested })
	again := cred.UserNS{UIDs: []cred.Extent{{Inside: 0, Outside: 0, Count: 7}}, GIDs: []cred.Extent{{Inside: 0, Outside: 0, Count: 1}}}
	deeper.UserNS = again
	deeper.UserNS.Nested = true

	check(t, []transition{
		{name: "with maps", from: from, do: into(maps), want: nobodys},
		{name: "among unmapped ids", from: by(1000), do: into(wide), want: edit(among, func(c *cred.Cred) { c.Traced = false })},
		{name: "without a uid where the overflow id is mapped", from: edit(among, func(c *cred.Cred) { c.EUID = no }), do: into(maps), errno: cred.EPERM},
		{name: "traced by its user", from: by(1000), do: into(maps), want: safe},
		{name: "traced by another user", from: by(1001), do: into(maps), want: nobodys},
		{name: "traced from another namespace", from: nobodys, do: into(again), want: deeper},
		{name: "without maps", from: from, do: into(cred.UserNS{}), want: blank},
		{name: "after chroot", from: edit(from, func(c *cred.Cred) { c.Chrooted = true }), do: into(maps), errno: cred.EPERM},
		{name: "without a uid", from: edit(inside, func(c *cred.Cred) { c.EUID = cred.OverflowID }), do: into(maps), errno: cred.EPERM},
		{name: "without a gid", from: edit(inside, func(c *cred.Cred) { c.EGID = cred.OverflowID }), do: into(maps), errno: cred.EPERM},
	})
}

// TestUnmappedIDs checks which IDs exist in a user namespace.
func TestUnmappedIDs(t *testing.T) {
	ns := cred.UserNS{
		Nested: true,
		UIDs:   []cred.Extent{{Inside: 1, Outside: 9, Count: 2}, {Inside: 4294967290, Outside: 20, Count: 5}},
		GIDs:   []cred.Extent{{Inside: 0, Outside: 9, Count: 1}},
	}
	c := edit(cred.Root(), func(c *cred.Cred) {
		c.UserNS = ns
		c.UID, c.EUID, c.SUID, c.FSUID = 1, 1, 1, 1
	})
	for u, mapped := range map[uint32]bool{0: false, 1: true, 2: true, 3: false, 9: false, 4294967290: true, 4294967294: true, no: false} {
		want := cred.EINVAL
		if mapped {
			want = 0
		}
		if _, errno := c.Setuid(u); errno != want {
			t.Errorf("setuid(%d): %v", u, errno)
		}
		// -1 means "as it is" here.
		if u == no {
			want = 0
		}
		for name, call := range map[string]func() (cred.Cred, cred.Errno){
			"setreuid, real":       func() (cred.Cred, cred.Errno) { return c.Setreuid(u, no) },
			"setreuid, effective":  func() (cred.Cred, cred.Errno) { return c.Setreuid(no, u) },
			"setresuid, real":      func() (cred.Cred, cred.Errno) { return c.Setresuid(u, no, no) },
			"setresuid, effective": func() (cred.Cred, cred.Errno) { return c.Setresuid(no, u, no) },
			"setresuid, saved":     func() (cred.Cred, cred.Errno) { return c.Setresuid(no, no, u) },
		} {
			if _, errno := call(); errno != want {
				t.Errorf("%s %d: %v, want %v", name, u, errno, want)
			}
		}
		if got := c.Setfsuid(u).FSUID; mapped != (got == u) {
			t.Errorf("setfsuid(%d) sets %d", u, got)
		}
	}
	bare := edit(c, func(c *cred.Cred) { c.Effective = 0 })
	if _, errno := bare.Setresuid(0, no, no); errno != cred.EINVAL {
		t.Errorf("unmapped and unprivileged: %v, want EINVAL", errno)
	}

	gid := func(do func(cred.Cred) (cred.Cred, cred.Errno), name string) {
		if _, errno := do(c); errno != cred.EINVAL {
			t.Errorf("%s: %v, want EINVAL", name, errno)
		}
	}
	gid(func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setgid(1) }, "setgid")
	gid(func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setregid(no, 1) }, "setregid")
	gid(func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setresgid(no, no, 1) }, "setresgid")
	gid(func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Setgroups([]uint32{0, 1}) }, "setgroups")
	if got := c.Setfsgid(1).FSGID; got != 0 {
		t.Errorf("setfsgid to an unmapped gid sets %d", got)
	}

	for name, ns := range map[string]cred.UserNS{
		"denied":     {Nested: true, GIDs: ns.GIDs, SetgroupsDenied: true},
		"no gid map": {Nested: true},
	} {
		c.UserNS = ns
		if _, errno := c.Setgroups(nil); errno != cred.EPERM {
			t.Errorf("setgroups, %s: %v, want EPERM", name, errno)
		}
	}
}

// TestNoRootUser checks that without a map for uid 0 no user is root, and no change of IDs
// changes a set.
func TestNoRootUser(t *testing.T) {
	c := edit(cred.Root(), func(c *cred.Cred) {
		c.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 1, Outside: 1, Count: 9}}}
		// An ID of 0 cannot show here. If it does, it is not root's.
		c.UID, c.EUID, c.SUID, c.FSUID = 0, 0, 0, 0
	})
	after, errno := c.Setuid(1)
	if errno != 0 || after.Effective != c.Effective || after.Permitted != c.Permitted {
		t.Errorf("setuid: %v, effective %v", errno, after.Effective)
	}
	after, _, errno = c.Exec(cred.File{}, cred.Latest())
	if errno != 0 || after.Permitted != 0 {
		t.Errorf("exec: %v, permitted %v", errno, after.Permitted)
	}
}

// TestRootOfNamespace checks that uid 0 is root in a user namespace that maps it.
func TestRootOfNamespace(t *testing.T) {
	c := edit(cred.Root(), func(c *cred.Cred) {
		c.UserNS = cred.UserNS{Nested: true, UIDs: []cred.Extent{{Inside: 0, Outside: 1000, Count: 2}}}
	})
	after, errno := c.Setuid(1)
	if errno != 0 || after.Effective != 0 || after.Permitted != 0 {
		t.Errorf("setuid: %v, effective %v, permitted %v", errno, after.Effective, after.Permitted)
	}
	after, _, errno = edit(c, func(c *cred.Cred) { c.Permitted, c.Effective = 0, 0 }).Exec(cred.File{}, cred.Latest())
	if errno != 0 || after.Effective != c.Effective {
		t.Errorf("exec: %v, effective %v", errno, after.Effective)
	}
}

func TestChroot(t *testing.T) {
	do := func(c cred.Cred) (cred.Cred, cred.Errno) { return c.Chroot() }
	jailed := edit(cred.Root(), func(c *cred.Cred) { c.Chrooted = true })
	check(t, []transition{
		{name: "once", from: cred.Root(), do: do, want: jailed},
		{name: "twice", from: jailed, do: do, want: jailed},
		{name: "without SYS_CHROOT", from: edit(cred.Root(), func(c *cred.Cred) { c.Effective = c.Effective.Without(cred.SYS_CHROOT) }), do: do, errno: cred.EPERM},
	})
}
