package cred_test

import (
	"slices"
	"testing"

	"caprun/engine/cred"
)

func TestSetSecurebits(t *testing.T) {
	set := func(v cred.Securebits, r cred.Rules) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.SetSecurebits(v, r) }
	}
	now, old := cred.Latest(), cred.Linux(6, 13)
	root := func(s cred.Securebits) cred.Cred {
		return edit(cred.Root(), func(c *cred.Cred) { c.Securebits = s })
	}
	plain := func(s cred.Securebits) cred.Cred {
		return edit(user(), func(c *cred.Cred) { c.Securebits = s })
	}
	check(t, []transition{
		{name: "everything", from: root(0), do: set(0xfff, now), want: root(0xfff)},
		{name: "to zero", from: root(0x555), do: set(0, now), want: root(0)},
		{name: "the same", from: root(0x55), do: set(0x55, now), want: root(0x55)},
		{name: "a lock alone", from: root(0), do: set(cred.SecNoRootLocked, now), want: root(cred.SecNoRootLocked)},
		{name: "set what is locked", from: root(2), do: set(3, now), errno: cred.EPERM},
		{name: "clear what is locked", from: root(3), do: set(2, now), errno: cred.EPERM},
		{name: "clear a lock", from: root(3), do: set(1, now), errno: cred.EPERM},
		{name: "another bit beside a lock", from: root(3), do: set(7, now), want: root(7)},
		{name: "unknown bit", from: root(0), do: set(1<<12, now), errno: cred.EPERM},
		{name: "unknown bit on an old kernel", from: root(0), do: set(1<<8, old), errno: cred.EPERM},
		{name: "known bits on an old kernel", from: root(0), do: set(0xff, old), want: root(0xff)},

		{name: "user", from: plain(0), do: set(1, now), errno: cred.EPERM},
		{name: "user, the same", from: plain(1), do: set(1, now), errno: cred.EPERM},
		{name: "user, advice to interpreters", from: plain(1), do: set(0xf01, now), want: plain(0xf01)},
		{name: "user, advice and more", from: plain(1), do: set(0xf05, now), errno: cred.EPERM},
		{name: "user, advice that is locked", from: plain(0x200), do: set(0x300, now), errno: cred.EPERM},
		{name: "user, advice on an old kernel", from: plain(0), do: set(0x100, old), errno: cred.EPERM},
		{name: "user, advice that an old kernel cannot have", from: plain(0x100), do: set(0, old), errno: cred.EPERM},
	})
}

func TestKeepCaps(t *testing.T) {
	keep := func(on bool) func(cred.Cred) (cred.Cred, cred.Errno) {
		return func(c cred.Cred) (cred.Cred, cred.Errno) { return c.SetKeepCaps(on) }
	}
	with := func(s cred.Securebits) cred.Cred {
		return edit(user(), func(c *cred.Cred) { c.Securebits = s })
	}
	check(t, []transition{
		{name: "on", from: with(0x41), do: keep(true), want: with(0x51)},
		{name: "off", from: with(0x51), do: keep(false), want: with(0x41)},
		{name: "on, locked off", from: with(0x20), do: keep(true), errno: cred.EPERM},
		{name: "off, locked off", from: with(0x20), do: keep(false), errno: cred.EPERM},
		{name: "on, locked on", from: with(0x30), do: keep(true), errno: cred.EPERM},
	})
}

func TestSecurebitsNamesAndNumbers(t *testing.T) {
	if cred.SecAllBits != 0x555 || cred.SecAllLocks != 0xaaa || cred.SecAllUnprivileged != 0xf00 {
		t.Errorf("%#x %#x %#x", uint32(cred.SecAllBits), uint32(cred.SecAllLocks), uint32(cred.SecAllUnprivileged))
	}
	for bit, name := range map[cred.Securebits]string{
		cred.SecNoRoot: "noroot", cred.SecNoRootLocked: "noroot_locked",
		cred.SecNoSetuidFixup: "no_setuid_fixup", cred.SecNoSetuidFixupLocked: "no_setuid_fixup_locked",
		cred.SecKeepCaps: "keep_caps", cred.SecKeepCapsLocked: "keep_caps_locked",
		cred.SecNoCapAmbientRaise: "no_cap_ambient_raise", cred.SecNoCapAmbientRaiseLocked: "no_cap_ambient_raise_locked",
		cred.SecExecRestrictFile: "exec_restrict_file", cred.SecExecRestrictFileLocked: "exec_restrict_file_locked",
		cred.SecExecDenyInteractive: "exec_deny_interactive", cred.SecExecDenyInteractiveLocked: "exec_deny_interactive_locked",
		1 << 12: "bit12", 1 << 31: "bit31",
	} {
		if got := bit.Names(); !slices.Equal(got, []string{name}) {
			t.Errorf("%#x: %q, want %q", uint32(bit), got, name)
		}
	}
	if got := cred.Securebits(0x1003).Names(); !slices.Equal(got, []string{"noroot", "noroot_locked", "bit12"}) {
		t.Errorf("0x1003: %q", got)
	}
	if cred.Securebits(0).Names() != nil {
		t.Error("zero has names")
	}
}
