package cap

import (
	"errors"
	"slices"
	"testing"
)

func TestSecbits(t *testing.T) {
	for bit, c := range map[Secbits]struct {
		want uint
		name string
	}{
		SecbitNoRoot:                    {0x1, "noroot"},
		SecbitNoRootLocked:              {0x2, "noroot_locked"},
		SecbitNoSetUIDFixup:             {0x4, "no_setuid_fixup"},
		SecbitNoSetUIDFixupLocked:       {0x8, "no_setuid_fixup_locked"},
		SecbitKeepCaps:                  {0x10, "keep_caps"},
		SecbitKeepCapsLocked:            {0x20, "keep_caps_locked"},
		SecbitNoCapAmbientRaise:         {0x40, "no_cap_ambient_raise"},
		SecbitNoCapAmbientRaiseLocked:   {0x80, "no_cap_ambient_raise_locked"},
		SecbitExecRestrictFile:          {0x100, "exec_restrict_file"},
		SecbitExecRestrictFileLocked:    {0x200, "exec_restrict_file_locked"},
		SecbitExecDenyInteractive:       {0x400, "exec_deny_interactive"},
		SecbitExecDenyInteractiveLocked: {0x800, "exec_deny_interactive_locked"},
	} {
		if uint(bit) != c.want {
			t.Errorf("%s is %#x, want %#x", c.name, uint(bit), c.want)
		}
		if got := bit.Names(); !slices.Equal(got, []string{c.name}) {
			t.Errorf("the names of %#x are %q", uint(bit), got)
		}
		if got, err := SecbitsFromName(c.name); got != bit || err != nil {
			t.Errorf("SecbitsFromName(%q) = %#x, %v", c.name, uint(got), err)
		}
	}
	for bits, want := range map[Secbits][]string{
		0:              {},
		0x2f:           {"noroot", "noroot_locked", "no_setuid_fixup", "no_setuid_fixup_locked", "keep_caps_locked"},
		0x1001:         {"noroot", "bit12"},
		1<<31 | 0x8000: {"bit15", "bit31"},
	} {
		if got := bits.Names(); got == nil || !slices.Equal(got, want) {
			t.Errorf("the names of %#x are %q, want %q", uint(bits), got, want)
		}
	}
	for _, name := range []string{"", "bit12", "NOROOT", "noroot ", "no_root", "0x1", "1"} {
		if got, err := SecbitsFromName(name); got != 0 || !errors.Is(err, ErrBadValue) {
			t.Errorf("SecbitsFromName(%q) = %#x, %v; want ErrBadValue", name, uint(got), err)
		}
	}
}
