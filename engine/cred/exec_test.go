package cred_test

import (
	"testing"

	"caprun/engine/cred"
)

// An execution is exec of a file in a state. want is the state after it, and result what
// the case is about.
type execution struct {
	name   string
	from   cred.Cred
	file   cred.File
	rules  cred.Rules
	errno  cred.Errno
	want   cred.Cred
	result cred.ExecResult
}

func checkExec(t *testing.T, cases []execution) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			got, result, errno := tt.from.Exec(tt.file, tt.rules)
			if errno != tt.errno {
				t.Fatalf("got %v, want %v", errno, tt.errno)
			}
			want := tt.want
			if errno != 0 {
				want = tt.from
			}
			if d := got.Diff(want); d != nil {
				t.Errorf("%v differ:\ngot  %+v\nwant %+v", d, got, want)
			}
			if result != tt.result {
				t.Errorf("result:\ngot  %+v\nwant %+v", result, tt.result)
			}
		})
	}
}

const (
	bindCap = cred.Caps(1 << netBind) // 0x400
	rawCap  = cred.Caps(1 << netRaw)  // 0x2000
)

// withSets returns c with these sets.
func withSets(c cred.Cred, e, p, i, a cred.Caps) cred.Cred {
	c.Effective, c.Permitted, c.Inheritable, c.Ambient = e, p, i, a
	return c
}

// uids returns c with these real and effective IDs.
func uids(c cred.Cred, real, effective uint32) cred.Cred {
	c.UID, c.EUID, c.SUID, c.FSUID = real, effective, effective, effective
	return c
}

func nnp(c cred.Cred) cred.Cred { return c.SetNoNewPrivs() }

func bounded(c cred.Cred, b cred.Caps) cred.Cred {
	c.Bounding = b
	return c
}

func secured(c cred.Cred, s cred.Securebits) cred.Cred {
	c.Securebits = s
	return c
}

