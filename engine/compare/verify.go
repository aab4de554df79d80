package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verdict is the result of comparing a process with its profile, in one respect or in all.
// A greater Verdict takes precedence over a lesser one.
type Verdict int

const (
	VerdictSame Verdict = iota

	// VerdictLess reports that the process has less than the profile declares: it
	// dropped privileges, or was started without them.
	VerdictLess

	// VerdictUnknown reports that the state of the process cannot be read.
	VerdictUnknown
	VerdictIncomparable
	VerdictMore
)

var verdictNames = [...]string{"same", "less", "unknown", "not comparable", "more"}

// String returns "same", "less", "unknown", "not comparable" or "more".
func (v Verdict) String() string { return verdictNames[v] }

var orderVerdicts = [...]Verdict{Same: VerdictSame, Less: VerdictLess, More: VerdictMore, Incomparable: VerdictIncomparable}

// Verification is the result of comparing a running process with a plan. It applies to the
// instant at which the process was read: a permitted capability can become effective at
// any time.
type Verification struct {
	Plan    *engine.Plan
	Process *machine.Process

	// States has a comparison for each state of the process. It is empty if the
	// process is in another user namespace, to which its capabilities are relative.
	States []StateVerification
}

// StateVerification is the comparison of the threads that are in one state.
type StateVerification struct {
	machine.ProcessState
	Checks []Check
}

// Check is the comparison in one respect. Old is what the profile declares, New what the
// process has.
type Check struct {
	Difference
	Verdict Verdict

	// Ignored reports that the verdict does not count. That is so for securebits,
	// which cannot be read of any process, and for the root directory of a process
	// in another mount namespace, if the profile declares none.
	Ignored bool

	// Note says what is unknown about the process; empty if everything is known.
	Note string
}

// Found returns what the process has, as text.
func (c Check) Found() string { return c.New.String() + c.Note }

// Verdict returns the greatest verdict of the checks that count.
func (s StateVerification) Verdict() Verdict {
	v := VerdictSame
	for _, c := range s.Checks {
		if !c.Ignored {
			v = max(v, c.Verdict)
		}
	}
	return v
}

// Verdict returns the greatest verdict of all threads. It is VerdictIncomparable for a
// process in another user namespace.
func (v *Verification) Verdict() Verdict {
	if v.Process.UserNS != machine.NamespaceSame {
		return VerdictIncomparable
	}
	all := VerdictSame
	for _, s := range v.States {
		all = max(all, s.Verdict())
	}
	return all
}

// Matches reports whether the process has at most the privileges that the plan declares.
// If exact, it reports whether the process has exactly these, and whether everything that
// the profile declares can be read; securebits cannot.
func (v *Verification) Matches(exact bool) bool {
	if !exact {
		return v.Verdict() <= VerdictLess
	}
	return v.Verdict() == VerdictSame && !setsSecurebits(v.Plan.Profile)
}

// setsSecurebits reports whether the profile declares securebits.
func setsSecurebits(p *policy.Profile) bool { return p.Secbits != nil || p.Mode != nil }

// verify compares a process with the state in which plan starts its target: see [Verify].
func verify(plan *engine.Plan, proc *machine.Process) (*Verification, error) {
	v := &Verification{Plan: plan, Process: proc}
	switch proc.UserNS {
	case machine.NamespaceOther:
		return v, nil
	case machine.NamespaceUnknown:
		caller, err := machine.CurrentCred()
		if err != nil {
			return nil, err
		}
		return nil, unreadable(proc, caller)
	}
	own, err := machine.DirectoryID("/")
	if err != nil {
		return nil, &machine.Error{Profile: plan.Profile, Key: "chroot", Subject: "root directory /", Err: err}
	}
	want := own
	if path := plan.Profile.Chroot; path != "" {
		if want, err = machine.DirectoryID(path); err != nil {
			return nil, &machine.Error{Profile: plan.Profile, Key: "chroot", Subject: "root directory " + path, Err: err,
				Hint: "run caprun on the machine, and in the root directory, where the process was started"}
		}
	}
	for _, s := range proc.States {
		checks := []Check{rootCheck(plan.Profile.Chroot, want, own, s)}
		for _, d := range compareCreds(plan.AfterExec, s.Cred) {
			check := Check{Difference: d, Verdict: orderVerdicts[d.Order]}
			if !d.Changed() {
				// The order comes from another dimension: uid 0 has every group.
				check.Verdict = VerdictSame
			}
			if slices.Contains(s.Unmapped, string(d.Dimension)) {
				check.Note = ", with IDs that are not mapped here"
				check.Verdict = max(check.Verdict, VerdictUnknown)
			}
			checks = append(checks, check)
		}
		checks = append(checks, Check{
			Difference: Difference{"securebits", Incomparable, Bits(plan.AfterExec.Securebits), Text("unknown")},
			Verdict:    VerdictUnknown, Ignored: true,
		})
		v.States = append(v.States, StateVerification{s, checks})
	}
	return v, nil
}

// sysPtrace is the number of cap_sys_ptrace.
const sysPtrace = 19

// unreadable returns the error for a process of which the caller cannot read the user
// namespace.
//
// Kernel: __ptrace_may_access (kernel/ptrace.c), cap_ptrace_access_check
// (security/commoncap.c).
func unreadable(proc *machine.Process, caller cred.Cred) error {
	refused := &machine.Error{
		Subject: fmt.Sprintf("process %d", proc.PID), Err: fmt.Errorf("cannot read its user namespace: %w", proc.UserNSErr),
		Hint: "run caprun as root (cap_sys_ptrace)",
	}
	switch able := caller.Effective.Has(sysPtrace); {
	case !errors.Is(proc.UserNSErr, fs.ErrPermission):
		refused.Hint = ""
	case able && caller.UserNS.Nested:
		refused.Err = fmt.Errorf("%w: the process is outside of the user namespace in which caprun has cap_sys_ptrace, or a security module (LSM) refuses", refused.Err)
		refused.Hint = "run caprun as root in the user namespace of the process, such as outside of the container"
	case able:
		refused.Err = fmt.Errorf("%w: caprun has cap_sys_ptrace, but a security module (LSM) refuses", refused.Err)
		refused.Hint = "run caprun where no security module confines it, such as outside of the sandbox"
	case caller.EUID == 0:
		refused.Hint = "start caprun with cap_sys_ptrace, which root has outside of containers"
	default:
		refused.Hint += "; as the user of the process, you can read it only if it is dumpable and has no capability that you lack"
	}
	return refused
}

// rootCheck compares the root directory of a state. chroot is the declared path, and want
// its identity; own is the root directory of the calling process.
func rootCheck(chroot string, want, own machine.FileID, s machine.ProcessState) Check {
	declared := Text("/")
	if chroot != "" {
		declared = Text(chroot)
	}
	d := Difference{"root directory", Same, declared, Text("another directory")}
	switch {
	case s.RootErr != nil:
		d.New, d.Order = Text("unknown: "+s.RootErr.Error()), Incomparable
		return Check{Difference: d, Verdict: VerdictUnknown}
	case s.Root == want:
		d.New = d.Old
	case chroot == "" && s.MountNS == machine.NamespaceOther:
		// The root directory of a container, which the process inherited.
		d.Old, d.New, d.Order = Text("the caller's"), Text("one of another mount namespace"), Incomparable
		return Check{Difference: d, Verdict: VerdictUnknown, Ignored: true}
	case want == own:
		d.Order = Less
	case s.Root == own:
		d.New, d.Order = Text("/"), More
	default:
		d.Order = Incomparable
	}
	return Check{Difference: d, Verdict: orderVerdicts[d.Order]}
}
