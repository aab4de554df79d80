package engine

import (
	"fmt"

	"caprun/engine/machine"
)

// Inherited is an attribute that the target inherits from the caller.
type Inherited struct {
	// Group is "identity", "privileges", "process", "signals", "scheduling",
	// "memory", "limits", "files" or "environment".
	Group string

	// Name is the name of the attribute, such as "working directory".
	Name string

	// Key is the profile key that sets the attribute; empty if there is none.
	Key string
}

// inheritedRow is an attribute, and when the target inherits it.
type inheritedRow struct {
	Inherited
	inherits func(*Plan) bool   // nil: always
	detail   func(*Plan) string // nil: nothing to add to the name
}

// inheritedRows has the attributes that execve(2) preserves, according to the man pages.
// An attribute that a launch or the child process of -init changes has a condition or a
// detail.
var inheritedRows = [...]inheritedRow{
	{Inherited{"identity", "user ID", "uid"}, (*Plan).inheritsIDs, nil},
	{Inherited{"identity", "group ID", "gid"}, (*Plan).inheritsIDs, nil},
	{Inherited{"identity", "supplementary groups", "groups"}, (*Plan).inheritsIDs, nil},
	{Inherited{"identity", "audit user ID", ""}, nil, nil},
	{Inherited{"identity", "session keyring", ""}, (*Plan).inheritsKeyring, nil},
	{Inherited{"identity", "default keyring of request_key(2)", ""}, nil, nil},

	{Inherited{"privileges", "inheritable set", ""}, (*Plan).inheritsInheritable, nil},
	{Inherited{"privileges", "ambient set", ""}, (*Plan).inheritsAmbient, nil},
	{Inherited{"privileges", "bounding set", ""}, (*Plan).inheritsBounding, nil},
	{Inherited{"privileges", "securebits", "secbits"}, (*Plan).inheritsSecurebits, nil},
	{Inherited{"privileges", "no_new_privs", "no_new_privs"}, (*Plan).inheritsNoNewPrivs, nil},
	{Inherited{"privileges", "seccomp filters", ""}, nil, nil},
	{Inherited{"privileges", "Landlock domain", ""}, nil, nil},
	{Inherited{"privileges", "LSM label", ""}, nil, nil},
	{Inherited{"privileges", "I/O port permissions", ""}, nil, nil},
	{Inherited{"privileges", "speculation control", ""}, nil, nil},
	{Inherited{"privileges", "memory-deny-write-execute", ""}, nil, nil},

	{Inherited{"process", "process ID", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "parent", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "children", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "tracer", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "process group", "new_session"}, (*Plan).inheritsGroup, nil},
	{Inherited{"process", "session", "new_session"}, (*Plan).inheritsSession, nil},
	{Inherited{"process", "controlling terminal", "new_session"}, (*Plan).inheritsSession, nil},
	{Inherited{"process", "child subreaper", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "parent-death signal", ""}, (*Plan).inheritsDeathSignal, nil},
	{Inherited{"process", "namespaces", ""}, nil, nil},
	{Inherited{"process", "cgroups", ""}, nil, nil},
	{Inherited{"process", "personality", ""}, nil, (*Plan).personalityDetail},
	{Inherited{"process", "CPU time", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"process", "semaphore adjustments", ""}, (*Plan).replacesCaller, nil},

	// The Go runtime changes the others before the first line of caprun.
	{Inherited{"signals", "ignored SIGHUP, SIGINT, SIGCONT, SIGTSTP, SIGTTIN and SIGTTOU", ""}, nil, nil},
	{Inherited{"signals", "blocked signals except SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGTERM, SIGCHLD, SIGURG, SIGPROF, SIGSYS, 32 to 34 and those of CPU exceptions", ""}, nil, nil},
	{Inherited{"signals", "pending signals that stay blocked", ""}, (*Plan).replacesCaller, nil},
	{Inherited{"signals", "interval timers", ""}, (*Plan).replacesCaller, nil},

	{Inherited{"scheduling", "nice value", ""}, nil, nil},
	{Inherited{"scheduling", "policy and priority", ""}, nil, (*Plan).schedulingDetail},
	{Inherited{"scheduling", "CPU affinity", ""}, nil, nil},
	{Inherited{"scheduling", "core-scheduling cookie", ""}, nil, nil},
	{Inherited{"scheduling", "I/O priority", ""}, nil, nil},
	{Inherited{"scheduling", "I/O flusher", ""}, nil, nil},
	{Inherited{"scheduling", "timer slack", ""}, nil, nil},

	{Inherited{"memory", "NUMA policy", ""}, nil, nil},
	{Inherited{"memory", "OOM score adjustment", ""}, nil, nil},
	{Inherited{"memory", "core-dump filter", ""}, nil, nil},
	{Inherited{"memory", "transparent huge pages", ""}, nil, nil},
	{Inherited{"memory", "same-page merging", ""}, nil, nil},
	{Inherited{"memory", "memory-corruption policy", ""}, nil, nil},

	{Inherited{"limits", "resource limits", "rlimits"}, (*Plan).inheritsLimits, (*Plan).limitsDetail},

	{Inherited{"files", "root directory", "chroot"}, func(p *Plan) bool { return p.Profile.Chroot == "" }, nil},
	{Inherited{"files", "working directory", "cwd"}, func(p *Plan) bool { return p.Profile.Cwd == "" && p.Profile.Chroot == "" }, nil},
	{Inherited{"files", "umask", "umask"}, func(p *Plan) bool { return p.Profile.Umask == nil }, nil},
	{Inherited{"files", "descriptors 0 to 2", ""}, nil, (*Plan).descriptorsDetail},
	{Inherited{"files", "record locks on them, unless caprun reads the file", ""}, (*Plan).replacesCaller, nil},

	{Inherited{"environment", "variables", "env"}, func(p *Plan) bool { return p.EnvironChange().KeepAll }, (*Plan).variablesDetail},
}

