package cap

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestValuesOfKernel(t *testing.T) {
	for v, want := range [...]Value{
		CHOWN:              unix.CAP_CHOWN,
		DAC_OVERRIDE:       unix.CAP_DAC_OVERRIDE,
		DAC_READ_SEARCH:    unix.CAP_DAC_READ_SEARCH,
		FOWNER:             unix.CAP_FOWNER,
		FSETID:             unix.CAP_FSETID,
		KILL:               unix.CAP_KILL,
		SETGID:             unix.CAP_SETGID,
		SETUID:             unix.CAP_SETUID,
		SETPCAP:            unix.CAP_SETPCAP,
		LINUX_IMMUTABLE:    unix.CAP_LINUX_IMMUTABLE,
		NET_BIND_SERVICE:   unix.CAP_NET_BIND_SERVICE,
		NET_BROADCAST:      unix.CAP_NET_BROADCAST,
		NET_ADMIN:          unix.CAP_NET_ADMIN,
		NET_RAW:            unix.CAP_NET_RAW,
		IPC_LOCK:           unix.CAP_IPC_LOCK,
		IPC_OWNER:          unix.CAP_IPC_OWNER,
		SYS_MODULE:         unix.CAP_SYS_MODULE,
		SYS_RAWIO:          unix.CAP_SYS_RAWIO,
		SYS_CHROOT:         unix.CAP_SYS_CHROOT,
		SYS_PTRACE:         unix.CAP_SYS_PTRACE,
		SYS_PACCT:          unix.CAP_SYS_PACCT,
		SYS_ADMIN:          unix.CAP_SYS_ADMIN,
		SYS_BOOT:           unix.CAP_SYS_BOOT,
		SYS_NICE:           unix.CAP_SYS_NICE,
		SYS_RESOURCE:       unix.CAP_SYS_RESOURCE,
		SYS_TIME:           unix.CAP_SYS_TIME,
		SYS_TTY_CONFIG:     unix.CAP_SYS_TTY_CONFIG,
		MKNOD:              unix.CAP_MKNOD,
		LEASE:              unix.CAP_LEASE,
		AUDIT_WRITE:        unix.CAP_AUDIT_WRITE,
		AUDIT_CONTROL:      unix.CAP_AUDIT_CONTROL,
		SETFCAP:            unix.CAP_SETFCAP,
		MAC_OVERRIDE:       unix.CAP_MAC_OVERRIDE,
		MAC_ADMIN:          unix.CAP_MAC_ADMIN,
		SYSLOG:             unix.CAP_SYSLOG,
		WAKE_ALARM:         unix.CAP_WAKE_ALARM,
		BLOCK_SUSPEND:      unix.CAP_BLOCK_SUSPEND,
		AUDIT_READ:         unix.CAP_AUDIT_READ,
		PERFMON:            unix.CAP_PERFMON,
		BPF:                unix.CAP_BPF,
		CHECKPOINT_RESTORE: unix.CAP_CHECKPOINT_RESTORE,
	} {
		if Value(v) != want {
			t.Errorf("%v is %d, the kernel has %d", Value(v), v, uint(want))
		}
	}
	if NamedCount != unix.CAP_LAST_CAP+1 {
		t.Errorf("NamedCount is %d, the kernel's last capability %d", NamedCount, unix.CAP_LAST_CAP)
	}
}
