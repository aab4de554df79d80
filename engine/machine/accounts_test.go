package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/policy"
)

func named(name string) policy.Group { return policy.Group{Name: name} }
func number(id uint32) policy.Group  { return policy.Group{ID: id} }

// files returns the content of a passwd(5) and a group(5) file.
func files(passwd, group string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		return []byte(map[string]string{"etc/passwd": passwd, "etc/group": group}[name]), nil
	}
}

func noFiles(string) ([]byte, error) { return nil, fs.ErrNotExist }

const namesOfGroups = `root:x:0:
web:x:34:
adm:x:4:www
alias:x:4:
twice:x:50:
twice:x:0:
33:x:70:
60:x:60:
short:x:0
long:x:0:a:b
empty:x::
minus:x:-1:
large:x:4294967295:
octal:x:010:
spaced:x: 0:
carriage:x:0:` + "\r" + `
upper:x:34
nonewline:x:99:`

func TestLookupGroups(t *testing.T) {
	for _, c := range []struct {
		groups []policy.Group
		want   map[string]uint32
		err    string // KEY: MESSAGE; empty if there is none
	}{
		{groups: []policy.Group{named("web"), number(33), named("adm")}, err: "groups[1]: group 33: ambiguous: it is also the name of an entry in /etc/group with gid 70"},
		{groups: []policy.Group{named("web"), number(60), number(7), named("adm"), named("alias")}, want: map[string]uint32{"web": 34, "adm": 4, "alias": 4}},
		{groups: []policy.Group{named("root")}, want: map[string]uint32{"root": 0}},
		{groups: []policy.Group{named("twice")}, want: map[string]uint32{"twice": 50}},
		{groups: []policy.Group{named("nonewline")}, want: map[string]uint32{"nonewline": 99}},
		{groups: []policy.Group{named("carriage")}, want: map[string]uint32{"carriage": 0}},
		{groups: []policy.Group{number(0), named("none"), named("octal")}, err: "groups[1]: group none: no entry in /etc/group"},
		{groups: []policy.Group{named("short")}, err: "groups[0]: group short: no entry in /etc/group"},
		{groups: []policy.Group{named("long")}, err: "groups[0]: group long: no entry in /etc/group"},
		{groups: []policy.Group{named("WEB")}, err: "groups[0]: group WEB: no entry in /etc/group"},
		{groups: []policy.Group{named("empty")}, err: "groups[0]: group empty: invalid gid in /etc/group"},
		{groups: []policy.Group{named("minus")}, err: "groups[0]: group minus: invalid gid in /etc/group"},
		{groups: []policy.Group{named("large")}, err: "groups[0]: group large: invalid gid in /etc/group"},
		{groups: []policy.Group{named("octal")}, err: "groups[0]: group octal: invalid gid in /etc/group"},
		{groups: []policy.Group{named("spaced")}, err: "groups[0]: group spaced: invalid gid in /etc/group"},
		{groups: []policy.Group{named("33")}, err: "groups[0]: group 33: the name is a number"},
		{groups: []policy.Group{named("web:x:34:")}, err: "groups[0]: group web:x:34:: no entry in /etc/group"},
	} {
		uid := uint32(7)
		profiles := map[string]*policy.Profile{"groups": {UID: &uid, GID: &policy.Group{ID: 7}, Groups: c.groups}}
		if len(c.groups) == 1 {
			profiles["gid"] = &policy.Profile{UID: &uid, GID: &c.groups[0]}
		}
		for key, p := range profiles {
			got, err := FindAccounts(p, files("", namesOfGroups))
			var failed *Error
			switch {
			case c.err != "":
				want := c.err
				if key == "gid" {
					want = strings.Replace(want, "groups[0]", "gid", 1)
				}
				if !errors.As(err, &failed) || failed.Profile != p || failed.Hint == "" || failed.Key+": "+failed.Message() != want {
					t.Errorf("%s: %v: %+v, %v, want %s", key, c.groups, got, err, want)
				}
			case err != nil || got.User != nil || !maps.Equal(got.Groups, c.want):
				t.Errorf("%s: %v: %+v, %v", key, c.groups, got, err)
			}
		}
	}
}

