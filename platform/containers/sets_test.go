package containers

import (
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

func words(s string) []Word {
	var list []Word
	for _, w := range strings.Fields(s) {
		list = append(list, Word{w, declared.Source{File: "f", Text: w}})
	}
	return list
}

// TestDefaults: the sizes that the documentation of the engines gives, and that each has
// the ones before it.
func TestDefaults(t *testing.T) {
	for e, n := range map[Engine]int{Docker: 14, Podman: 11, Containerd: 14, CRIO: 9} {
		if got := e.Defaults().Len(); got != n {
			t.Errorf("%s: %d", e, got)
		}
	}
	if !CRIO.Defaults().SubsetOf(Podman.Defaults()) || !Podman.Defaults().SubsetOf(Docker.Defaults()) || Docker.Defaults() != Containerd.Defaults() {
		t.Error("the sets are not within each other")
	}
	for _, name := range Names() {
		if e, ok := Find(name); !ok || !strings.EqualFold(strings.ReplaceAll(e.String(), "-", ""), name) {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestDeclare: the sets and the findings for what the sources of the engines do.
func TestDeclare(t *testing.T) {
	d, p := Docker.Defaults(), Podman.Defaults()
	set := func(s string) (c cred.Caps) {
		for n := range 41 {
			if slices.Contains(strings.Fields(s), strings.TrimPrefix(cred.CapsOf(n).Join(), "cap_")) {
				c = c.With(n)
			}
		}
		return c
	}
	for _, test := range []struct {
		engine     Engine
		add, drop  string
		privileged bool
		user       User
		bounding   cred.Caps
		ambient    cred.Caps
		rules      string
	}{
		{Docker, "", "", false, Root, d, 0, ""},
		{Docker, "", "", false, OtherUser, d, 0, ""},
		{Docker, "net_admin cap_SYS_time", "ALL", false, Root, set("net_admin sys_time"), 0, ""},
		{Docker, "NET_ADMIN", "", false, OtherUser, d.Union(set("net_admin")), 0, "capability-not-granted"},
		{Docker, "all", "mknod", false, Root, all.Minus(set("mknod")), 0, ""},
		{Docker, "ALL", "ALL", false, Root, all, 0, "declaration-ignored"},
		{Docker, "CHOWN", "CHOWN", false, Root, d, 0, "declaration-ignored"},
		{Docker, "NET_ADMN", "", false, Root, d, 0, "ignored-capability"},
		{Docker, "", "ALL", true, Root, all, 0, "declaration-ignored"},
		{Docker, "", "", true, OtherUser, all, 0, "capability-not-granted"},
		{Docker, "5", "", false, Root, d, 0, "ignored-capability"},
		{Podman, "", "", false, Root, p, 0, ""},
		{Podman, "net_admin", "", false, OtherUser, p.Union(set("net_admin")), set("net_admin"), ""},
		{Podman, "net_admin", "all", false, OtherUser, set("net_admin"), set("net_admin"), ""},
		{Podman, "net_admin", "", false, AnyUser, p.Union(set("net_admin")), 0, ""},
		{Podman, "ALL", "ALL", false, Root, 0, 0, "refused-by-platform"},
		{Podman, "chown", "chown", false, Root, p.Minus(set("chown")), 0, "refused-by-platform"},
		{Podman, "ALL", "mknod", false, OtherUser, all.Minus(set("mknod")), all.Minus(set("mknod")), "ambient-outside-bounding"},
		{Podman, "net_raw", "", true, OtherUser, all, set("net_raw"), ""},
		{Containerd, "NET_ADMIN", "ALL", false, Root, set("net_admin"), 0, ""},
		{Containerd, "CAP_NET_ADMIN", "", false, Root, d, 0, "ignored-capability"},
		{Containerd, "NET_ADMIN", "net_admin", false, Root, d, 0, "declaration-ignored"},
		{Containerd, "ALL", "ALL", false, Root, 0, 0, "declaration-ignored"},
		{Containerd, "ALL", "SYS_ADMIN", false, Root, all.Minus(set("sys_admin")), 0, ""},
		{Containerd, "", "NET_ROW", false, Root, d, 0, "ignored-capability"},
		{CRIO, "CAP_NET_ADMIN", "", false, Root, CRIO.Defaults().Union(set("net_admin")), 0, ""},
		{CRIO, "", "", true, OtherUser, all, all, ""},
	} {
		r := Request{Add: words(test.add), Drop: words(test.drop), User: test.user}
		if test.privileged {
			r.Privileged = &declared.Source{File: "f", Text: "privileged: true"}
		}
		p := &declared.Process{Name: "x"}
		test.engine.Declare(&Draft{Process: p}, r)
		var rules []string
		for _, f := range p.Findings {
			rules = append(rules, f.Rule)
		}
		s := p.Sets
		if s.Bounding != test.bounding || s.Ambient != test.ambient || s.Inheritable != test.ambient || strings.Join(rules, " ") != test.rules {
			t.Errorf("%s add %q drop %q privileged %v user %v:\nB %v A %v I %v\n%v", test.engine, test.add, test.drop, test.privileged, test.user, s.Bounding, s.Ambient, s.Inheritable, p.Findings)
		}
		if _, err := p.Document(); err != nil && test.user == AnyUser {
			t.Error(err)
		}
	}
}

// TestHints: the hint is what the engine accepts.
func TestHints(t *testing.T) {
	for _, test := range []struct {
		engine     Engine
		word, hint string
	}{
		{Docker, "CAP_NET_ADMN", "write CAP_NET_ADMIN"},
		{Docker, "netadmin", "write NET_ADMIN"},
		{Containerd, "CAP_NET_ADMIN", "write NET_ADMIN"},
		{Containerd, "SYS_PTRACING", "write SYS_PTRACE"},
		{Podman, "nothing-like-it", ""},
	} {
		p := &declared.Process{}
		test.engine.Declare(&Draft{Process: p}, Request{Add: words(test.word)})
		if len(p.Findings) != 1 || p.Findings[0].Hint != test.hint {
			t.Errorf("%s %s: %v", test.engine, test.word, p.Findings)
		}
	}
}

// TestNonRoot: a user other than root starts with nothing in Docker, and with the added
// capabilities in Podman.
func TestNonRoot(t *testing.T) {
	for e, want := range map[Engine]string{Docker: "none", Podman: "cap_net_admin", Containerd: "none"} {
		d := Draft{Process: &declared.Process{Name: "x"}}
		user := e.SetUser(&d, "1000:1000", declared.Source{})
		e.Declare(&d, Request{Add: words("NET_ADMIN"), User: user})
		doc, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		profile, found := policy.Parse("p", doc.Text)
		if profile == nil {
			t.Fatal(found)
		}
		plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(found)
		}
		if got := plan.AfterExec; got.Effective.String() != want || got.Permitted.String() != want || got.UID != 1000 {
			t.Errorf("%s: %v", e, got)
		}
	}
}

// TestSetUser: what is known about the user.
func TestSetUser(t *testing.T) {
	for _, test := range []struct {
		text, want string
		user       User
		rules      string
	}{
		{"", "uid - user  gid -", AnyUser, "identity-not-declared"},
		{"0", "uid 0 user  gid 0", Root, ""},
		{"root", "uid 0 user  gid 0", Root, ""},
		{"0:5", "uid 0 user  gid 5", Root, ""},
		{"1000", "uid 1000 user  gid 0", OtherUser, ""},
		{"1000:", "uid 1000 user  gid 0", OtherUser, ""},
		{"1000:adm", "uid 1000 user  gid adm", OtherUser, ""},
		{"www-data", "uid - user www-data gid -", OtherUser, ""},
		{"www-data:33", "uid - user www-data gid 33", OtherUser, ""},
		{":33", "uid - user  gid -", AnyUser, "identity-not-declared"},
		{"2147483648", "uid - user  gid -", AnyUser, "refused-by-platform"},
		{"-1", "uid - user  gid -", AnyUser, "refused-by-platform"},
		{"a b", "uid - user  gid -", AnyUser, "refused-by-platform"},
		{"1000:2:3", "uid - user  gid -", AnyUser, "refused-by-platform"},
	} {
		d := Draft{Process: &declared.Process{Name: "x"}}
		user := Docker.SetUser(&d, test.text, declared.Source{})
		Docker.Declare(&d, Request{User: user})
		p := &d.Profile
		got := "uid - user " + p.User + " gid "
		if p.UID != nil {
			got = strings.Replace(got, "-", policy.Group{ID: *p.UID}.String(), 1)
		}
		if p.GID == nil {
			got += "-"
		} else {
			got += p.GID.String()
		}
		var rules []string
		for _, f := range d.Findings {
			rules = append(rules, f.Rule)
		}
		if got != test.want || user != test.user || strings.Join(rules, " ") != test.rules {
			t.Errorf("%q: %s, %v, %v", test.text, got, user, rules)
		}
		if _, err := d.Document(); err != nil {
			t.Errorf("%q: %v", test.text, err)
		}
	}
}

// FuzzDraft: a draft always has a document, whatever the values are.
func FuzzDraft(f *testing.F) {
	f.Add("A", "b\\\"\n", "/usr/bin/x", "/a/../b", "adm", "1000:adm", 3)
	f.Add("A-.9", "\u202e\x00", "", "rel", "5", "", 2000)
	f.Add("PATH", strings.Repeat("é\"", 30000), "x", "/\n", "a b", "root", 9)
	f.Fuzz(func(t *testing.T, name, value, command, dir, group, user string, repeat int) {
		d := Draft{Process: &declared.Process{Name: name, At: declared.Source{File: user, Text: value}}}
		at := declared.Source{File: name, Text: value}
		u := Podman.SetUser(&d, user, at)
		// A list that exceeds its limit takes a hundred times as long: few inputs have one.
		count := int(uint(repeat) % 3000)
		if count%16 != 0 || len(name)+len(value)+len(group) > 1000 {
			count %= 50
		}
		for n := range count {
			d.SetEnv(name+strings.Repeat("A", n%7), value, at)
			d.KeepEnv(name+strings.Repeat("B", n%5), at)
			d.Group(group+strings.Repeat("1", n%4), at)
			d.Limit("nofile", uint64(n), ^uint64(n), at)
		}
		d.Command([]string{command, value, name}, at, at)
		d.Cwd(dir, at)
		Podman.Declare(&d, Request{Add: []Word{{name, at}, {value, at}}, Drop: []Word{{group, at}}, User: u})
		if _, err := d.Document(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAllWithPrefix: the name for every capability has no prefix.
func TestAllWithPrefix(t *testing.T) {
	for _, e := range []Engine{Docker, Podman, Containerd, CRIO} {
		for _, word := range []string{"CAP_ALL", "cap_all"} {
			p := &declared.Process{}
			e.Declare(&Draft{Process: p}, Request{Drop: []Word{{Text: word}}, User: Root})
			if len(p.Findings) != 1 || p.Findings[0].Hint != "write ALL" {
				t.Errorf("%s: %s: %+v", e, word, p.Findings)
			}
		}
	}
}
