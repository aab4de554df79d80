package cap

import (
	"strconv"
	"sync"
)

// Value is a capability, by its number in the kernel: 0 to 63. A number at or
// above MaxBits can be held in a Set or an IAB, but the running kernel gives
// it no meaning.
type Value uint

// The capabilities that have names, numbered as in linux/capability.h.
// Description says what each permits; capabilities(7) says it at length.
const (
	CHOWN Value = iota
	DAC_OVERRIDE
	DAC_READ_SEARCH
	FOWNER
	FSETID
	KILL
	SETGID
	SETUID
	SETPCAP
	LINUX_IMMUTABLE
	NET_BIND_SERVICE
	NET_BROADCAST
	NET_ADMIN
	NET_RAW
	IPC_LOCK
	IPC_OWNER
	SYS_MODULE
	SYS_RAWIO
	SYS_CHROOT
	SYS_PTRACE
	SYS_PACCT
	SYS_ADMIN
	SYS_BOOT
	SYS_NICE
	SYS_RESOURCE
	SYS_TIME
	SYS_TTY_CONFIG
	MKNOD
	LEASE
	AUDIT_WRITE
	AUDIT_CONTROL
	SETFCAP
	MAC_OVERRIDE
	MAC_ADMIN
	SYSLOG
	WAKE_ALARM
	BLOCK_SUSPEND
	AUDIT_READ
	PERFMON
	BPF
	CHECKPOINT_RESTORE
)

// NamedCount is the number of capabilities that have a name here. A running
// kernel may have more or fewer: see MaxBits.
const NamedCount = 41

// valueLimit is the number of bits in a flag or a vector: the first Value that
// is out of range.
const valueLimit Value = 64

// named is the one list of names and meanings.
var named = [NamedCount]struct{ name, description string }{
	CHOWN:              {"cap_chown", "Change the owner and the group of any file."},
	DAC_OVERRIDE:       {"cap_dac_override", "Read, write, search and execute files regardless of their permission bits and access control lists."},
	DAC_READ_SEARCH:    {"cap_dac_read_search", "Read any file and search any directory regardless of permissions, and open files by handle."},
	FOWNER:             {"cap_fowner", "Do to any file what only its owner may: change its mode, times and attributes, or delete it from a sticky directory."},
	FSETID:             {"cap_fsetid", "Keep the set-user-ID and set-group-ID bits of a file that is modified, and set the latter for any group."},
	KILL:               {"cap_kill", "Send signals to any process."},
	SETGID:             {"cap_setgid", "Take any group ID and any supplementary groups, and claim them over sockets and in user namespaces."},
	SETUID:             {"cap_setuid", "Take any user ID, and claim it over sockets and in user namespaces."},
	SETPCAP:            {"cap_setpcap", "Drop capabilities from the bounding set, make any of the bounding set inheritable, and change the securebits."},
	LINUX_IMMUTABLE:    {"cap_linux_immutable", "Set and clear the immutable and append-only attributes of files."},
	NET_BIND_SERVICE:   {"cap_net_bind_service", "Bind to privileged ports, by default those below 1024."},
	NET_BROADCAST:      {"cap_net_broadcast", "Broadcast and listen to multicasts; kernels do not ask for it."},
	NET_ADMIN:          {"cap_net_admin", "Configure the network: interfaces, addresses, routes, firewall, traffic control and promiscuous mode."},
	NET_RAW:            {"cap_net_raw", "Open raw and packet sockets, and bind to any address for transparent proxying."},
	IPC_LOCK:           {"cap_ipc_lock", "Lock memory beyond the resource limit, and allocate it from huge pages."},
	IPC_OWNER:          {"cap_ipc_owner", "Use any System V message queue, semaphore set and shared memory segment regardless of permissions."},
	SYS_MODULE:         {"cap_sys_module", "Load and unload kernel modules, and so change the kernel without limit."},
	SYS_RAWIO:          {"cap_sys_rawio", "Access I/O ports, physical memory and devices directly."},
	SYS_CHROOT:         {"cap_sys_chroot", "Change the root directory, and enter other mount namespaces."},
	SYS_PTRACE:         {"cap_sys_ptrace", "Trace any process, and read and write its memory."},
	SYS_PACCT:          {"cap_sys_pacct", "Switch process accounting on and off."},
	SYS_ADMIN:          {"cap_sys_admin", "Administer the system in many unrelated ways, such as mounting, swap, host name and namespaces; it comes close to being root."},
	SYS_BOOT:           {"cap_sys_boot", "Reboot the system, and load another kernel to run."},
	SYS_NICE:           {"cap_sys_nice", "Raise the priority of any process, and set its scheduling policy, CPU affinity and memory placement."},
	SYS_RESOURCE:       {"cap_sys_resource", "Exceed resource limits, disk quotas and reserved space, and raise the limits themselves."},
	SYS_TIME:           {"cap_sys_time", "Set the system clock and the hardware clock."},
	SYS_TTY_CONFIG:     {"cap_sys_tty_config", "Hang up terminals, and configure virtual terminals."},
	MKNOD:              {"cap_mknod", "Create device files."},
	LEASE:              {"cap_lease", "Take a lease on any file."},
	AUDIT_WRITE:        {"cap_audit_write", "Write records to the kernel's audit log."},
	AUDIT_CONTROL:      {"cap_audit_control", "Switch auditing on and off, and change its rules."},
	SETFCAP:            {"cap_setfcap", "Give capabilities to files, and map user ID 0 of the parent into a new user namespace."},
	MAC_OVERRIDE:       {"cap_mac_override", "Override mandatory access control, where a security module honours it."},
	MAC_ADMIN:          {"cap_mac_admin", "Configure mandatory access control, where a security module honours it."},
	SYSLOG:             {"cap_syslog", "Read and clear the kernel's log, and see kernel addresses."},
	WAKE_ALARM:         {"cap_wake_alarm", "Set timers that wake the system up."},
	BLOCK_SUSPEND:      {"cap_block_suspend", "Keep the system from suspending."},
	AUDIT_READ:         {"cap_audit_read", "Read the audit log over a multicast netlink socket."},
	PERFMON:            {"cap_perfmon", "Monitor the performance of the kernel and of any process."},
	BPF:                {"cap_bpf", "Create any BPF map and load privileged BPF programs; those for tracing need cap_perfmon too, those for the network cap_net_admin."},
	CHECKPOINT_RESTORE: {"cap_checkpoint_restore", "Checkpoint and restore processes, choosing the PIDs of new ones."},
}

