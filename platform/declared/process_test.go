package declared

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

func number(n uint32) *uint32 { return &n }

func process(uid uint32, s Sets) *Process {
	return &Process{
		Name:    "web",
		At:      Source{File: "web.service", Position: policy.Position{Line: 1, Column: 1}, Text: "[Service]"},
		Profile: policy.Profile{UID: number(uid), GID: &policy.Group{ID: uid}},
		Sets:    s,
	}
}

// TestSets: the plan of the written profile has the sets before exec that the platform
// makes.
func TestSets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	all := cred.FirstCaps(cap.NamedCount)
	set := func() cred.Caps {
		switch random.IntN(4) {
		case 0:
			return 0
		case 1:
			return all
		}
		return cred.Caps(random.Uint64()&random.Uint64()&random.Uint64()) & all
	}
	short := 0
	for n := range 2000 {
		s := Sets{Inheritable: set(), Bounding: set()}
		s.Ambient = set().Intersect(s.Inheritable)
		switch n % 4 {
		case 0:
			s.Ambient = s.Inheritable
		case 1:
			s.Ambient, s.Bounding = s.Inheritable, s.Inheritable
		case 2:
			s.Ambient, s.Inheritable = 0, s.Inheritable.Intersect(s.Bounding)
		}
		p := process(uint32(random.IntN(2)*33), s)
		if random.IntN(3) == 0 {
			bits := cap.SecbitNoRoot | cap.SecbitNoRootLocked
			p.Profile.Secbits = &bits
		}
		d, err := p.Document()
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		if p.Profile.IAB == nil {
			short++
		}
		profile, found := policy.Parse("p", d.Text)
		if profile == nil {
			t.Fatalf("%+v: %v\n%s", s, found, d.Text)
		}
		plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatalf("%+v: %v\n%s", s, found, d.Text)
		}
		b := plan.BeforeExec
		if b.Inheritable != s.Inheritable || b.Ambient != s.Ambient || b.Bounding != s.Bounding {
			t.Fatalf("want %+v\ngot I %v A %v B %v\n%s", s, b.Inheritable, b.Ambient, b.Bounding, d.Text)
		}
	}
	if short < 500 {
		t.Errorf("%d profiles without iab", short)
	}
}

// TestWithheld: uid 0 does not get what the permitted set lacks under no_new_privs, and the
// bounding set keeps it.
func TestWithheld(t *testing.T) {
	bounding := cred.CapsOf(0, 5)
	p := process(0, Sets{Bounding: bounding, Withheld: cred.CapsOf(0)})
	p.Profile.NoNewPrivs = true
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatal(found)
	}
	plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	if a := plan.AfterExec; a.Permitted != cred.CapsOf(5) || a.Effective != a.Permitted || a.Bounding != bounding {
		t.Errorf("permitted %s, bounding %s", a.Permitted, a.Bounding)
	}
}

// TestUnknownUID: without a uid, the profile declares the sets before exec only.
func TestUnknownUID(t *testing.T) {
	p := process(0, Sets{Bounding: cred.CapsOf(5, 13), UnknownUID: true})
	p.Profile.UID, p.Profile.GID = nil, nil
	d, err := p.Document()
	if err != nil || p.Profile.Caps != nil || p.Profile.IAB == nil || !strings.Contains(string(d.Text), `iab: "!cap_chown,`) {
		t.Fatalf("%v\n%s", err, d.Text)
	}
}

// TestBoundingComment: a comment has the bounding set if iab has a long list of what it lacks.
func TestBoundingComment(t *testing.T) {
	all := cred.FirstCaps(cap.NamedCount)
	for _, test := range []struct {
		sets Sets
		want string // the lines before and with iab; empty for a profile without iab
	}{
		{Sets{Bounding: cred.CapsOf(5, 13)}, "# bounding set: cap_kill,cap_net_raw\niab: "},
		{Sets{Inheritable: cred.CapsOf(5)}, "# bounding set: none\niab: "},
		{Sets{Bounding: all.Minus(cred.CapsOf(0, 1, 2, 5))}, "# bounding set: all but cap_chown,cap_dac_override,cap_dac_read_search,cap_kill\niab: "},
		{Sets{Bounding: all.Minus(cred.CapsOf(0, 1, 2))}, "caps: \"=\"\niab: "},
		{Sets{Bounding: all}, "caps: \"=\"\niab: "},
		{Sets{}, ""},
	} {
		p := process(33, test.sets)
		d, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		text := string(d.Text)
		if test.want == "" && (strings.Contains(text, "bounding set") || strings.Contains(text, "iab:")) || !strings.Contains(text, test.want) {
			t.Errorf("%+v:\n%s", test.sets, text)
		}
	}
	p := process(33, Sets{Bounding: cred.CapsOf(5)})
	p.From("iab", Source{File: "web.service", Position: policy.Position{Line: 2, Column: 1}, Text: "x"})
	if d, err := p.Document(); err != nil || !strings.Contains(string(d.Text), "# web.service:2: x\n# bounding set: cap_kill\niab: ") {
		t.Errorf("%v\n%s", err, d.Text)
	}
}

