package systemd

import (
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/platform/declared"
)

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
		if all := u.lists[key]; len(all) > 0 && isFilter(all) {
			list = append(list, all[len(all)-1])
		}
	}
	if all := u.lists[namespacesKey]; u.restrictsNamespaces() {
		list = append(list, all[len(all)-1])
	}
	return list
}

// isFilter reports whether assignments to a list of system calls, architectures or address
// families filter anything. The first one decides whether the list allows or denies; after
// that, a word with the other meaning is removed from the list. The members of a set such as
// @privileged are not known here: such a word removes only itself.
func isFilter(list []*assignment) bool {
	denies := strings.HasPrefix(list[0].value, "~")
	words := map[string]bool{}
	for _, a := range list {
		text, inverted := strings.CutPrefix(a.value, "~")
		for _, word := range strings.Fields(text) {
			if inverted == denies {
				words[word] = true
			} else {
				delete(words, word)
			}
		}
	}
	return !denies || len(words) > 0
}

const namespacesKey = "RestrictNamespaces"

// namespaces are the words of RestrictNamespaces=.
var namespaces = [...]string{"cgroup", "ipc", "net", "mnt", "pid", "user", "uts"}

// checkNamespaces reports whether systemd accepts a value of RestrictNamespaces=: one unknown
// word makes it ignore the whole line.
func (u *unit) checkNamespaces(a *assignment) bool {
	if _, ok := parseBool(a.value); ok || a.value == "" {
		return true
	}
	text := strings.TrimPrefix(a.value, "~")
	list, _ := words(text, unquote)
	for _, w := range list {
		if !slices.Contains(namespaces[:], w.text) {
			hint := "write yes or no, or some of " + strings.Join(namespaces[:], " ")
			u.found.add(declared.Ignored, a.word(w.offset+len(a.value)-len(text), w.length), hint, "systemd ignores %s=: unknown namespace %q", a.key, clip(w.text))
			return false
		}
	}
	return true
}

// restrictsNamespaces reports whether RestrictNamespaces= denies a namespace. A boolean
// replaces what was before it; lists add up, and the first one names all that are allowed
// or denied.
func (u *unit) restrictsNamespaces() bool {
	const all = 1<<len(namespaces) - 1
	allowed, initial := all, true
	for _, a := range u.lists[namespacesKey] {
		if on, ok := parseBool(a.value); ok {
			allowed, initial = all, false
			if on {
				allowed = 0
			}
			continue
		}
		text, inverted := strings.CutPrefix(a.value, "~")
		list, _ := words(text, unquote)
		named := 0
		for _, w := range list {
			named |= 1 << slices.Index(namespaces[:], w.text)
		}
		switch {
		case initial && inverted:
			allowed = all &^ named
		case initial:
			allowed = named
		case inverted:
			allowed &^= named
		default:
			allowed |= named
		}
		initial = false
	}
	return allowed != all
}