// byName finds a capability by its name.
var byName = sync.OnceValue(func() map[string]Value {
	values := make(map[string]Value, NamedCount)
	for v := range named {
		values[named[v].name] = Value(v)
	}
	return values
})

// String returns the name of v, such as "cap_chown", or its decimal number if
// it has no name.
func (v Value) String() string {
	if v < NamedCount {
		return named[v].name
	}
	return strconv.Itoa(int(v))
}

// Description says in one sentence what v permits. It is empty for a Value
// without a name.
func (v Value) Description() string {
	if v < NamedCount {
		return named[v].description
	}
	return ""
}

// FromName returns the capability that is called name: a lower-case name, such
// as "cap_chown", or a decimal number from 0 to 63, with or without a sign and
// leading zeros. The error is ErrBadValue for a number out of range, and a
// *strconv.NumError for what is neither, or does not fit in an int.
func FromName(name string) (Value, error) {
	v, reason := parseValue(name)
	if reason == "" {
		return v, nil
	}
	if _, err := strconv.Atoi(name); err != nil {
		return 0, err
	}
	return 0, ErrBadValue
}

// The reasons of a word that is no capability.
const (
	notNamed   = "no capability has this name"
	notInRange = "a capability's number is 0 to 63"
)

// parseValue reads a name or number as FromName does. The reason is empty if
// it is good.
func parseValue(name string) (v Value, reason string) {
	digits, negative := name, false
	if name != "" && (name[0] == '+' || name[0] == '-') {
		digits, negative = name[1:], name[0] == '-'
	}
	if digits == "" || digits[0]-'0' > 9 {
		if v, ok := byName()[name]; ok {
			return v, ""
		}
		return 0, notNamed
	}
	for i := range len(digits) {
		if digits[i]-'0' > 9 {
			return 0, notNamed
		}
		// Once out of range it stays there, and cannot overflow.
		if v < valueLimit {
			v = v*10 + Value(digits[i]-'0')
		}
	}
	if v >= valueLimit || negative && v != 0 {
		return 0, notInRange
	}
	return v, ""
}
