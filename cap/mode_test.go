package cap

import (
	"errors"
	"testing"
)

func TestModes(t *testing.T) {
	for n, want := range []string{"UNCERTAIN", "NOPRIV", "PURE1E_INIT", "PURE1E", "HYBRID", "UNKNOWN"} {
		m := Mode(n)
		if got := m.String(); got != want {
			t.Errorf("Mode(%d).String() = %q, want %q", n, got, want)
		}
		got, err := ModeFromText(want)
		if m == ModeUncertain || m > ModeHybrid {
			if got != ModeUncertain || !errors.Is(err, ErrBadMode) {
				t.Errorf("ModeFromText(%q) = %v, %v; want ErrBadMode", want, got, err)
			}
		} else if got != m || err != nil {
			t.Errorf("ModeFromText(%q) = %v, %v", want, got, err)
		}
	}
	if got := (^Mode(0)).String(); got != "UNKNOWN" {
		t.Errorf("(^Mode(0)).String() = %q", got)
	}
	for _, name := range []string{"", "pure1e", "PURE1E ", "PURE1E_", "PURE", "HYBRID\n"} {
		if got, err := ModeFromText(name); got != ModeUncertain || !errors.Is(err, ErrBadMode) {
			t.Errorf("ModeFromText(%q) = %v, %v; want ErrBadMode", name, got, err)
		}
	}
}