// TestExecOrdinaryFile has the table of the package documentation for a file without set-id
// bits and capabilities.
func TestExecOrdinaryFile(t *testing.T) {
	now := cred.Latest()
	all := cred.FirstCaps(41)
	root := cred.Root()
	gained := cred.ExecResult{RootGained: true}
	checkExec(t, []execution{
		{name: "user", from: user(), rules: now, want: user()},
		{name: "user with ambient", from: ambientUser(rawCap), rules: now, want: ambientUser(rawCap)},
		{name: "user loses what is not ambient", from: withSets(user(), rawCap|bindCap, rawCap|bindCap, rawCap|bindCap, rawCap), rules: now,
			want: withSets(user(), rawCap, rawCap, rawCap|bindCap, rawCap)},

		{name: "root", from: root, rules: now, want: root, result: gained},
		{name: "root who emptied its sets", from: withSets(root, 0, 0, 0, 0), rules: now, want: root, result: gained},
		{name: "root with less in the bounding set", from: bounded(withSets(root, 0, 0, rawCap, 0), bindCap), rules: now,
			want: bounded(withSets(root, bindCap|rawCap, bindCap|rawCap, rawCap, 0), bindCap), result: gained},
		{name: "effective root", from: withSets(uids(user(), 1000, 0), 0, 0, 0, 0), rules: now,
			want: withSets(uids(user(), 1000, 0), all, all, 0, 0), result: cred.ExecResult{RootGained: true, Secure: true}},
		{name: "real root", from: withSets(uids(user(), 0, 1000), 0, 0, 0, 0), rules: now,
			want: withSets(uids(user(), 0, 1000), 0, all, 0, 0), result: cred.ExecResult{RootGained: true, Secure: true}},
		{name: "real root with ambient", from: bounded(withSets(uids(user(), 0, 1000), rawCap, rawCap, rawCap, rawCap), bindCap), rules: now,
			want: bounded(withSets(uids(user(), 0, 1000), rawCap, rawCap|bindCap, rawCap, rawCap), bindCap), result: cred.ExecResult{RootGained: true, Secure: true}},
		{name: "saved root", from: edit(user(), func(c *cred.Cred) { c.SUID, c.FSUID = 0, 0 }), rules: now, want: user()},

		{name: "root under noroot", from: secured(root, cred.SecNoRoot), rules: now, want: secured(withSets(root, 0, 0, 0, 0), cred.SecNoRoot)},
		{name: "root under noroot with ambient", from: secured(withSets(root, all, all, rawCap, rawCap), cred.SecNoRoot), rules: now,
			want: secured(withSets(root, rawCap, rawCap, rawCap, rawCap), cred.SecNoRoot)},
		{name: "a lock without its bit", from: secured(withSets(root, 0, 0, 0, 0), cred.SecNoRootLocked), rules: now,
			want: secured(root, cred.SecNoRootLocked), result: gained},

		{name: "root, no_new_privs, empty", from: nnp(withSets(root, 0, 0, 0, 0)), rules: now, want: nnp(withSets(root, 0, 0, 0, 0)),
			result: cred.ExecResult{RootGained: true, Withheld: true}},
		{name: "root, no_new_privs, some permitted", from: nnp(withSets(root, 0, rawCap, 0, 0)), rules: now, want: nnp(withSets(root, rawCap, rawCap, 0, 0)),
			result: cred.ExecResult{RootGained: true, Withheld: true}},
		{name: "root, no_new_privs, nothing to gain", from: nnp(bounded(withSets(root, 0, rawCap|bindCap, 0, 0), rawCap)), rules: now,
			want: nnp(bounded(withSets(root, rawCap, rawCap, 0, 0), rawCap)), result: gained},
		{name: "effective root, no_new_privs", from: nnp(withSets(uids(user(), 1000, 0), 0, bindCap, 0, 0)), rules: now,
			want: nnp(withSets(user(), bindCap, bindCap, 0, 0)), result: cred.ExecResult{RootGained: true, Withheld: true, Secure: true}},
		{name: "keep-caps, although locked", from: secured(user(), 0x31), rules: now, want: secured(user(), 0x21)},
	})
}

