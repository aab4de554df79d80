package cred_test

import (
	"testing"

	"caprun/engine/cred"
)

// TestCapabilityNumbers compares the constants with the names of capabilities.
func TestCapabilityNumbers(t *testing.T) {
	for name, n := range map[string]int{
		"cap_chown": cred.CHOWN, "cap_dac_override": cred.DAC_OVERRIDE, "cap_dac_read_search": cred.DAC_READ_SEARCH,
		"cap_fowner": cred.FOWNER, "cap_fsetid": cred.FSETID, "cap_setgid": cred.SETGID, "cap_setuid": cred.SETUID,
		"cap_setpcap": cred.SETPCAP, "cap_linux_immutable": cred.LINUX_IMMUTABLE, "cap_sys_chroot": cred.SYS_CHROOT,
		"cap_mknod": cred.MKNOD, "cap_mac_override": cred.MAC_OVERRIDE,
	} {
		if got := cred.CapsOf(n).String(); got != name {
			t.Errorf("%d is %s, not %s", n, got, name)
		}
	}
	if cred.FS != 0x10800021f {
		t.Errorf("FS = %v", cred.FS)
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
