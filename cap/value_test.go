package cap

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestValueNames(t *testing.T) {
	seen := map[string]bool{}
	for v := Value(0); v < NamedCount; v++ {
		name := v.String()
		if !strings.HasPrefix(name, "cap_") || name != strings.ToLower(name) || seen[name] {
			t.Errorf("%d is called %q", uint(v), name)
		}
		seen[name] = true
		if got, err := FromName(name); got != v || err != nil {
			t.Errorf("FromName(%q) = %v, %v", name, got, err)
		}
		about := v.Description()
		if len(about) < 10 || !strings.HasSuffix(about, ".") || strings.Count(about, ".") != 1 {
			t.Errorf("%v: the description %q is not one sentence", v, about)
		}
	}
	for v, want := range map[Value]string{41: "41", 63: "63", 64: "64", math.MaxUint: "-1"} {
		if got := v.String(); got != want {
			t.Errorf("Value(%d).String() = %q", uint(v), got)
		}
		if got := v.Description(); got != "" {
			t.Errorf("Value(%d).Description() = %q", uint(v), got)
		}
	}
}

func TestFromName(t *testing.T) {
	for _, c := range []struct {
		name string
		want Value
	}{
		{"cap_chown", 0}, {"cap_checkpoint_restore", 40},
		{"0", 0}, {"00", 0}, {"007", 7}, {"40", 40}, {"41", 41}, {"63", 63},
		{"+3", 3}, {"-0", 0}, {"-000", 0}, {"+063", 63},
		{strings.Repeat("0", 100_000) + "9", 9},
	} {
		if got, err := FromName(c.name); got != c.want || err != nil {
			t.Errorf("FromName(%.40q) = %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	for _, name := range []string{"64", "-1", "+64", "0064", "100", strconv.Itoa(math.MaxInt)} {
		if got, err := FromName(name); got != 0 || err != ErrBadValue {
			t.Errorf("FromName(%q) = %v, %v; want ErrBadValue", name, got, err)
		}
	}
	for _, name := range []string{
		"", "all", "chown", "CAP_CHOWN", "Cap_chown", "cap_", "cap_chow", "cap_chowns", " cap_chown", "cap_chown ",
		"cap_bogus", "cap_setgie", "0x1", "1_0", "1.0", " 1", "1 ", "+", "-", "++1", "+-0", "٣", "\x00", "\xff",
		"18446744073709551616", "99999999999999999999", strings.Repeat("9", 100_000),
	} {
		got, err := FromName(name)
		var number *strconv.NumError
		if got != 0 || !errors.As(err, &number) || err != error(number) {
			t.Errorf("FromName(%.40q) = %v, %v; want a bare NumError", name, got, err)
		}
	}
}