func TestExecFileCapabilities(t *testing.T) {
	now := cred.Latest()
	caps := func(p, i cred.Caps, effective bool) cred.File {
		return cred.File{HasCaps: true, Permitted: p, Inheritable: i, Effective: effective}
	}
	noSuid := func(f cred.File) cred.File { f.NoSuid = true; return f }
	fileCaps := cred.ExecResult{FileCaps: true}
	secure := cred.ExecResult{FileCaps: true, Secure: true}
	root := cred.Root()
	checkExec(t, []execution{
		{name: "permitted and effective", from: user(), file: caps(rawCap, 0, true), rules: now, want: withSets(user(), rawCap, rawCap, 0, 0), result: secure},
		{name: "permitted", from: user(), file: caps(rawCap, 0, false), rules: now, want: withSets(user(), 0, rawCap, 0, 0), result: secure},
		{name: "inheritable on one side", from: withSets(user(), 0, 0, rawCap, 0), file: caps(0, bindCap, true), rules: now,
			want: withSets(user(), 0, 0, rawCap, 0), result: secure},
		{name: "inheritable on both", from: withSets(user(), 0, 0, rawCap, 0), file: caps(0, rawCap, true), rules: now,
			want: withSets(user(), rawCap, rawCap, rawCap, 0), result: secure},
		{name: "inheritable beyond the bounding set", from: bounded(withSets(user(), 0, 0, rawCap, 0), 0), file: caps(0, rawCap, true), rules: now,
			want: bounded(withSets(user(), rawCap, rawCap, rawCap, 0), 0), result: secure},
		{name: "bits that no kernel knows", from: user(), file: caps(rawCap|1<<41, 1<<63, true), rules: now, want: withSets(user(), rawCap, rawCap, 0, 0), result: secure},

		{name: "not in the bounding set, effective", from: bounded(root, bindCap), file: caps(rawCap|bindCap, 0, true), rules: now,
			errno: cred.EPERM, result: cred.ExecResult{Missing: rawCap}},
		{name: "not in the bounding set, but inherited", from: bounded(withSets(user(), 0, 0, rawCap, 0), 0), file: caps(rawCap, rawCap, true), rules: now,
			want: bounded(withSets(user(), rawCap, rawCap, rawCap, 0), 0), result: secure},
		{name: "not in the bounding set, not effective", from: bounded(root, bindCap), file: caps(rawCap, 0, false), rules: now,
			want: bounded(withSets(root, bindCap, bindCap, 0, 0), bindCap), result: cred.ExecResult{FileCaps: true, RootGained: true}},
		{name: "not in the bounding set, nosuid mount", from: bounded(user(), 0), file: noSuid(caps(rawCap, 0, true)), rules: now, want: bounded(user(), 0)},

		{name: "empty attribute takes ambient away", from: ambientUser(rawCap), file: caps(0, 0, false), rules: now,
			want: withSets(user(), 0, 0, rawCap, 0), result: fileCaps},
		{name: "nosuid mount keeps ambient", from: ambientUser(rawCap), file: noSuid(caps(bindCap, bindCap, true)), rules: now, want: ambientUser(rawCap)},
		{name: "under no_new_privs", from: nnp(ambientUser(rawCap)), file: caps(bindCap, 0, true), rules: now,
			want: nnp(withSets(user(), 0, 0, rawCap, 0)), result: cred.ExecResult{FileCaps: true, Secure: true, Withheld: true}},
		{name: "under no_new_privs, what is permitted", from: nnp(ambientUser(rawCap)), file: caps(rawCap|bindCap, 0, true), rules: now,
			want: nnp(withSets(user(), rawCap, rawCap, rawCap, 0)), result: cred.ExecResult{FileCaps: true, Secure: true, Withheld: true}},

		{name: "under noroot", from: secured(withSets(root, 0, 0, 0, 0), cred.SecNoRoot), file: caps(rawCap, 0, true), rules: now,
			want: secured(withSets(root, rawCap, rawCap, 0, 0), cred.SecNoRoot), result: fileCaps},
		{name: "for root", from: root, file: caps(rawCap, 0, false), rules: now, want: root, result: cred.ExecResult{FileCaps: true, RootGained: true}},
	})
}

