package review

import (
	"cmp"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// A risk is a rule about a profile that has a plan.
type risk struct {
	policy.Rule

	// find reports each place that the rule is about. A place that is unknown
	// stands for the whole profile.
	find func(p *engine.Plan, report func(at policy.Position, message, hint string))

	// findCaps is find for a rule that is about capabilities, more of which
	// would be worse: each finding says which. A rule has one of the two.
	findCaps func(p *engine.Plan, report capReporter)

	// vector is where findCaps looks for capabilities.
	vector func(cred.Cred) cred.Caps
}

// A capReporter adds a finding about at least one capability.
type capReporter func(at policy.Position, caps cred.Caps, message, hint string)

func permitted(c cred.Cred) cred.Caps   { return c.Permitted }
func inheritable(c cred.Cred) cred.Caps { return c.Inheritable }
func bounding(c cred.Cred) cred.Caps    { return c.Bounding }

// risks is the one table of the rules of this package about plans. Their
// functions lie in files by subject.
var risks = [...]risk{
	{Rule: policy.Rule{Name: "amounts-to-root", Severity: policy.Warning, Summary: "The target holds a capability with which it can make itself root."}, findCaps: amountsToRoot, vector: permitted},
	{Rule: policy.Rule{Name: "bounding-wider", Severity: policy.Warning, Summary: "The bounding set that iab leaves has more than the target holds."}, findCaps: boundingWider, vector: bounding},
	{Rule: policy.Rule{Name: "caps-not-canonical", Severity: policy.Info, Summary: "A capability text is harder to read than the one that says the same."}, find: capsNotCanonical},
	{Rule: policy.Rule{Name: "chroot-descriptors", Severity: policy.Info, Summary: "A kept descriptor that is a directory leads out of chroot."}, find: chrootDescriptors},
	{Rule: policy.Rule{Name: "chroot-escape", Severity: policy.Warning, Summary: "The target holds a capability that leads out of chroot."}, findCaps: chrootEscape, vector: permitted},
	{Rule: policy.Rule{Name: "chroot-of-process", Severity: policy.Warning, Summary: "The root directory is that of a process, which chroot does not choose."}, find: chrootOfProcess},
	{Rule: policy.Rule{Name: "drops-by-itself", Severity: policy.Info, Summary: "The target starts as uid 0 with the capabilities to become another user."}, find: dropsByItself},
	{Rule: policy.Rule{Name: "environment-passed", Severity: policy.Info, Summary: "The environment of its caller can choose the code of a privileged target."}, find: environmentPassed},
	{Rule: policy.Rule{Name: "inheritable-not-ambient", Severity: policy.Warning, Summary: "A capability is inheritable and not ambient, which serves only files with capabilities."}, findCaps: inheritableNotAmbient, vector: inheritable},
	{Rule: policy.Rule{Name: "limit-too-low", Severity: policy.Warning, Summary: "A limit of rlimits is lower than any program needs: most of them count bytes, not KiB."}, find: limitTooLow},
	{Rule: policy.Rule{Name: "limit-without-effect", Severity: policy.Info, Summary: "The kernel does not hold the target to a limit of rlimits."}, find: limitWithoutEffect},
	{Rule: policy.Rule{Name: "loader-variable", Severity: policy.Warning, Summary: "A variable under env.set makes the dynamic loader load code into a privileged target."}, find: loaderVariable},
	{Rule: policy.Rule{Name: "misleading-text", Severity: policy.Warning, Summary: "A name has a character that nobody sees, or that looks like another."}, find: misleadingText},
	{Rule: policy.Rule{Name: "no-new-privs-missing", Severity: policy.Warning, Summary: "Set-id programs and file capabilities still work."}, find: noNewPrivsMissing},
	{Rule: policy.Rule{Name: "noroot-missing", Severity: policy.Warning, Summary: "The target is a limited uid 0, and each exec gives it all of its capabilities again."}, findCaps: norootMissing, vector: permitted},
	{Rule: policy.Rule{Name: "not-expanded", Severity: policy.Warning, Summary: "A word has a variable, a specifier or a tilde, and caprun expands none of them."}, find: notExpanded},
	{Rule: policy.Rule{Name: "nothing-declared", Severity: policy.Warning, Summary: "No key says which capabilities the target has."}, find: nothingDeclared},
	{Rule: policy.Rule{Name: "program-with-space", Severity: policy.Warning, Summary: "The name of the program has a space, as a whole command line has."}, find: programWithSpace},
	{Rule: policy.Rule{Name: "public-directory", Severity: policy.Warning, Summary: "The program, its root directory or code that it loads lies where every user can make files."}, find: publicDirectory},
	{Rule: policy.Rule{Name: "relative-command", Severity: policy.Warning, Summary: "Which program runs depends on where caprun starts."}, find: relativeCommand},
	{Rule: policy.Rule{Name: "root-group", Severity: policy.Warning, Summary: "The target is not uid 0, and is in a group that is as good as root."}, find: rootGroup},
	{Rule: policy.Rule{Name: "root-keeps-power", Severity: policy.Warning, Summary: "The target is uid 0 with every capability."}, find: rootKeepsPower},
	{Rule: policy.Rule{Name: "root-owns-files", Severity: policy.Info, Summary: "The target is uid 0 without power, and still owns the files of root."}, find: rootOwnsFiles},
	{Rule: policy.Rule{Name: "secret-in-profile", Severity: policy.Warning, Summary: "A variable of env.set or a word of the command looks like a secret."}, find: secretInProfile},
	{Rule: policy.Rule{Name: "securebit-unlocked", Severity: policy.Warning, Summary: "A securebit has no lock, and can be cleared again."}, find: securebitUnlocked},
	{Rule: policy.Rule{Name: "shell-command", Severity: policy.Warning, Summary: "The command is a shell, which hands its capabilities on to all that it starts."}, findCaps: shellCommand, vector: permitted},
	{Rule: policy.Rule{Name: "terminal-kept", Severity: policy.Warning, Summary: "An interactive program with less privilege can type into the caller's terminal."}, find: terminalKept},
	{Rule: policy.Rule{Name: "umask-open", Severity: policy.Warning, Summary: "The umask lets every user write the files that the target makes."}, find: umaskOpen},
}

// isRisk reports whether a rule is one of those that a plan is enough for.
func isRisk(rule string) bool {
	return slices.ContainsFunc(risks[:], func(r risk) bool { return r.Name == rule })
}

// vectorOf returns where a rule about capabilities looks for them; nil for
// another rule.
func vectorOf(rule string) func(cred.Cred) cred.Caps {
	n := slices.IndexFunc(risks[:], func(r risk) bool { return r.Name == rule })
	if n < 0 {
		return nil
	}
	return risks[n].vector
}

// Rules returns every rule about profiles, sorted by name: those of policy and
// engine too.
func Rules() []policy.Rule {
	all := slices.Concat(policy.Rules(), engine.Rules(), hostRules(), suppressionRules(), []policy.Rule{ceilingRule})
	for _, r := range risks {
		all = append(all, r.Rule)
	}
	slices.SortFunc(all, func(a, b policy.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b policy.Rule) bool { return a.Name == b.Name })
}
