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
	filters, unclear := b.filters()
	if b.isOn("NoNewPrivileges") {
		b.Profile.NoNewPrivs = true
		b.from("no_new_privs", b.last["NoNewPrivileges"])
		if user := b.last["User"]; user != nil && b.isRoot() && len(filters)+len(unclear) > 0 && b.Sets.Bounding.Minus(b.Sets.Ambient).Has(cred.SETUID) {
			b.addLoss(user, "since systemd 255, root with an explicit User=, NoNewPrivileges=yes and a filter of system calls does not have CAP_SETUID")
		}
		return
	}
	if b.isOn("DynamicUser") {
		b.Profile.NoNewPrivs = true
		b.from("no_new_privs", b.last["DynamicUser"])
		return
	}
	if b.isRoot() || b.Sets.UnknownUID && !b.Sets.NotRoot {
		return
	}
	hint := "add NoNewPrivileges=yes"
	if b.last["NoNewPrivileges"] != nil {
		hint = "write NoNewPrivileges=yes"
	}
	switch {
	case len(filters) > 0:
		b.Profile.NoNewPrivs = true
		b.from("no_new_privs", filters...)
		b.addFinding(declared.NoNewPrivsImplied, filters[0].source(), hint, "%s= sets no_new_privs only up to systemd 254", filters[0].key)
	case len(unclear) > 0:
		b.addFinding(declared.NoNewPrivsImplied, unclear[0].source(), hint,
			"the profile has no no_new_privs: %s= sets it only up to systemd 254, and only if something remains to filter", unclear[0].key)
	}
}

// isRoot reports whether the process has uid 0.
func (b *builder) isRoot() bool { return b.Profile.UID != nil && *b.Profile.UID == 0 }

// filterBooleans are the keys that install a system call filter.
var filterBooleans = [...]string{
	"LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock", "ProtectHostname",
	"ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "RestrictRealtime", "RestrictSUIDSGID",
}

// filters returns the last assignment of each key that installs a system call filter.
// unclear has those of the keys that install one if systemd knows a name that this package
// does not know.
func (u *unit) filters() (list, unclear []*assignment) {
	for _, key := range filterBooleans {
		if u.isOn(key) {
			list = append(list, u.last[key])
		}
	}
	for _, l := range [...]struct {
		key     string
		isKnown func(word string) bool
	}{
		{"RestrictAddressFamilies", isFamily}, {"SystemCallArchitectures", isArchitecture},
		{"SystemCallFilter", isSystemCall}, {"SystemCallLog", isSystemCall},
	} {
		all := u.lists[l.key]
		if len(all) == 0 {
			continue
		}
		filters, clear := isFilter(all, l.isKnown)
		if last := all[len(all)-1]; !clear {
			unclear = append(unclear, last)
		} else if filters {
			list = append(list, last)
		}
	}
	if all := u.lists[namespacesKey]; u.restrictsNamespaces() {
		list = append(list, all[len(all)-1])
	}
	return list, unclear
}

// isFilter reports whether assignments to a list of system calls, architectures or address
// families filter anything. The first one decides whether the list allows or denies, and a
// list that allows filters with any words, except for architectures. systemd ignores unknown
// words. clear is false if the result depends on words that are not known here, or on what a
// later assignment removes from a list that denies.
func isFilter(list []*assignment, isKnown func(word string) bool) (filters, clear bool) {
	isNone := func(a *assignment) bool { return a.key == "RestrictAddressFamilies" && a.value == "none" }
	if slices.ContainsFunc(list, isNone) {
		denies := isNone(list[len(list)-1]) // otherwise what follows begins a new list
		return denies, denies
	}
	denies := strings.HasPrefix(list[0].value, "~")
	architectures := list[0].key == "SystemCallArchitectures" // which '~' does not invert
	if !denies && !architectures {
		return true, true
	}
	some, known, removes := false, false, false
	for _, a := range list {
		text, inverted := a.value, false
		if !architectures {
			text, inverted = strings.CutPrefix(text, "~")
		}
		for _, word := range strings.Fields(text) {
			some = true
			known = known || isKnown(word)
			removes = removes || !architectures && !inverted
		}
	}
	return known && !removes, !some || known && !removes
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
