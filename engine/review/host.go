package review

import (
	"errors"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// CompileForHost compiles a profile for this machine: for the installed program
// with its set-user-ID and set-group-ID bits and file capabilities, the entries of the
// profile's user and groups, and the rules and capabilities of the running kernel. The caller
// is root with the limits of the calling process, which it can raise if root can do
// so here. CompileForHost also reports what is missing on the machine, and files
// that the target's user could change. Without a command the plan is for an ordinary
// program; if something is missing, the plan does not depend on the machine.
func CompileForHost(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
	from, around, err := rootHere(p)
	if err != nil {
		plan, found := compileForRoot(p)
		return plan, append(found, missing(p, err))
	}
	target, err := engine.FindTarget(p, from, nil)
	if errors.Is(err, machine.ErrNoCommand) {
		target.WritablePaths, err = machine.WritablePathsToRoot(p, machine.TargetIdentity(p, from, target.Accounts))
	}
	if err != nil {
		plan, found := compileForRoot(p)
		return plan, append(found, missing(p, err))
	}
	target.KernelRules, target.Resources = machine.KernelRules(), around
	plan, found := engine.Compile(p, from, target)
	if plan != nil {
		for _, e := range plan.WritablePaths() {
			found = append(found, plan.WritablePathDiagnostic(e))
		}
	}
	return plan, found
}

// rootHere returns the credentials of root on the running kernel, and the limits that the
// calling process passes on to programs.
func rootHere(p *policy.Profile) (cred.Cred, *machine.Resources, error) {
	from := cred.Root()
	now, err := machine.CurrentCred()
	if err != nil {
		return from, nil, err
	}
	for _, set := range []*cred.Caps{&from.All, &from.Permitted, &from.Effective, &from.Bounding} {
		*set = set.Intersect(now.All)
	}
	if err := machine.RestoreOpenFiles(p); err != nil {
		return from, nil, err
	}
	around, err := machine.ReadLimits(p)
	if err == nil {
		around.HardLimitsFixed = !now.Bounding.Has(int(cap.SYS_RESOURCE)) || now.UserNS.Nested
	}
	return from, around, err
}

// The rules that only CompileForHost checks.
var (
	hostUser      = policy.Rule{Name: "user-without-entry", Severity: policy.Error, Summary: "The user has no entry in this machine's /etc/passwd."}
	hostGroup     = policy.Rule{Name: "group-without-entry", Severity: policy.Error, Summary: "The group has no entry in this machine's /etc/group."}
	hostDirectory = policy.Rule{Name: "missing-directory", Severity: policy.Error, Summary: "The root or working directory does not exist on this machine."}
	hostTarget    = policy.Rule{Name: "missing-target", Severity: policy.Error, Summary: "The program does not exist on this machine or cannot be executed."}
	hostUnknown   = policy.Rule{Name: "host-unreadable", Severity: policy.Error, Summary: "caprun cannot read what check -host needs from this machine."}
)

func hostRules() []policy.Rule {
	return []policy.Rule{hostUser, hostGroup, hostDirectory, hostTarget, hostUnknown}
}

// missing returns the finding for an error in examining the machine.
func missing(p *policy.Profile, err error) policy.Diagnostic {
	s := reporter{profile: p, rule: hostUnknown}
	var failed *machine.Error
	if errors.As(err, &failed) {
		key := ""
		switch {
		case failed.Key == "user":
			s.rule, key = hostUser, failed.Key
		case failed.Key == "gid", strings.HasPrefix(failed.Key, "groups["):
			s.rule, key = hostGroup, failed.Key
		case failed.Key == "chroot", failed.Key == "cwd":
			s.rule, key = hostDirectory, failed.Key
		case failed.NotExecutable:
			s.rule, key = hostTarget, "command[0]"
		}
		if key != "" {
			s.report(p.Position(key), failed.Message(), failed.Hint)
			return s.found[0].Diagnostic
		}
	}
	s.report(p.Position("command"), err.Error(), "run check without -host, or as a user with permission")
	return s.found[0].Diagnostic
}
