package engine

import (
	"errors"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// CompileForHost is Explain for this machine: for the program that is there,
// with its set-id bits and file capabilities, the entry of the profile's user,
// and the rules and capabilities of the running kernel. The caller is root with the
// limits of the calling process, which it can raise if root can do so here.
// Beside what Compile finds it says what is missing, and what the target's user
// could change. Where there is no program to look at, the plan is that of an
// ordinary one; where something is missing, it is that of Explain.
func CompileForHost(p *policy.Profile) (*Plan, []policy.Diagnostic) {
	from, around, err := rootHere(p)
	if err != nil {
		plan, found := Explain(p)
		return plan, append(found, missing(p, err))
	}
	target, err := TargetHere(p, from, nil)
	if errors.Is(err, machine.ErrNoCommand) {
		target.WritablePaths, err = machine.WritablePathsToRoot(p, machine.Identify(p, from, target.User))
	}
	if err != nil {
		plan, found := Explain(p)
		return plan, append(found, missing(p, err))
	}
	target.Kernel, target.Surroundings = machine.KernelRules(), around
	plan, found := Compile(p, from, target)
	if plan != nil {
		for _, e := range plan.WritablePaths() {
			found = append(found, plan.WritablePathDiagnostic(e))
		}
	}
	return plan, found
}

// rootHere returns root on the running kernel, and the limits that it finds where
// the calling process is.
func rootHere(p *policy.Profile) (cred.Cred, *machine.Surroundings, error) {
	from := cred.Root()
	now, err := machine.Current()
	if err != nil {
		return from, nil, err
	}
	for _, set := range []*cred.Caps{&from.All, &from.Permitted, &from.Effective, &from.Bounding} {
		*set = set.Intersect(now.All)
	}
	around, err := machine.ReadLimits(p)
	if err == nil {
		around.KeepsLimits = !now.Bounding.Has(sysResource) || now.UserNS.Nested
	}
	return from, around, err
}

// missing returns what the machine lacks for a profile as a finding.
func missing(p *policy.Profile, err error) policy.Diagnostic {
	var failed *machine.Error
	if errors.As(err, &failed) {
		which, key := ruleUnseen, ""
		switch {
		case failed.Key == "user":
			which, key = ruleNoEntry, failed.Key
		case failed.Key == "chroot", failed.Key == "cwd":
			which, key = ruleNoDirectory, failed.Key
		case failed.NotExecutable:
			which, key = ruleNoTarget, "command[0]"
		}
		if which != ruleUnseen {
			return diagnose(p, which, placeOf(p, key), failed.Message(), failed.Hint)
		}
	}
	return diagnose(p, ruleUnseen, placeOf(p, "command"), err.Error(), "check without -host, or as a user who may look")
}

// placeOf returns where a key stands, or where the profile begins.
func placeOf(p *policy.Profile, key string) policy.Position {
	if at := p.Position(key); at.IsKnown() {
		return at
	}
	return p.Position("version")
}

// CompileForProcess makes the plan with which a process may have been started: for an
// ordinary program or, where that leads nowhere, for the file that the process
// executes. user is the entry of the profile's user, nil without.
func CompileForProcess(proc *machine.Process, p *policy.Profile, from cred.Cred, user *machine.User) (*Plan, []policy.Diagnostic) {
	target := OrdinaryTarget()
	target.Kernel, target.User = machine.KernelRules(), user
	plan, findings := Compile(p, from, target)
	if plan != nil || proc.FileErr != nil {
		return plan, findings
	}
	target.File, target.FilePath = proc.File, "the executable of the process"
	if plan, _ := Compile(p, from, target); plan != nil {
		return plan, nil
	}
	return nil, findings
}