// TestLookupReadsOnlyForNames: numbers alone need no files. With a user, numbers are checked
// against the names of /etc/group too.
func TestLookupReadsOnlyForNames(t *testing.T) {
	uid := uint32(7)
	if a, err := FindAccounts(&policy.Profile{UID: &uid, GID: &policy.Group{ID: 33}, Groups: []policy.Group{number(33)}}, noFiles); a != nil || err != nil {
		t.Error(a, err)
	}
	web := "web:x:33:34::/:/bin/sh\n"
	p := &policy.Profile{User: "web", GID: &policy.Group{ID: 33}}
	if a, err := FindAccounts(p, files(web, namesOfGroups)); err == nil || err.(*Error).Key != "gid" {
		t.Error(a, err)
	}
	p = &policy.Profile{User: "web", GID: &policy.Group{Name: "adm"}, Groups: []policy.Group{named("web"), number(60)}}
	a, err := FindAccounts(p, files(web, namesOfGroups))
	if err != nil || a.User.UID != 33 || !maps.Equal(a.Groups, map[string]uint32{"adm": 4, "web": 34}) {
		t.Error(a, err)
	}
	if _, err := FindAccounts(&policy.Profile{UID: &uid, GID: &policy.Group{Name: "adm"}}, noFiles); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestLookupHostileFiles reads files of many lines, of long lines, and without an entry.
func TestLookupHostileFiles(t *testing.T) {
	uid := uint32(7)
	p := &policy.Profile{UID: &uid, GID: &policy.Group{Name: "last"}}
	for n := range 1024 {
		p.Groups = append(p.Groups, named(fmt.Sprint("g", n)))
	}
	var b strings.Builder
	for n := range 200_000 {
		fmt.Fprintf(&b, "g%d:x:%d:%s\n", n, n, strings.Repeat(",", 50))
	}
	b.WriteString("last:x:5:" + strings.Repeat("a,", 1<<20) + "\n")
	text := b.String()
	a, err := FindAccounts(p, files("", text))
	if err != nil || len(a.Groups) != 1025 || a.Groups["last"] != 5 || a.Groups["g1023"] != 1023 {
		t.Error(err)
	}
	for name, read := range map[string]func(string) ([]byte, error){
		"unreadable":       noFiles,
		"without the line": files("", strings.Repeat(":", 1<<20)+"\n\x00\n::::\n:::\n"),
	} {
		if a, err := FindAccounts(p, read); err == nil || err.(*Error).Key != "gid" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// TestIdentityGroups checks the groups of a target: names that were looked up are numbers,
// each once; the others have distinct placeholders that are no other ID.
func TestIdentityGroups(t *testing.T) {
	uid := uint32(7)
	p := &policy.Profile{UID: &uid, GID: &policy.Group{Name: "web"}, Groups: []policy.Group{number(34), named("adm"), named("alias"), number(4294967294)}}
	caller := cred.Root()
	caller.Groups = []uint32{4294967292}

	id := TargetIdentity(p, caller, &Accounts{Groups: map[string]uint32{"web": 34, "adm": 4, "alias": 4}})
	if !id.Resolved || id.GID != 34 || !slices.Equal(id.Groups, []uint32{4, 34, 4294967294}) {
		t.Errorf("looked up: %+v", id)
	}
	if of, unknown := id.UnknownGID(4294967294); unknown {
		t.Errorf("4294967294 is %v", of)
	}

	for _, accounts := range []*Accounts{nil, {}, {Groups: map[string]uint32{"adm": 4}}} {
		id := TargetIdentity(p, caller, accounts)
		var unknown []string
		for _, n := range id.Groups {
			if of, ok := id.UnknownGID(n); ok {
				unknown = append(unknown, of.String())
			}
		}
		slices.Sort(unknown)
		want := []string{"adm", "alias", "web"}
		if accounts != nil && accounts.Groups != nil {
			want = want[1:]
		}
		of, _ := id.UnknownGID(id.GID)
		if id.Resolved || !slices.Equal(unknown, want) || of != (Unknown{Group: "web"}) || len(id.Groups) != 5 || slices.Contains(id.Groups, 4294967292) {
			t.Errorf("%+v: %+v", accounts, id)
		}
	}
}

// TestPlaceholdersAreMapped: in a user namespace the unknown IDs are mapped, so that a plan
// does not fail because of a number that nobody declared.
func TestPlaceholdersAreMapped(t *testing.T) {
	p := &policy.Profile{User: "web", Groups: []policy.Group{named("adm"), number(65535)}}
	for _, c := range []struct {
		extents []cred.Extent
		mapped  bool
	}{
		{[]cred.Extent{{Inside: 0, Outside: 100000, Count: 65536}}, true},
		{[]cred.Extent{{Inside: 0, Outside: 1000, Count: 1}, {Inside: 1, Outside: 100000, Count: 3}}, true},
		{[]cred.Extent{{Inside: 5, Outside: 0, Count: 1}, {Inside: 4294967290, Outside: 70000, Count: 5}}, true},
		{[]cred.Extent{{Inside: 0, Outside: 1000, Count: 1}}, false},
		{nil, false},
	} {
		caller := cred.Root()
		caller.UserNS = cred.UserNS{Nested: true, UIDs: c.extents, GIDs: c.extents}
		id := TargetIdentity(p, caller, nil)
		gids := slices.DeleteFunc(slices.Clone(id.Groups), func(n uint32) bool { return n == 65535 })
		if caller.UserNS.MapsUID(id.UID) != c.mapped || !slices.Contains(gids, id.GID) || len(gids) != 2 {
			t.Errorf("%v: %+v", c.extents, id)
		}
		for _, n := range gids {
			if _, unknown := id.UnknownGID(n); caller.UserNS.MapsGID(n) != c.mapped || !unknown || n == 0 || n == cred.OverflowID {
				t.Errorf("%v: %d in %+v", c.extents, n, id)
			}
		}
	}
}
