package compare

import (
	"fmt"
	"slices"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verdict says what a process holds next to what a profile declares, in one
// respect or in all of them. A greater verdict weighs more.
type Verdict int

const (
	VerdictSame Verdict = iota

	// VerdictLess is a process that gave something up, or was started with
	// less.
	VerdictLess

	// VerdictUnknown is what cannot be read.
	VerdictUnknown
	VerdictIncomparable
	VerdictMore
)

var verdictNames = [...]string{"same", "less", "unknown", "not comparable", "more"}

// String returns the verdict in words.
func (v Verdict) String() string { return verdictNames[v] }

var orderVerdicts = [...]Verdict{Same: VerdictSame, Less: VerdictLess, More: VerdictMore, Incomparable: VerdictIncomparable}

// Verification compares a running process with a plan. It is true of the
// instant in which the process was read: what is permitted can become
// effective at any time.
type Verification struct {
	Plan    *engine.Plan
	Process *machine.Process

	// States has one comparison for each state of the process. It is empty
	// for a process in another user namespace: capabilities are relative to
	// that, and so nothing was compared.
	States []StateVerification
}

// StateVerification compares the threads that are in one state.
type StateVerification struct {
	machine.ProcessState
	Checks []Check
}

// Check is the comparison in one respect: Old is what the profile declares, New
// what the process holds.
type Check struct {
	Difference
	Verdict Verdict

	// Ignored tells that the verdict does not count: securebits cannot be read
	// of any process, so they are unknown, and never a match; the root directory
	// of another mount namespace is unknown where the profile declares none.
	Ignored bool

	// Note says what cannot be known about the process; empty for nothing.
	Note string
}

// Found returns what the process holds in words.
func (c Check) Found() string { return c.New.String() + c.Note }

// Verdict returns the weightiest verdict that counts.
func (s StateVerification) Verdict() Verdict {
	v := VerdictSame
	for _, c := range s.Checks {
		if !c.Ignored {
			v = max(v, c.Verdict)
		}
	}
	return v
}

// Verdict returns the weightiest verdict of all threads.
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

// Matches reports whether the process holds what the plan declares and no
// more; when exact, whether it does not hold less either, and everything
// declared could be seen.
func (v *Verification) Matches(exact bool) bool {
	if !exact {
		return v.Verdict() <= VerdictLess
	}
	return v.Verdict() == VerdictSame && !setsSecurebits(v.Plan.Profile)
}

// setsSecurebits reports whether the profile declares securebits.
func setsSecurebits(p *policy.Profile) bool { return p.Secbits != nil || p.Mode != nil }

// verify compares a process with the state in which a plan starts its target: see
// Verify.
func verify(plan *engine.Plan, proc *machine.Process) (*Verification, error) {
	v := &Verification{Plan: plan, Process: proc}
	switch proc.UserNS {
	case machine.NamespaceOther:
		return v, nil
	case machine.NamespaceUnknown:
		return nil, &machine.Error{
			Subject: fmt.Sprintf("process %d", proc.PID), Err: fmt.Errorf("its user namespace cannot be read: %w", proc.UserNSErr),
			Hint: "run caprun as root (cap_sys_ptrace): its own user may look only if it holds no capability that the user lacks, and is dumpable",
		}
	}
	own, err := machine.DirectoryID("/")
	if err != nil {
		return nil, &machine.Error{Profile: plan.Profile, Key: "chroot", Subject: "root directory /", Err: err}
	}
	want := own
	if path := plan.Profile.Chroot; path != "" {
		if want, err = machine.DirectoryID(path); err != nil {
			return nil, &machine.Error{Profile: plan.Profile, Key: "chroot", Subject: "root directory " + path, Err: err,
				Hint: "verify on the machine, and with the root directory, where the process was started"}
		}
	}
	for _, s := range proc.States {
		checks := []Check{rootCheck(plan.Profile.Chroot, want, own, s)}
		for _, d := range compareCreds(plan.AfterExec, s.Cred) {
			check := Check{Difference: d, Verdict: orderVerdicts[d.Order]}
			if !d.Changed() {
				// Ordered by another dimension: uid 0 stands above every group.
				check.Verdict = VerdictSame
			}
			if slices.Contains(s.Unmapped, string(d.Dimension)) {
				check.Note = ", with ids that are not mapped here"
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

// rootCheck compares the root directory. chroot is that of the profile and want
// identifies it; own is that of the reader.
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
		// That of a container: the process inherited it, or one below it.
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
