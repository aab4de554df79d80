package engine

import (
	"slices"
	"testing"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

func TestEnviron(t *testing.T) {
	caller := []string{"PATH=/bin", "HOME=/root", "USER=root", "LD_PRELOAD=/x.so", "TMPDIR=/x", "LANG=C", "broken", "=x", "PATH=/second", "EMPTY="}
	www := &machine.User{Name: "www", UID: 33, GID: 33, Home: "/srv"}
	cases := []struct {
		name, text string
		from       cred.Cred
		user       *machine.User
		want       []string
	}{
		{"nothing changes", "no_new_privs: true\nenv: {keep: all}", withNoNewPrivs(withCaps(0)), nil,
			[]string{"PATH=/bin", "HOME=/root", "USER=root", "LD_PRELOAD=/x.so", "TMPDIR=/x", "LANG=C", "EMPTY="}},
		{"root gives capabilities up", "caps: \"=\"\niab: \"\"\nno_new_privs: true", cred.Root(), nil,
			[]string{"PATH=/bin", "HOME=/root", "USER=root", "LD_PRELOAD=/x.so", "TMPDIR=/x", "LANG=C", "EMPTY="}},
		{"root under noroot with a capability", "caps: cap_kill=eip\nsecbits: [noroot]", cred.Root(), nil,
			[]string{"PATH=/bin", "HOME=/root", "USER=root", "LANG=C", "EMPTY="}},
		{"a user with an entry", "user: www", cred.Root(), www,
			[]string{"PATH=/bin", "LANG=C", "EMPTY=", "HOME=/srv", "USER=www", "LOGNAME=www"}},
		{"ids without an entry", "uid: 33\ngid: 33", cred.Root(), nil,
			[]string{"PATH=/bin", "LANG=C", "EMPTY=", "HOME=/"}},
		{"the same user", "uid: 1000\ngid: 1000", withCaps(0), nil,
			[]string{"PATH=/bin", "HOME=/root", "USER=root", "LD_PRELOAD=/x.so", "TMPDIR=/x", "LANG=C", "EMPTY="}},
		{"keep a list", "uid: 33\ngid: 33\nenv: {keep: [PATH, HOME, NONE]}", cred.Root(), nil,
			[]string{"PATH=/bin", "HOME=/root"}},
		{"keep nothing", "uid: 33\ngid: 33\nenv: {keep: [], unset: [HOME]}", cred.Root(), nil, nil},
		{"set and unset", "uid: 33\ngid: 33\nenv: {set: {LANG: de, B: b, A: a, USER: me, LD_PRELOAD: /mine}, unset: [PATH, EMPTY]}", cred.Root(), nil,
			[]string{"HOME=/", "A=a", "B=b", "LANG=de", "LD_PRELOAD=/mine", "USER=me"}},
	}
	for _, c := range cases {
		tgt := target(cred.File{})
		tgt.Accounts = &machine.Accounts{User: c.user}
		plan, diagnostics := Compile(parse(t, c.text), c.from, tgt)
		if plan == nil {
			t.Fatal(c.name, diagnostics)
		}
		if got := plan.Environ(caller); got == nil || !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func withNoNewPrivs(c cred.Cred) cred.Cred {
	c.NoNewPrivs = true
	return c
}
