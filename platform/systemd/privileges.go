package systemd

import "caprun/engine/cred"

// readNoNewPrivileges declares no_new_privs.
//
// Up to version 254, systemd also sets it where it installs a system call filter without
// CAP_SYS_ADMIN, which is after the change to another user than root:
// context_has_no_new_privileges. Since version 255, it keeps the capability until the
// filter is installed, and drops CAP_SETUID before: keep_seccomp_privileges.
func (b *builder) readNoNewPrivileges() {
	if !b.rank.sandbox {
		return
	}
	if b.isOn("NoNewPrivileges") {
		b.Profile.NoNewPrivs = true
		b.from("no_new_privs", b.last["NoNewPrivileges"])
		if user := b.last["User"]; user != nil && b.isRoot() && len(b.filters()) > 0 && b.Sets.Bounding.Minus(b.Sets.Ambient).Has(cred.SETUID) {
			b.lose(user, "since systemd 255, root with an explicit User=, NoNewPrivileges=yes and a filter of system calls does not have CAP_SETUID")
		}
		return
	}
	if b.isOn("DynamicUser") {
		b.Profile.NoNewPrivs = true
		b.from("no_new_privs", b.last["DynamicUser"])
		return
	}
	if b.isRoot() {
		return
	}
	filters := b.filters()
	if len(filters) == 0 {
		return
	}
	b.Profile.NoNewPrivs = true
	b.from("no_new_privs", filters...)
	b.lose(filters[0], "no_new_privs follows from %s= up to systemd 254 only; declare NoNewPrivileges=yes for all versions", filters[0].key)
}

// isRoot reports whether the process has uid 0.
func (b *builder) isRoot() bool { return b.Profile.UID != nil && *b.Profile.UID == 0 }

// filterBooleans are the keys that install a system call filter.
var filterBooleans = [...]string{
	"LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock", "ProtectHostname",
	"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "RestrictRealtime", "RestrictSUIDSGID",
}

// filters returns the last assignment of each key that installs a system call filter.
func (u *unit) filters() []*assignment {
	var list []*assignment
	for _, key := range filterBooleans {
		if u.isOn(key) {
			list = append(list, u.last[key])
		}
	}
	for _, key := range [...]string{"RestrictAddressFamilies", "SystemCallArchitectures", "SystemCallFilter", "SystemCallLog"} {
		if all := u.lists[key]; len(all) > 0 {
			list = append(list, all[len(all)-1])
		}
	}
	if all := u.lists["RestrictNamespaces"]; u.restrictsNamespaces() {
		list = append(list, all[len(all)-1])
	}
	return list
}

// restrictsNamespaces reports whether RestrictNamespaces= denies a namespace. A boolean
// replaces what was before it; a list is taken to deny some.
func (u *unit) restrictsNamespaces() bool {
	denies := false
	for _, a := range u.lists["RestrictNamespaces"] {
		if on, ok := parseBool(a.value); ok {
			denies = on
		} else {
			denies = true
		}
	}
	return denies
}
