package search

import "caprun/engine/cred"

// byPower are the capabilities from the most powerful to the least. If several sets are
// minimal, the order decides which of them the search finds: what it tries to remove first
// is most often gone.
var byPower = [...]int{
	// Root in one step: the whole system, the kernel, or every process.
	21, // sys_admin: mounts, namespaces, quotas, and dozens of other privileged calls
	16, // sys_module: code in the kernel
	17, // sys_rawio: kernel memory and devices
	39, // bpf: programs in the kernel
	22, // sys_boot: another kernel
	19, // sys_ptrace: every process
	33, // mac_admin: the policy of the security module
	32, // mac_override: access in spite of that policy
	31, // setfcap: every capability for a file
	8,  // setpcap: every capability of the bounding set

	// Root by way of a file.
	1,  // dac_override: write any file
	0,  // chown: own any file
	3,  // fowner: change the mode of any file
	27, // mknod: raw disks
	2,  // dac_read_search: read any file, so every key and password
	9,  // linux_immutable: files that protect themselves from root

	// Root by way of an identity.
	7,  // setuid: become uid 0
	6,  // setgid: join any group
	4,  // fsetid: keep set-id bits of a changed file
	18, // sys_chroot: a root directory that misleads set-user-ID programs

	// Other users' processes, or the machine as a whole.
	5,  // kill: end any process
	12, // net_admin: routes, firewall, interfaces
	38, // perfmon: observe every process
	34, // syslog: kernel addresses and log
	30, // audit_control: switch auditing off
	37, // audit_read: read the audit log
	40, // checkpoint_restore: choose PIDs, read other processes' state
	24, // sys_resource: exceed limits and quotas
	25, // sys_time: the clock of the machine
	23, // sys_nice: priorities of other processes
	13, // net_raw: read and forge packets of the network namespace
	15, // ipc_owner: other users' shared memory
	26, // sys_tty_config: other users' terminals
	20, // sys_pacct: process accounting of the machine
	28, // lease: delay other users' opening of files

	// Little more than their own effect.
	14, // ipc_lock: lock memory
	36, // block_suspend
	35, // wake_alarm
	29, // audit_write: write audit records
	11, // net_broadcast: no effect in today's kernels
	10, // net_bind_service: privileged ports
}

// rank returns the position of capability n in byPower. It is lower for a more powerful
// capability, and lowest for one that is not in the table: nothing is known about it.
func rank(n int) int {
	for position, c := range byPower {
		if c == n {
			return position
		}
	}
	return -1
}

// MorePowerful reports whether capability a gives more power over the system than b, by
// this package's order: what amounts to root first, then what affects files, identities,
// other processes and the machine. A capability without a name comes before all others.
func MorePowerful(a, b int) bool {
	if ra, rb := rank(a), rank(b); ra != rb {
		return ra < rb
	}
	return a < b
}

// ByPower returns the capabilities of a set, the most powerful first.
func ByPower(set cred.Caps) []int {
	list := make([]int, 0, set.Len())
	for n := range set.All() {
		if rank(n) < 0 {
			list = append(list, n)
		}
	}
	for _, n := range byPower {
		if set.Has(n) {
			list = append(list, n)
		}
	}
	return list
}