// TestIfRoot: what a process gets if its unknown uid is 0.
func TestIfRoot(t *testing.T) {
	all := cred.FirstCaps(cap.NamedCount)
	noroot := cap.SecbitNoRoot
	for _, test := range []struct {
		sets    Sets
		secbits *cap.Secbits
		want    string
	}{
		{Sets{Bounding: all}, nil, "every capability"},
		{Sets{Bounding: cred.CapsOf(5, 13), Inheritable: cred.CapsOf(1), Withheld: cred.CapsOf(5)}, nil, "2 capabilities"},
		{Sets{Bounding: cred.CapsOf(5)}, nil, "1 capability"},
		{Sets{}, nil, "no capability, and owns the files of root"},
		{Sets{Bounding: all, Inheritable: cred.CapsOf(5), Ambient: cred.CapsOf(5)}, &noroot, "1 capability"},
	} {
		p := &Process{Sets: test.sets}
		p.Profile.Secbits = test.secbits
		if got, want := strings.TrimSuffix(p.IfRoot(), test.want), "if it is uid 0, the process has "; got != want {
			t.Errorf("%+v: %s", test.sets, p.IfRoot())
		}
	}
}

// TestLocate: a finding has the position of the declaration, of the mapping around it, or
// of the process.
func TestLocate(t *testing.T) {
	p := process(33, Sets{Inherit: true})
	p.Profile.Env = &policy.Env{Set: map[string]string{"A": "1", "B.c": "2"}}
	p.Profile.Rlimits = []policy.Rlimit{{Name: "nofile", Soft: 5, Hard: 6}}
	at := func(line int) Source {
		return Source{"web.service", policy.Position{Line: line, Column: 1}, fmt.Sprintf("line %d\nx", line)}
	}
	p.From("uid", at(10), at(11))
	p.From("env", at(12))
	p.From("env.set.B.c", at(13))
	p.From("rlimits.nofile", at(14))
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := `version: 1
name: web
# web.service:10: line 10?x
# web.service:11: line 11?x
uid: 33
gid: 33
# web.service:12: line 12?x
env:
  keep: []
  set:
    A: "1"
    # web.service:13: line 13?x
    B.c: "2"
rlimits:
  # web.service:14: line 14?x
  nofile: {soft: 5, hard: 6}
`
	if string(d.Text) != want {
		t.Errorf("%s", d.Text)
	}
	for line, want := range map[int]int{1: 1, 3: 11, 5: 11, 6: 1, 9: 12, 11: 12, 13: 13, 16: 14, 99: 1, 0: 1} {
		f := d.Locate(policy.Diagnostic{File: "p", Position: policy.Position{Line: line, Column: 2}})
		if f.File != "web.service" || f.Line != want {
			t.Errorf("line %d: %v", line, f)
		}
	}
}

// TestStandIn: a process whose uid is unknown and not 0 has what another user has.
func TestStandIn(t *testing.T) {
	p := process(0, Sets{Bounding: cred.CapsOf(5, 13), Inheritable: cred.CapsOf(5), Ambient: cred.CapsOf(5), UnknownUID: true, NotRoot: true})
	p.Profile.UID, p.Profile.GID = nil, nil
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatal(found)
	}
	plan, found := engine.Compile(d.StandIn(profile), cred.Root(), engine.OrdinaryTarget())
	if plan == nil || plan.AfterExec.Permitted != cred.CapsOf(5) || plan.AfterExec.UID == 0 || profile.UID != nil {
		t.Errorf("%v %+v", found, plan)
	}
	p.Sets.NotRoot = false
	if d.StandIn(profile) != profile {
		t.Error("a user who may be root has a stand-in")
	}
}
