package capset

import (
	"strconv"
	"sync"
)

// NamedCount is the number of capabilities with a name in this package. A kernel may
// have more or fewer capabilities.
const NamedCount = 41

// Named is the set of the capabilities with a name.
const Named Set = 1<<NamedCount - 1

// named has the names and descriptions of the capabilities, by their numbers in
// linux/capability.h.
var named = [NamedCount]struct{ name, description string }{
	0:  {"cap_chown", "Change the owner and the group of any file."},
	1:  {"cap_dac_override", "Read, write, search and execute files regardless of their permission bits and access control lists."},
	2:  {"cap_dac_read_search", "Read any file and search any directory regardless of permissions, and open files by handle."},
	3:  {"cap_fowner", "Do to any file what only its owner may: change its mode, times and attributes, or delete it from a sticky directory."},
	4:  {"cap_fsetid", "Keep the set-user-ID and set-group-ID bits of a file that is modified, and set the latter for any group."},
	5:  {"cap_kill", "Send signals to any process."},
	6:  {"cap_setgid", "Take any group ID and any supplementary groups, and claim them over sockets and in user namespaces."},
	7:  {"cap_setuid", "Take any user ID, and claim it over sockets and in user namespaces."},
	8:  {"cap_setpcap", "Drop capabilities from the bounding set, make any of the bounding set inheritable, and change the securebits."},
	9:  {"cap_linux_immutable", "Set and clear the immutable and append-only attributes of files."},
	10: {"cap_net_bind_service", "Bind to privileged ports, by default those below 1024."},
	11: {"cap_net_broadcast", "Broadcast and listen to multicasts; kernels do not ask for it."},
	12: {"cap_net_admin", "Configure the network: interfaces, addresses, routes, firewall, traffic control and promiscuous mode."},
	13: {"cap_net_raw", "Open raw and packet sockets, and bind to any address for transparent proxying."},
	14: {"cap_ipc_lock", "Lock memory beyond the resource limit, and allocate it from huge pages."},
	15: {"cap_ipc_owner", "Use any System V message queue, semaphore set and shared memory segment regardless of permissions."},
	16: {"cap_sys_module", "Load and unload kernel modules, and so change the kernel without limit."},
	17: {"cap_sys_rawio", "Access I/O ports, physical memory and devices directly."},
	18: {"cap_sys_chroot", "Change the root directory, and enter other mount namespaces."},
	19: {"cap_sys_ptrace", "Trace any process, and read and write its memory."},
	20: {"cap_sys_pacct", "Switch process accounting on and off."},
	21: {"cap_sys_admin", "Administer the system in many unrelated ways, such as mounting, swap, host name and namespaces; it comes close to being root."},
	22: {"cap_sys_boot", "Reboot the system, and load another kernel to run."},
	23: {"cap_sys_nice", "Raise the priority of any process, and set its scheduling policy, CPU affinity and memory placement."},
	24: {"cap_sys_resource", "Exceed resource limits, disk quotas and reserved space, and raise the limits themselves."},
	25: {"cap_sys_time", "Set the system clock and the hardware clock."},
	26: {"cap_sys_tty_config", "Hang up terminals, and configure virtual terminals."},
	27: {"cap_mknod", "Create device files."},
	28: {"cap_lease", "Take a lease on any file."},
	29: {"cap_audit_write", "Write records to the kernel's audit log."},
	30: {"cap_audit_control", "Switch auditing on and off, and change its rules."},
	31: {"cap_setfcap", "Give capabilities to files, and map user ID 0 of the parent into a new user namespace."},
	32: {"cap_mac_override", "Override mandatory access control, where a security module honours it."},
	33: {"cap_mac_admin", "Configure mandatory access control, where a security module honours it."},
	34: {"cap_syslog", "Read and clear the kernel's log, and see kernel addresses."},
	35: {"cap_wake_alarm", "Set timers that wake the system up."},
	36: {"cap_block_suspend", "Keep the system from suspending."},
	37: {"cap_audit_read", "Read the audit log over a multicast netlink socket."},
	38: {"cap_perfmon", "Monitor the performance of the kernel and of any process."},
	39: {"cap_bpf", "Create any BPF map and load privileged BPF programs; those for tracing need cap_perfmon too, those for the network cap_net_admin."},
	40: {"cap_checkpoint_restore", "Checkpoint and restore processes, choosing the PIDs of new ones."},
}

// Name returns the name of capability n, such as "cap_chown", or its decimal
// number if it has no name.
func Name(n int) string {
	if 0 <= n && n < NamedCount {
		return named[n].name
	}
	return strconv.Itoa(n)
}

// Description returns a sentence that says what capability n permits, or an empty string
// if it has no name.
func Description(n int) string {
	if 0 <= n && n < NamedCount {
		return named[n].description
	}
	return ""
}

var byName = sync.OnceValue(func() map[string]int {
	numbers := make(map[string]int, NamedCount)
	for n := range named {
		numbers[named[n].name] = n
	}
	return numbers
})

// Find returns the number of the capability with this name, such as "cap_chown". ok is
// false for any other text, also for a number.
func Find(name string) (n int, ok bool) {
	n, ok = byName()[name]
	return n, ok
}
