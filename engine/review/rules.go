package review

import (
	"cmp"
	"slices"

	"caprun/engine"
	"caprun/policy"
)

// A risk is a rule about a profile that has a plan.
type risk struct {
	policy.Rule

	// find says each place that the rule is about. A place that is unknown
	// stands for the whole profile.
	find func(p *engine.Plan, say func(at policy.Position, message, hint string))
}

// risks is the one table of the rules of this package about plans. Their
// functions lie in files by subject.
var risks = [...]risk{
	{policy.Rule{Name: "amounts-to-root", Severity: policy.Warning, Summary: "The target holds a capability with which it can make itself root."}, amountsToRoot},
	{policy.Rule{Name: "bounding-wider", Severity: policy.Warning, Summary: "The bounding set that iab leaves has more than the target holds."}, boundingWider},
	{policy.Rule{Name: "caps-not-canonical", Severity: policy.Info, Summary: "A capability text is harder to read than the one that says the same."}, capsNotCanonical},
	{policy.Rule{Name: "chroot-descriptors", Severity: policy.Info, Summary: "A kept descriptor that is a directory leads out of chroot."}, chrootDescriptors},
	{policy.Rule{Name: "chroot-escape", Severity: policy.Warning, Summary: "The target holds a capability that leads out of chroot."}, chrootEscape},
	{policy.Rule{Name: "drops-by-itself", Severity: policy.Info, Summary: "The target starts as uid 0 with the capabilities to become another user."}, dropsByItself},
	{policy.Rule{Name: "environment-passed", Severity: policy.Info, Summary: "A privileged target gets the whole environment of its caller."}, environmentPassed},
	{policy.Rule{Name: "inheritable-not-ambient", Severity: policy.Warning, Summary: "A capability is inheritable and not ambient, which serves only files with capabilities."}, inheritableNotAmbient},
	{policy.Rule{Name: "limit-without-effect", Severity: policy.Info, Summary: "The kernel does not hold the target to a limit of rlimits."}, limitWithoutEffect},
	{policy.Rule{Name: "loader-variable", Severity: policy.Warning, Summary: "A variable of the dynamic loader is kept in vain, or brings its code into a privileged target."}, loaderVariable},
	{policy.Rule{Name: "no-new-privs-missing", Severity: policy.Warning, Summary: "Set-id programs and file capabilities still work."}, noNewPrivsMissing},
	{policy.Rule{Name: "noroot-missing", Severity: policy.Warning, Summary: "The target is a limited uid 0, and each exec gives it all of its capabilities again."}, norootMissing},
	{policy.Rule{Name: "nothing-declared", Severity: policy.Warning, Summary: "No key says which capabilities the target has."}, nothingDeclared},
	{policy.Rule{Name: "relative-command", Severity: policy.Warning, Summary: "Which program runs depends on where caprun starts."}, relativeCommand},
	{policy.Rule{Name: "root-group", Severity: policy.Warning, Summary: "The target is not uid 0, and is in group 0."}, rootGroup},
	{policy.Rule{Name: "root-keeps-power", Severity: policy.Warning, Summary: "The target is uid 0 with every capability."}, rootKeepsPower},
	{policy.Rule{Name: "secret-in-profile", Severity: policy.Warning, Summary: "The list env.set gives a value to a variable that is named like a secret."}, secretInProfile},
	{policy.Rule{Name: "securebit-unlocked", Severity: policy.Warning, Summary: "A securebit has no lock, and can be cleared again."}, securebitUnlocked},
	{policy.Rule{Name: "shell-command", Severity: policy.Warning, Summary: "The command is a shell, which hands its capabilities on to all that it starts."}, shellCommand},
	{policy.Rule{Name: "terminal-kept", Severity: policy.Warning, Summary: "An interactive program with less privilege can type into the caller's terminal."}, terminalKept},
	{policy.Rule{Name: "umask-open", Severity: policy.Warning, Summary: "The umask lets every user write the files that the target makes."}, umaskOpen},
}

// Rules returns every rule about profiles, sorted by name: those of policy and
// engine too.
func Rules() []policy.Rule {
	all := slices.Concat(policy.Rules(), engine.Rules(), suppressionRules(), []policy.Rule{ceilingRule})
	for _, r := range risks {
		all = append(all, r.Rule)
	}
	slices.SortFunc(all, func(a, b policy.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b policy.Rule) bool { return a.Name == b.Name })
}
