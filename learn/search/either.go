package search

import "caprun/engine/cred"

// either are groups of capabilities of which some calls accept any one: the kernel denies
// the first and then checks the next.
var either = [...]cred.Caps{
	1<<1 | 1<<2,   // dac_override, dac_read_search: generic_permission (fs/namei.c)
	1<<21 | 1<<38, // sys_admin, perfmon: perfmon_capable
	1<<21 | 1<<39, // sys_admin, bpf: bpf_capable
	1<<21 | 1<<40, // sys_admin, checkpoint_restore: checkpoint_restore_ns_capable
	1<<21 | 1<<34, // sys_admin, syslog: check_syslog_permissions
	1<<12 | 1<<13, // net_admin, net_raw: IP_TRANSPARENT, SO_MARK
	1<<21 | 1<<24, // sys_admin, sys_resource: limits of pipes and message queues
	1<<21 | 1<<12, // sys_admin, net_admin: devices and BPF programs of the network
}

// eitherOf returns the capabilities that some call accepts instead of n.
func eitherOf(n int) cred.Caps {
	var all cred.Caps
	for _, group := range either {
		if group.Has(n) {
			all = all.Union(group)
		}
	}
	return all.Without(n)
}