func TestExecSetID(t *testing.T) {
	now, old := cred.Latest(), cred.Linux(6, 16)
	all := cred.FirstCaps(41)
	setuid := func(u uint32) cred.File { return cred.File{Setuid: true, UID: u} }
	setgid := func(g uint32) cred.File { return cred.File{Setgid: true, GroupExec: true, GID: g} }
	egid := func(c cred.Cred, g uint32) cred.Cred { c.EGID, c.SGID, c.FSGID = g, g, g; return c }
	becameRoot := withSets(uids(user(), 1000, 0), all, all, 0, 0)
	rootResult := cred.ExecResult{RootGained: true, IDChanged: true, Secure: true}
	changed := cred.ExecResult{IDChanged: true, Secure: true}
	noAmbient := withSets(user(), 0, 0, rawCap, 0)
	nested := edit(ambientUser(rawCap), func(c *cred.Cred) {
		c.UserNS = cred.UserNS{
			Nested: true,
			UIDs:   []cred.Extent{{Inside: 0, Outside: 0, Count: 2000}},
			GIDs:   []cred.Extent{{Inside: 0, Outside: 0, Count: 2000}},
		}
	})
	other := func(f cred.File, c cred.Cred) execution { return execution{file: f, rules: now, from: c, want: c} }
	named := func(name string, e execution) execution { e.name = name; return e }

	checkExec(t, []execution{
		{name: "root's", from: user(), file: setuid(0), rules: now, want: becameRoot, result: rootResult},
		{name: "root's, under noroot", from: secured(user(), cred.SecNoRoot), file: setuid(0), rules: now,
			want: secured(uids(user(), 1000, 0), cred.SecNoRoot), result: changed},
		{name: "root's, with capabilities", from: user(), file: cred.File{Setuid: true, HasCaps: true, Permitted: rawCap, Effective: true}, rules: now,
			want: withSets(uids(user(), 1000, 0), rawCap, rawCap, 0, 0), result: cred.ExecResult{FileCaps: true, IDChanged: true, Secure: true}},
		{name: "root's, with an empty attribute", from: user(), file: cred.File{Setuid: true, HasCaps: true}, rules: now,
			want: uids(user(), 1000, 0), result: cred.ExecResult{FileCaps: true, IDChanged: true, Secure: true}},
		{name: "root's, with an empty attribute, by root", from: uids(cred.Root(), 0, 1000), file: cred.File{Setuid: true, HasCaps: true}, rules: now,
			want: cred.Root(), result: cred.ExecResult{FileCaps: true, RootGained: true, IDChanged: true, Secure: true}},
		{name: "another user's", from: ambientUser(rawCap), file: setuid(1001), rules: now, want: uids(noAmbient, 1000, 1001), result: changed},
		{name: "one's own", from: ambientUser(rawCap), file: setuid(1000), rules: now, want: ambientUser(rawCap)},
		named("under no_new_privs", other(setuid(0), nnp(ambientUser(rawCap)))),
		named("nosuid mount", other(cred.File{Setuid: true, NoSuid: true}, ambientUser(rawCap))),
		named("owner not mapped", other(cred.File{Setuid: true, UID: 2000}, nested)),
		named("group of the owner not mapped", other(cred.File{Setuid: true, GID: cred.NoID}, nested)),
		named("set-gid, owner not mapped", other(cred.File{Setgid: true, GroupExec: true, UID: cred.NoID}, nested)),

		{name: "set-gid", from: ambientUser(rawCap), file: setgid(5), rules: now, want: egid(noAmbient, 5), result: changed},
		named("set-gid without group execution", other(cred.File{Setgid: true, GID: 5}, ambientUser(rawCap))),
		{name: "set-gid to a supplementary group", from: edit(ambientUser(rawCap), func(c *cred.Cred) { c.Groups = []uint32{5, 1000} }), file: setgid(5), rules: now,
			want: edit(egid(ambientUser(rawCap), 5), func(c *cred.Cred) { c.Groups = []uint32{5, 1000} }), result: cred.ExecResult{Secure: true}},
		{name: "the same before 6.17", from: edit(ambientUser(rawCap), func(c *cred.Cred) { c.Groups = []uint32{5, 1000} }), file: setgid(5), rules: old,
			want: edit(egid(noAmbient, 5), func(c *cred.Cred) { c.Groups = []uint32{5, 1000} }), result: changed},

		{name: "fsgid outside the groups", from: edit(ambientUser(rawCap), func(c *cred.Cred) { c.FSGID, c.Groups = 5, nil }), rules: now,
			want: edit(noAmbient, func(c *cred.Cred) { c.Groups = nil }), result: changed},
		{name: "the same before 6.17", from: edit(ambientUser(rawCap), func(c *cred.Cred) { c.FSGID, c.Groups = 5, nil }), rules: old,
			want: edit(ambientUser(rawCap), func(c *cred.Cred) { c.Groups = nil })},
		{name: "effective gid of before", from: edit(egid(ambientUser(rawCap), 5), func(c *cred.Cred) { c.Groups = nil }), rules: now,
			want: edit(egid(ambientUser(rawCap), 5), func(c *cred.Cred) { c.Groups = nil }), result: cred.ExecResult{Secure: true}},
		{name: "effective gid of before, before 6.17", from: edit(egid(ambientUser(rawCap), 5), func(c *cred.Cred) { c.Groups = nil }), rules: old,
			want: edit(egid(noAmbient, 5), func(c *cred.Cred) { c.Groups = nil }), result: changed},
		{name: "effective uid of before", from: uids(ambientUser(rawCap), 1000, 1001), rules: now,
			want: uids(ambientUser(rawCap), 1000, 1001), result: cred.ExecResult{Secure: true}},
		{name: "effective uid of before, before 6.17", from: uids(ambientUser(rawCap), 1000, 1001), rules: old,
			want: uids(noAmbient, 1000, 1001), result: changed},
		{name: "back to the real ids, before 6.17", from: uids(ambientUser(rawCap), 1000, 1001), file: setuid(1000), rules: old,
			want: ambientUser(rawCap)},
		{name: "back to the real ids", from: uids(ambientUser(rawCap), 1000, 1001), file: setuid(1000), rules: now,
			want: noAmbient, result: changed},
	})
}

