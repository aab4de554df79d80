package cap

import (
	"fmt"
	"strconv"
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

// String returns the name of v, such as "cap_chown", or its decimal number if
// it has no name.
func (v Value) String() string {
	if v < NamedCount {
		return named[v].name
	}
	return strconv.FormatUint(uint64(v), 10)
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
// leading zeros. The error is ErrBadValue for a number out of range; for what
// is neither it wraps ErrBadValue and a *strconv.NumError.
func FromName(name string) (Value, error) {
	v, reason := parseValue(name)
	if reason == "" {
		return v, nil
	}
	if _, err := strconv.Atoi(name); err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrBadValue, reason, err)
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
	if v, n := valueAt(name); n > 0 && n == len(name) {
		return v, ""
	}
	digits, negative := name, false
	if name != "" && (name[0] == '+' || name[0] == '-') {
		digits, negative = name[1:], name[0] == '-'
	}
	if digits == "" {
		return 0, notNamed
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
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

// numberAt returns the capability whose number text begins with, in one or two
// digits, and how many they are, or 0 if text begins with none.
func numberAt(text string) (v Value, n int) {
	for n < len(text) && n < 2 && '0' <= text[n] && text[n] <= '9' {
		v = v*10 + Value(text[n]-'0')
		n++
	}
	if v >= valueLimit {
		return 0, 0
	}
	return v, n
}

// valueAt returns the capability whose name or number text begins with, and
// the length of that, or 0 if text begins with none. The caller looks at what
// follows. Numbers of more than two digits are left to parseValue.
func valueAt(text string) (v Value, n int) {
	if text != "" && text[0]-'0' <= 9 {
		return numberAt(text)
	}
	v = nameSlots[nameHash(text)]
	name := named[v].name
	if len(text) < len(name) || text[:len(name)] != name {
		return 0, 0
	}
	return v, len(name)
}

// nameHash is perfect for the names of the table: each has another slot of
// nameSlots. It looks at eight characters after "cap_", or at fewer if the
// name is shorter, so it need not be told where the name ends. The factor was
// found by trying random ones; a table with one more name may need another,
// and a test says so.
func nameHash(text string) uint64 {
	const prefix = len("cap_")
	var key uint64
	if len(text) >= prefix+8 {
		s := text[prefix : prefix+8]
		key = uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	} else {
		for k := prefix; k < len(text); k++ {
			key |= uint64(text[k]) << (8 * (k - prefix))
		}
	}
	// In letters and underscores bit 6 is set; in commas, operators and
	// spaces it is not. Keep the bytes before the first without it.
	end := ^key & 0x4040_4040_4040_4040
	key &= (end&-end)>>6 - 1
	return key * 0xf7a4_639d_6120_1d95 >> 58
}

// nameSlots says which name a hash may belong to. A slot left out holds CHOWN,
// which does no harm, because valueAt compares the name.
var nameSlots = [64]Value{
	1: SYS_MODULE, 2: IPC_LOCK, 4: NET_BIND_SERVICE, 5: LEASE, 6: BLOCK_SUSPEND,
	7: SYSLOG, 8: MKNOD, 9: SYS_ADMIN, 14: SYS_NICE, 16: PERFMON, 17: WAKE_ALARM,
	18: DAC_READ_SEARCH, 19: CHECKPOINT_RESTORE, 20: AUDIT_READ, 22: KILL,
	24: SYS_RAWIO, 25: AUDIT_CONTROL, 26: BPF, 29: AUDIT_WRITE, 30: SYS_CHROOT,
	31: FOWNER, 32: FSETID, 34: SYS_BOOT, 35: SETUID, 36: NET_BROADCAST,
	37: MAC_OVERRIDE, 39: SETFCAP, 40: CHOWN, 41: LINUX_IMMUTABLE, 42: SYS_TIME,
	45: MAC_ADMIN, 48: SETPCAP, 49: SYS_PTRACE, 52: SYS_PACCT, 55: NET_ADMIN,
	56: DAC_OVERRIDE, 58: SYS_RESOURCE, 59: SYS_TTY_CONFIG, 60: SETGID, 61: IPC_OWNER,
	62: NET_RAW,
}