// Inherited returns the attributes that the target inherits from the caller: those that
// execve(2) preserves and that neither the profile nor the launch sets.
func (p *Plan) Inherited() []Inherited {
	var list []Inherited
	for _, row := range inheritedRows {
		if row.inherits != nil && !row.inherits(p) {
			continue
		}
		if row.detail != nil {
			row.Name += row.detail(p)
		}
		list = append(list, row.Inherited)
	}
	return list
}

// replacesCaller reports whether the target replaces the caller in its process.
func (p *Plan) replacesCaller() bool { return !p.Target.Supervised }

func (p *Plan) inheritsIDs() bool { return !p.Identity.Declared }

func (p *Plan) inheritsKeyring() bool { return !p.NewKeyring() || p.KeysUnreachable() }

// setsCaps reports whether the launch sets the inheritable and ambient sets, for a key of
// the profile or because the uid changes.
func (p *Plan) setsCaps() bool {
	return p.Profile.Caps != nil || p.Profile.IAB != nil || p.Profile.Mode != nil || p.Identity.ChangesUID(p.Caller)
}

func (p *Plan) inheritsInheritable() bool {
	return !p.setsCaps() && p.AfterExec.Inheritable == p.Caller.Inheritable
}

func (p *Plan) inheritsAmbient() bool {
	return !p.setsCaps() && p.AfterExec.Ambient == p.Caller.Ambient
}

func (p *Plan) inheritsBounding() bool { return p.Caller.Bounding == p.AfterExec.Bounding }

func (p *Plan) inheritsSecurebits() bool { return p.Profile.Secbits == nil && p.Profile.Mode == nil }

func (p *Plan) inheritsNoNewPrivs() bool {
	return !p.Profile.NoNewPrivs && p.Caller.NoNewPrivs == p.AfterExec.NoNewPrivs
}

func (p *Plan) inheritsSession() bool { return !p.Profile.NewSession }

// inheritsGroup reports whether the target inherits the process group. The child of -init
// leads a new one.
func (p *Plan) inheritsGroup() bool { return p.inheritsSession() && p.replacesCaller() }

func (p *Plan) inheritsDeathSignal() bool { return p.replacesCaller() && !p.losesDeathSignal() }

// personalityDetail names the flags that the kernel clears for a privileged target, see
// personality(2).
func (p *Plan) personalityDetail() string {
	if !p.BeforeExec.ClearsPersonality(p.Target.File, p.Target.KernelRules) {
		return ""
	}
	return " without ADDR_NO_RANDOMIZE, ADDR_COMPAT_LAYOUT, MMAP_PAGE_ZERO and READ_IMPLIES_EXEC"
}

func (p *Plan) schedulingDetail() string {
	if p.replacesCaller() {
		return ""
	}
	return " without SCHED_RESET_ON_FORK"
}

// inheritsLimits reports whether the profile does not set every resource limit.
func (p *Plan) inheritsLimits() bool {
	for n := 0; machine.RlimitName(n) != ""; n++ {
		if r := p.Profile.Rlimit(machine.RlimitName(n)); r.InheritSoft || r.InheritHard {
			return true
		}
	}
	return false
}

func (p *Plan) limitsDetail() string {
	text, separator := "", " except "
	for _, r := range p.Profile.Rlimits {
		text += separator
		switch separator = ", "; {
		case r.InheritSoft:
			text += "hard "
		case r.InheritHard:
			text += "soft "
		}
		text += r.Name
	}
	if p.SecureExec && p.Profile.Rlimit("stack").InheritSoft {
		// See checkStack.
		text += fmt.Sprintf("; the soft limit of the stack is at most %d", secureStack)
	}
	return text
}

// descriptorsDetail names the descriptors that the profile keeps.
func (p *Plan) descriptorsDetail() string {
	text, separator := "", " and "
	for _, fd := range p.Profile.KeepFDs {
		text += fmt.Sprint(separator, fd)
		separator = ", "
	}
	return text
}

// variablesDetail refers to the variables that the launch sets or removes.
func (p *Plan) variablesDetail() string {
	c := p.EnvironChange()
	if len(c.Set)+len(c.Unset)+len(c.Identity)+len(c.Loader) == 0 && !c.NewUser {
		return ""
	}
	return " except those listed under environment"
}