// TestExecUnsafe has cases in which exec is unsafe.
func TestExecUnsafe(t *testing.T) {
	now, old := cred.Latest(), cred.Linux(6, 16)
	all := cred.FirstCaps(41)
	setuidRoot := cred.File{Setuid: true}
	shared := func(c cred.Cred) cred.Cred { c.SharedFS = true; return c }
	traced := func(c cred.Cred) cred.Cred { c.Traced = true; return c }
	able := withSets(user(), setuidCap, setuidCap, 0, 0)
	full := withSets(uids(user(), 1000, 0), all, all, 0, 0)
	withheld := cred.ExecResult{RootGained: true, IDChanged: true, Secure: true, Withheld: true}
	checkExec(t, []execution{
		{name: "shared, set-uid root", from: shared(user()), file: setuidRoot, rules: now, want: shared(user()), result: withheld},
		{name: "shared, set-uid root, with SETUID", from: shared(able), file: setuidRoot, rules: now,
			want: shared(withSets(uids(user(), 1000, 0), setuidCap, setuidCap, 0, 0)), result: withheld},
		{name: "traced, set-uid root", from: traced(user()), file: setuidRoot, rules: now, want: traced(user()), result: withheld},
		{name: "traced, set-gid", from: traced(user()), file: cred.File{Setgid: true, GroupExec: true, GID: 5}, rules: now, want: traced(user()),
			result: cred.ExecResult{IDChanged: true, Secure: true, Withheld: true}},
		{name: "traced, nothing to gain", from: traced(ambientUser(rawCap)), rules: now, want: traced(ambientUser(rawCap))},
		{name: "traced, capabilities", from: traced(user()), file: cred.File{HasCaps: true, Permitted: rawCap, Effective: true}, rules: now,
			want: traced(user()), result: cred.ExecResult{FileCaps: true, Secure: true, Withheld: true}},

		{name: "no_new_privs, SETUID does not help", from: nnp(uids(withSets(user(), setuidCap, setuidCap, 0, 0), 1000, 0)), rules: now,
			want: nnp(withSets(user(), setuidCap, setuidCap, 0, 0)), result: cred.ExecResult{RootGained: true, Secure: true, Withheld: true}},
		{name: "no_new_privs, effective root, full", from: nnp(full), rules: now, want: nnp(full),
			result: cred.ExecResult{RootGained: true, Secure: true}},
		{name: "the same before 6.17", from: nnp(full), rules: old, want: nnp(withSets(user(), all, all, 0, 0)), result: withheld},
		{name: "the real gid comes back, too", from: nnp(edit(uids(withSets(user(), 0, 0, 0, 0), 1000, 0), func(c *cred.Cred) { c.EGID, c.SGID, c.FSGID = 5, 5, 5 })), rules: now,
			want: nnp(user()), result: cred.ExecResult{RootGained: true, Secure: true, Withheld: true}},
	})
}
