package classify

import (
	"slices"
	"strings"

	"caprun/learn/observe"
)

// Class is the meaning of a capability check.
type Class int

// The classes. A check has the first that applies.
const (
	// Memory is a check of memory accounting (cap_vm_enough_memory). Every process makes
	// many, and works without the capability: it only increases how much memory the process
	// may reserve when the system is almost full.
	Memory Class = iota

	// Foreign is a check against another user namespace than that of the recorder. No
	// capability of the profile matters there.
	Foreign

	// WeakDenied is a Weak check with the answer no.
	WeakDenied

	// Weak is a check that the kernel makes to decide how to do something, not whether. It
	// is not recorded in the audit log, or it is part of capset(2).
	Weak

	// Denied is any other check with the answer no.
	Denied

	// Strong is any other check: without the capability the call probably fails.
	Strong
)

// The functions of the kernel that give a check another meaning. They may be anywhere in
// the stack.
var (
	memoryFunctions = []string{"cap_vm_enough_memory", "security_vm_enough_memory_mm", "__vm_enough_memory"}

	// Besides these, all functions whose names end in _noaudit.
	weakFunctions = []string{
		// Whether a traced process gets its capabilities at exec.
		"ptracer_capable",
		// The mode of a file in /proc/sys/net.
		"net_ctl_permissions",
		// capset(2) checks cap_setpcap, and works without it for most changes.
		"cap_capset",
	}

	// The kernel handles a netlink request in the sender's sendmsg(2).
	netlinkFunctions = []string{"netlink_unicast", "netlink_rcv_skb", "audit_receive"}
)

// ClassOf returns the class of a check. Without the kernel's symbols, checks of memory
// accounting look like others.
func ClassOf(c observe.Check) Class {
	weak := isWeak(c)
	switch {
	case calledBy(c, memoryFunctions):
		return Memory
	case c.Foreign:
		return Foreign
	case weak && c.Denied:
		return WeakDenied
	case weak:
		return Weak
	case c.Denied:
		return Denied
	}
	return Strong
}

// calledBy reports whether one of the kernel's functions is in the stack of a check. The
// compiler adds a suffix such as .isra.0 to the name of a changed copy of a function.
func calledBy(c observe.Check, functions []string) bool {
	return slices.ContainsFunc(c.Functions, func(name string) bool {
		return slices.Contains(functions, plainName(name))
	})
}

func plainName(function string) string {
	name, _, _ := strings.Cut(function, ".")
	return name
}

// isWeak reports whether a check decides how to do something, not whether.
func isWeak(c observe.Check) bool {
	return c.NoAudit || calledBy(c, weakFunctions) || strings.HasSuffix(c.Call.Name, "capset") ||
		slices.ContainsFunc(c.Functions, func(name string) bool { return strings.HasSuffix(plainName(name), "_noaudit") })
}
