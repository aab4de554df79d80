package cred_test

import (
	"testing"

	"caprun/engine/cred"
)

func TestCaps(t *testing.T) {
	s := cred.CapsOf(0, 13, 63, 64, -1)
	if s != 1|1<<13|1<<63 {
		t.Errorf("CapsOf: %#x", s)
	}
	for _, n := range []int{0, 13, 63} {
		if !s.Has(n) || s.Without(n).Has(n) || s.Without(n).With(n) != s {
			t.Errorf("capability %d: %#x", n, s)
		}
	}
	for _, n := range []int{-1, 1, 64, 1 << 20} {
		if s.Has(n) {
			t.Errorf("%#x has %d", s, n)
		}
	}
	for _, n := range []int{-1, 64} {
		if s.With(n) != s || s.Without(n) != s {
			t.Errorf("capability %d, which no set can hold, changes one", n)
		}
	}
	a, b := cred.Caps(0b0110), cred.Caps(0b0011)
	if a.Union(b) != 0b0111 || a.Intersect(b) != 0b0010 || a.Minus(b) != 0b0100 {
		t.Errorf("%#b %#b %#b", a.Union(b), a.Intersect(b), a.Minus(b))
	}
	if a.SubsetOf(b) || !a.SubsetOf(0b1110) || !cred.Caps(0).SubsetOf(0) || !a.SubsetOf(a) {
		t.Error("SubsetOf")
	}
	for count, want := range map[int]cred.Caps{-1: 0, 0: 0, 1: 1, 41: 0x1ffffffffff, 63: 1<<63 - 1, 64: ^cred.Caps(0), 99: ^cred.Caps(0)} {
		if got := cred.FirstCaps(count); got != want {
			t.Errorf("FirstCaps(%d) = %#x, want %#x", count, got, want)
		}
	}
	if cred.FS != 0x10800021f {
		t.Errorf("FS = %#x", cred.FS)
	}
}

func TestErrno(t *testing.T) {
	for errno, want := range map[cred.Errno]string{
		0: "success", cred.EPERM: "operation not permitted", cred.EINVAL: "invalid argument", 5: "errno 5",
	} {
		if errno.Error() != want {
			t.Errorf("%d: %q", errno, errno.Error())
		}
		if (errno.Err() == nil) != (errno == 0) {
			t.Errorf("%d: Err is %v", errno, errno.Err())
		}
	}
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		major, minor int
		want         cred.Rules
	}{
		{4, 19, cred.Rules{}},
		{5, 19, cred.Rules{}},
		{6, 13, cred.Rules{}},
		{6, 14, cred.Rules{ExecSecurebits: true}},
		{6, 16, cred.Rules{ExecSecurebits: true}},
		{6, 17, cred.Latest()},
		{7, 0, cred.Latest()},
	} {
		if got := cred.Linux(tt.major, tt.minor); got != tt.want {
			t.Errorf("Linux(%d, %d) = %+v", tt.major, tt.minor, got)
		}
	}
	if cred.Latest() != (cred.Rules{ExecSecurebits: true, EffectiveIDChange: true}) {
		t.Errorf("Latest() = %+v", cred.Latest())
	}
}
