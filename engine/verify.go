package engine

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
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
	Plan    *Plan
	Process *Process

	// States has one comparison for each state of the process. It is empty
	// for a process in another user namespace: capabilities are relative to
	// that, and so nothing was compared.
	States []StateVerification
}

// StateVerification compares the threads that are in one state.
type StateVerification struct {
	ProcessState
	Checks []Check
}

// Check is the comparison in one respect: Dimension.A is what the profile
// declares, Dimension.B what the process holds.
type Check struct {
	Dimension
	Verdict Verdict

	// Aside tells that the verdict does not count: securebits cannot be read
	// of any process, so they are unknown, and never a match; the root directory
	// of another mount namespace is unknown where the profile declares none.
	Aside bool
}

// Verdict returns the weightiest verdict that counts.
func (s StateVerification) Verdict() Verdict {
	v := VerdictSame
	for _, c := range s.Checks {
		if !c.Aside {
			v = max(v, c.Verdict)
		}
	}
	return v
}

// Verdict returns the weightiest verdict of all threads.
func (v *Verification) Verdict() Verdict {
	if v.Process.UserNS != NamespaceSame {
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
	return v.Verdict() == VerdictSame && !v.Plan.setsSecurebits()
}

func (p *Plan) setsSecurebits() bool { return p.Profile.Secbits != nil || p.Profile.Mode != nil }

// NamespaceError says why it cannot be told in which user namespace a process
// lives.
type NamespaceError struct {
	PID int
	Err error
}

// Error returns the cause and what to do.
func (e *NamespaceError) Error() string {
	return fmt.Sprintf("process %d: its user namespace cannot be read: %v; run caprun as root (cap_sys_ptrace): "+
		"its own user may look only if it holds no capability that the user lacks, and is dumpable", e.PID, e.Err)
}

// Unwrap returns the cause.
func (e *NamespaceError) Unwrap() error { return e.Err }

// CompileFor makes the plan with which a process may have been started: for an
// ordinary program or, where that leads nowhere, for the file that the process
// executes. user is the entry of the profile's user, nil without.
func CompileFor(proc *Process, p *policy.Profile, from cred.Cred, user *User) (*Plan, []policy.Diagnostic) {
	target := OrdinaryTarget()
	target.Kernel, target.User = KernelRules(), user
	plan, findings := Compile(p, from, target)
	if plan != nil || proc.factsErr != nil {
		return plan, findings
	}
	target.File, target.FilePath = proc.facts, "the executable of the process"
	if plan, _ := Compile(p, from, target); plan != nil {
		return plan, nil
	}
	return nil, findings
}

// Verify compares a process with the state in which a plan starts its target:
// ids, groups, the five capability vectors, no_new_privs and the root
// directory of every thread, and the user namespace before all of them. The
// error is a *NamespaceError, or a *DirectoryError for the root directory of
// the profile, which must exist on this machine.
func Verify(plan *Plan, proc *Process) (*Verification, error) {
	v := &Verification{Plan: plan, Process: proc}
	switch proc.UserNS {
	case NamespaceOther:
		return v, nil
	case NamespaceUnknown:
		return nil, &NamespaceError{proc.PID, proc.UserNSErr}
	}
	own, err := RootDirectory("/")
	if err != nil {
		return nil, &DirectoryError{"chroot", "/", err, ""}
	}
	want := own
	if path := plan.Profile.Chroot; path != "" {
		if want, err = RootDirectory(path); err != nil {
			return nil, &DirectoryError{"chroot", path, err, "verify on the machine, and with the root directory, where the process was started"}
		}
	}
	for _, s := range proc.States {
		checks := []Check{rootCheck(plan.Profile.Chroot, want, own, s)}
		for _, d := range compareCreds(plan.After, s.Cred) {
			check := Check{Dimension: d, Verdict: orderVerdicts[d.Order]}
			if d.A == d.B {
				// Ordered by another dimension: uid 0 stands above every group.
				check.Verdict = VerdictSame
			}
			if slices.Contains(s.Unmapped, d.Name) {
				check.B += ", with ids that are not mapped here"
				check.Verdict = max(check.Verdict, VerdictUnknown)
			}
			checks = append(checks, check)
		}
		checks = append(checks, Check{
			Dimension: Dimension{Name: "securebits", Order: Incomparable, A: SecbitsText(plan.After.Securebits), B: "unknown"},
			Verdict:   VerdictUnknown, Aside: true,
		})
		v.States = append(v.States, StateVerification{s, checks})
	}
	return v, nil
}

// rootCheck compares the root directory. chroot is that of the profile and want
// identifies it; own is that of the reader.
func rootCheck(chroot string, want, own Directory, s ProcessState) Check {
	d := Dimension{Name: "root directory", A: "/", B: "another directory"}
	if chroot != "" {
		d.A = chroot
	}
	switch {
	case s.RootErr != nil:
		d.B, d.Order = "unknown: "+s.RootErr.Error(), Incomparable
		return Check{Dimension: d, Verdict: VerdictUnknown}
	case s.Root == want:
		d.B = d.A
	case chroot == "" && s.MountNS == NamespaceOther:
		// That of a container: the process inherited it, or one below it.
		d.A, d.B, d.Order = "the caller's", "one of another mount namespace", Incomparable
		return Check{Dimension: d, Verdict: VerdictUnknown, Aside: true}
	case want == own:
		d.Order = Less
	case s.Root == own:
		d.B, d.Order = "/", More
	default:
		d.Order = Incomparable
	}
	return Check{Dimension: d, Verdict: orderVerdicts[d.Order]}
}
