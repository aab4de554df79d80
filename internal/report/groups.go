package report

import (
	"caprun/cap"
	"caprun/engine/cred"
)

// A Group is the capabilities that lead to the same thing.
type Group struct {
	Name  string // what they lead to, as the heading of columns
	About string // a sentence
	Caps  cred.Caps
}

// groups has every named capability in exactly one group. Those that amount to root are in
// the first two.
var groups = [...]Group{
	{"becomes root", "With one of these, a process can become root, in one step or a few.",
		1<<cap.SYS_ADMIN | 1<<cap.SYS_MODULE | 1<<cap.SYS_PTRACE | 1<<cap.SYS_RAWIO | 1<<cap.SETUID | 1<<cap.SETGID | 1<<cap.SETPCAP |
			1<<cap.SETFCAP | 1<<cap.BPF | 1<<cap.MKNOD | 1<<cap.SYS_BOOT | 1<<cap.MAC_ADMIN},
	{"any file", "The permissions, the owner or the mode of a file do not stop a process with one of these.",
		1<<cap.DAC_OVERRIDE | 1<<cap.DAC_READ_SEARCH | 1<<cap.CHOWN | 1<<cap.FOWNER | 1<<cap.FSETID | 1<<cap.LINUX_IMMUTABLE | 1<<cap.LEASE},
	{"network", "Interfaces, addresses, raw packets and ports below 1024.",
		1<<cap.NET_ADMIN | 1<<cap.NET_RAW | 1<<cap.NET_BIND_SERVICE | 1<<cap.NET_BROADCAST},
	{"machine", "Clock, limits, priorities, other processes, logs and audit of the whole machine.",
		1<<cap.SYS_TIME | 1<<cap.SYS_CHROOT | 1<<cap.SYS_RESOURCE | 1<<cap.SYS_NICE | 1<<cap.KILL | 1<<cap.SYSLOG | 1<<cap.PERFMON |
			1<<cap.CHECKPOINT_RESTORE | 1<<cap.AUDIT_CONTROL | 1<<cap.AUDIT_WRITE | 1<<cap.AUDIT_READ | 1<<cap.IPC_LOCK | 1<<cap.MAC_OVERRIDE},
	{"others", "Each of these has one narrow use.",
		1<<cap.IPC_OWNER | 1<<cap.SYS_PACCT | 1<<cap.SYS_TTY_CONFIG | 1<<cap.WAKE_ALARM | 1<<cap.BLOCK_SUSPEND},
}
