package capset

import (
	"slices"
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	s := Of(0, 13, 63, 64, -1)
	if s != 1|1<<13|1<<63 {
		t.Errorf("Of: %#x", uint64(s))
	}
	for _, n := range []int{0, 13, 63} {
		if !s.Has(n) || s.Without(n).Has(n) || s.Without(n).With(n) != s {
			t.Errorf("capability %d: %#x", n, uint64(s))
		}
	}
	for _, n := range []int{-1, 1, 64, 1 << 20} {
		if s.Has(n) {
			t.Errorf("%#x has %d", uint64(s), n)
		}
	}
	for _, n := range []int{-1, 64} {
		if s.With(n) != s || s.Without(n) != s {
			t.Errorf("capability %d, which no set can hold, changes one", n)
		}
	}
	a, b := Set(0b0110), Set(0b0011)
	if a.Union(b) != 0b0111 || a.Intersect(b) != 0b0010 || a.Minus(b) != 0b0100 {
		t.Errorf("%#b %#b %#b", a.Union(b), a.Intersect(b), a.Minus(b))
	}
	if a.SubsetOf(b) || !a.SubsetOf(0b1110) || !Set(0).SubsetOf(0) || !a.SubsetOf(a) {
		t.Error("SubsetOf")
	}
	for count, want := range map[int]Set{-1: 0, 0: 0, 1: 1, 41: 0x1ffffffffff, 63: 1<<63 - 1, 64: ^Set(0), 99: ^Set(0)} {
		if got := First(count); got != want {
			t.Errorf("First(%d) = %#x, want %#x", count, uint64(got), uint64(want))
		}
	}
	if s.Len() != 3 || Set(0).Len() != 0 || s.Lowest() != 0 || Of(13, 63).Lowest() != 13 || Set(0).Lowest() != 64 {
		t.Error("Len and Lowest")
	}
	if got := slices.Collect(s.All()); !slices.Equal(got, []int{0, 13, 63}) {
		t.Errorf("All yields %v", got)
	}
	for n := range s.All() {
		if n != 0 {
			t.Errorf("All continues with %d", n)
		}
		break
	}
}

func TestSetString(t *testing.T) {
	for _, c := range []struct {
		set  Set
		want string
	}{
		{0, "none"},
		{Named, "all"},
		{Of(5), "cap_kill"},
		{Of(13, 5, 63), "cap_kill,cap_net_raw,63"},
		{Named.Without(5), "all but cap_kill"},
		{Named.Minus(First(19)), "all but " + First(19).Join()},
		{Named.Minus(First(20)), Named.Minus(First(20)).Join()},
		{Named.With(41), Named.Join() + ",41"},
		{Named.Without(5).With(63), Named.Without(5).Join() + ",63"},
	} {
		if got := c.set.String(); got != c.want {
			t.Errorf("%#x is %q, want %q", uint64(c.set), got, c.want)
		}
	}
	if names := Set(0).Names(); names == nil || len(names) != 0 {
		t.Errorf("the names of the empty set are %#v", names)
	}
	if names := Of(40, 41, 0).Names(); !slices.Equal(names, []string{"cap_chown", "cap_checkpoint_restore", "41"}) {
		t.Errorf("the names are %q", names)
	}
}

func TestNames(t *testing.T) {
	if Named.Len() != NamedCount || Named != First(NamedCount) {
		t.Errorf("%#x has a name", uint64(Named))
	}
	for n := range Named.All() {
		if got, ok := Find(Name(n)); got != n || !ok || !strings.HasPrefix(Name(n), "cap_") || Description(n) == "" {
			t.Errorf("%d is called %q, which is %d; %q", n, Name(n), got, Description(n))
		}
	}
	for n, want := range map[int]string{-1: "-1", 41: "41", 63: "63", 64: "64"} {
		if Name(n) != want || Description(n) != "" {
			t.Errorf("%d is called %q: %q", n, Name(n), Description(n))
		}
	}
	for _, name := range []string{"", "all", "chown", "CAP_CHOWN", "0", "41"} {
		if n, ok := Find(name); ok {
			t.Errorf("%q is %d", name, n)
		}
	}
}
