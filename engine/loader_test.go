package engine

import (
	"os"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
)

// TestLoaderVariablesAreRemoved checks that the launch removes loader variables if and only
// if the identity changes, or a target that is not root has a capability.
func TestLoaderVariablesAreRemoved(t *testing.T) {
	// A caller without cap_setpcap cannot drop from the bounding set.
	holding := func(caps cred.Caps) cred.Cred {
		c := withCaps(caps)
		c.Bounding = caps
		return c
	}
	user := holding(0)
	setid := user
	setid.SUID = 1001
	ambient := holding(cred.CapsOf(5))
	ambient.Bounding = 0
	groups := user
	groups.Groups = []uint32{4, 1000}
	unsorted := user
	unsorted.Groups = []uint32{1000, 4, 1000}
	cases := []struct {
		name, text string
		from       cred.Cred
		file       cred.File
		why        string // empty for: they remain
	}{
		{"an ordinary user", "caps: \"=\"\nno_new_privs: true", user, cred.File{}, ""},
		{"root with no_new_privs", "no_new_privs: true", cred.Root(), cred.File{}, ""},
		{"root with everything", "", cred.Root(), cred.File{}, ""},
		{"root with fewer capabilities", "caps: cap_kill=ep", cred.Root(), cred.File{}, ""},
		{"root without capabilities under noroot", "caps: \"=\"\nsecbits: [noroot]", cred.Root(), cred.File{}, ""},
		{"root with a capability under noroot", "caps: cap_kill=eip\nsecbits: [noroot]", cred.Root(), cred.File{}, "not root and has cap_kill"},
		{"the same ids", "uid: 1000\ngid: 1000", user, cred.File{}, ""},
		{"another uid", "uid: 1001\ngid: 1000", cred.Root(), cred.File{}, "the uid changes"},
		{"only the saved uid", "uid: 1000\ngid: 1000", setid, cred.File{}, "the uid changes"},
		{"only the gid", "uid: 0\ngid: 7", cred.Root(), cred.File{}, "the gid changes"},
		{"only the groups", "uid: 0\ngid: 0\ngroups: [4]", cred.Root(), cred.File{}, "the groups change"},
		{"a user by name", "user: www-data", cred.Root(), cred.File{}, "the uid changes"},
		{"the same groups", "caps: \"=\"", groups, cred.File{}, ""},
		{"the same groups in another order", "caps: \"=\"", unsorted, cred.File{}, ""},
		{"a user who keeps an ambient capability", "caps: cap_kill=eip", holding(cred.CapsOf(5)), cred.File{}, "not root and has cap_kill"},
		{"a user who gives it up", "caps: \"=\"", ambient, cred.File{}, ""},
		{"a user whose file has capabilities", "", withCaps(0), cred.File{HasCaps: true, Permitted: cred.CapsOf(5), Effective: true}, "not root and has cap_kill"},
	}
	caller := []string{"LD_X=1", "TMPDIR=/x", "MUSL_LOCPATH=/x", "LDX=1", "A=1"}
	for _, c := range cases {
		plan, found := Compile(parse(t, c.text), c.from, target(c.file))
		if plan == nil {
			t.Errorf("%s: %v", c.name, found)
			continue
		}
		removes := c.why != ""
		if plan.removesLoaderVariables() != removes || !strings.Contains(plan.loaderReason(), c.why) {
			t.Errorf("%s: %q, want %q", c.name, plan.loaderReason(), c.why)
		}
		env := plan.Environ(caller)
		for _, entry := range caller {
			if want := !removes || entry == "LDX=1" || entry == "A=1"; slices.Contains(env, entry) != want {
				t.Errorf("%s: the target has %q", c.name, env)
			}
		}
		if change := plan.EnvironChange(); removes != slices.Contains(change.Loader, "TMPDIR") || removes != slices.Contains(change.Loader, "LD_*") {
			t.Errorf("%s: %+v", c.name, change)
		}

		// What keep names is kept, or the profile is refused.
		for _, name := range []string{"LD_PRELOAD", "TMPDIR", "MUSL_LOCPATH"} {
			kept, found := Compile(parse(t, c.text+"\nenv: {keep: [A, "+name+"]}"), c.from, target(c.file))
			switch {
			case !removes && kept == nil:
				t.Errorf("%s: %v", c.name, found)
			case !removes && !slices.Contains(kept.Environ([]string{name + "=x"}), name+"=x"):
				t.Errorf("%s: %s is not kept", c.name, name)
			case removes && (kept != nil || len(found) != 1 || found[0].Rule != "loader-variable-removed" || found[0].Column != 17 ||
				!strings.Contains(found[0].Message, c.why) || !strings.Contains(found[0].Message, name)):
				t.Errorf("%s: %s in keep: %v", c.name, name, found)
			}
		}
	}
}

