package evidence

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/policy"
)

// corpus calls visit with each valid profile of the repository's tests.
func corpus(t testing.TB, visit func(path string, p *policy.Profile)) {
	count := 0
	for _, pattern := range []string{"../../profiles/*.yaml", "../../policy/testdata/ok/*.yaml", "../../policy/testdata/real/*.yaml", "../../examples/*/*/*.yaml", "../../examples/*/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := policy.Parse(path, text); p != nil {
				count++
				visit(path, p)
			}
		}
	}
	if count < 50 {
		t.Fatalf("only %d profiles", count)
	}
}

// sameProfile reports whether two profiles have the same values.
func sameProfile(a, b *policy.Profile) bool {
	x, y := copyProfile(a), copyProfile(b)
	x.File, y.File = "", ""
	if len(x.Rlimits) == 0 {
		x.Rlimits = nil
	}
	if len(y.Rlimits) == 0 {
		y.Rlimits = nil
	}
	for _, p := range []*policy.Profile{x, y} {
		if len(p.Ignored) == 0 {
			p.Ignored = nil
		}
		if len(p.KeepFDs) == 0 {
			p.KeepFDs = nil
		}
		// The default; an empty mapping declares nothing.
		if e := p.Env; e != nil && e.KeepAll && len(e.Set) == 0 && len(e.Unset) == 0 {
			p.Env = nil
		} else if e != nil {
			c := *e
			if len(c.Set) == 0 {
				c.Set = nil
			}
			if len(c.Unset) == 0 {
				c.Unset = nil
			}
			if len(c.Keep) == 0 {
				c.Keep = nil
			}
			p.Env = &c
		}
	}
	return reflect.DeepEqual(x, y)
}

// TestEmit: a profile that was read and written is the same.
func TestEmit(t *testing.T) {
	corpus(t, func(path string, p *policy.Profile) {
		text, _, err := profiletext.Write(p, nil)
		if err != nil {
			t.Errorf("%s: %v\n%s", path, err, text)
			return
		}
		again, found := policy.Parse(path, text)
		if again == nil || found != nil {
			t.Errorf("%s: %v\n%s", path, found, text)
			return
		}
		if !sameProfile(p, again) {
			t.Errorf("%s: differs\n%s\n%s\n%+v\n%+v", path, p.Source(), text, copyProfile(p), copyProfile(again))
		}
	})
}

func rootBase(p *policy.Profile) Base {
	return Base{Profile: p, Caller: cred.Root(), Target: engine.OrdinaryTarget()}
}

// TestNeverWider: no profile grants more than its base, in any dimension.
func TestNeverWider(t *testing.T) {
	composed := 0
	corpus(t, func(path string, p *policy.Profile) {
		base := rootBase(p)
		old, _ := engine.Compile(p, base.Caller, base.Target)
		if old == nil {
			return
		}
		allowed := base.Allowed()
		for _, s := range []Settings{{}, {Caps: allowed}, {Caps: cred.CapsOf(allowed.Lowest())}, {Caps: allowed, NoNewPrivs: true}, {Caps: allowed, NoNewPrivs: true, NoRoot: true}, {NoRoot: true}} {
			if allowed == 0 {
				s.Caps = 0
			}
			text, err := base.Text(s)
			if err != nil {
				if !s.NoRoot && p.Mode == nil {
					t.Errorf("%s: %+v: %v", path, s, err)
				}
				continue
			}
			learned, found := policy.Parse(path, text)
			if learned == nil || found != nil {
				t.Fatalf("%s: %v", path, found)
			}
			plan, found := engine.Compile(learned, base.Caller, base.Target)
			if plan == nil {
				t.Fatalf("%s: %v\n%s", path, found, text)
			}
			if a := plan.AfterExec; a.Permitted != s.Caps || a.Effective != s.Caps {
				t.Errorf("%s: permitted %v, effective %v, want %v", path, a.Permitted, a.Effective, s.Caps)
			}
			composed++
			if p.Caps == nil && p.IAB == nil && p.Mode == nil {
				continue // such a base does not limit the capabilities
			}
			for _, d := range compare.Compare(old, plan).Differences {
				if d.Order != compare.Same && d.Order != compare.Less && !(s.NoRoot && (d.Dimension == compare.Inheritable || d.Dimension == compare.Ambient)) {
					t.Errorf("%s: %+v: %s is %v\n%s\n%s", path, s, d.Dimension, d.Order, p.Source(), text)
				}
			}
		}
	})
	if composed < 200 {
		t.Errorf("only %d profiles", composed)
	}
}

func TestText(t *testing.T) {
	uid := uint32(33)
	for _, test := range []struct {
		what string
		base Base
		s    Settings
		want string
	}{
		{"root", rootBase(nil), Settings{Caps: cred.CapsOf(10, 7)}, "version: 1\ncaps: cap_setuid,cap_net_bind_service=ep\n"},
		{"nothing", rootBase(nil), Settings{}, "version: 1\ncaps: \"=\"\n"},
		{"root with noroot", rootBase(nil), Settings{Caps: cred.CapsOf(10), NoRoot: true, NoNewPrivs: true}, "version: 1\ncaps: cap_net_bind_service=eip\nsecbits: [noroot, noroot_locked]\nno_new_privs: true\n"},
		{"another uid", rootBase(nil).WithIdentity(uid, uid, nil), Settings{Caps: cred.CapsOf(10)}, "version: 1\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\n"},
		{"a user", rootBase(nil).WithIdentity(uid, 34, []uint32{4, 5}).WithUser("web"), Settings{Caps: cred.CapsOf(10)}, "version: 1\nuser: web\ncaps: cap_net_bind_service=eip\n"},
		{"groups", rootBase(nil).WithIdentity(uid, 34, []uint32{4, 5}), Settings{}, "version: 1\nuid: 33\ngid: 34\ngroups: [4, 5]\ncaps: \"=\"\n"},
	} {
		text, err := test.base.Text(test.s)
		if err != nil || string(text) != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.what, err, text, test.want)
		}
	}
	p, _ := policy.Parse("base", []byte("version: 1\ncaps: cap_kill=ep\n"))
	if _, err := rootBase(p).Text(Settings{Caps: cred.CapsOf(10)}); err == nil {
		t.Error("the base does not allow the capability")
	}
}