// TestLoaderVariableIsSet checks that a variable under env.set reaches the target, whatever
// other keys name it.
func TestLoaderVariableIsSet(t *testing.T) {
	for text, want := range map[string]string{
		"env: {set: {TMPDIR: /y}}":                 "TMPDIR=/y",
		"env: {keep: [TMPDIR], set: {TMPDIR: /y}}": "TMPDIR=/y",
		"env: {keep: [], set: {TMPDIR: /y}}":       "TMPDIR=/y",
		"env: {unset: [TMPDIR]}":                   "",
		"env: {keep: all, unset: [TMPDIR]}":        "",
	} {
		plan, found := Compile(parse(t, "uid: 33\ngid: 33\n"+text), cred.Root(), target(cred.File{}))
		if plan == nil {
			t.Errorf("%s: %v", text, found)
			continue
		}
		got := ""
		for _, entry := range plan.Environ([]string{"TMPDIR=/x"}) {
			if strings.HasPrefix(entry, "TMPDIR=") {
				got = entry
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	plan, found := Compile(parse(t, "uid: 33\ngid: 33\nenv: {keep: [LD_A, B, TMPDIR]}"), cred.Root(), target(cred.File{}))
	if plan != nil || len(found) != 2 {
		t.Errorf("two names: %v", found)
	}
}

// TestNamesLikeLoaderVariables checks that a name with a dot or a hyphen is a loader
// variable only if ld.so(8) ignores it.
func TestNamesLikeLoaderVariables(t *testing.T) {
	for name, want := range map[string]bool{
		"LD_PRELOAD": true, "LD_a.b": true, "LD_-": true, "LD-PRELOAD": false, "LD.PRELOAD": false,
		"TMPDIR": true, "TMPDIR.x": false, "TMPDIR-": false, "x.TMPDIR": false,
	} {
		if got := IsLoaderVariable(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	plan, found := Compile(parse(t, "uid: 33\ngid: 33\nenv: {set: {HOME.x: a, USER-: b, LD.x: c}}"), cred.Root(), target(cred.File{}))
	if plan == nil {
		t.Fatal(found)
	}
	want := []string{"A.b=1", "HOME=/", "HOME.x=a", "LD.x=c", "USER-=b"}
	if got := plan.Environ([]string{"A.b=1", "LD_A.b=2", "HOME=3", "USER=4"}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestLoaderVariablesAreDocumented checks that the page of the rule and the manual page
// name every loader variable.
func TestLoaderVariablesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/rules/loader-variable-removed.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	manual, err := os.ReadFile("../docs/man/caprun-profile.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range LoaderVariables() {
		if !strings.Contains(page, "| `"+v.Name+"` | "+v.Effect+" |\n") {
			t.Errorf("the page lacks | `%s` | %s |", v.Name, v.Effect)
		}
		if !strings.Contains(string(manual), "\n.Ev "+v.Name+"\n") && !strings.Contains(string(manual), "\n.Ev "+v.Name+" ,\n") && !strings.Contains(string(manual), "\n.Ev "+v.Name+" .\n") {
			t.Errorf("caprun-profile(5) lacks %s", v.Name)
		}
	}
	if n := strings.Count(page, "\n| `"); n != len(loaderVariables) {
		t.Errorf("the page has %d variables, and there are %d", n, len(loaderVariables))
	}
	for name, code := range map[string]bool{"TMPDIR": false, "LD_PRELOAD": true, "LD_BIND_NOW": false, "GCONV_PATH": true, "MUSL_LOCPATH": false} {
		v, ok := FindLoaderVariable(name)
		if !ok || v.Name != name || (v.Instead != "") != code || code != strings.Contains(v.Effect, "load") && code {
			t.Errorf("%s: %+v", name, v)
		}
	}
	for _, name := range []string{"", "LD", "LDX", "TMP", "TMPDIR2", "MALLOC_CONF", "TZ", "LD_*x"[:2]} {
		if IsLoaderVariable(name) {
			t.Errorf("%q is a loader variable", name)
		}
	}
}
