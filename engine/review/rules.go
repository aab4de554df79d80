package review

import (
	"cmp"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// A risk is a rule that examines a plan.
type risk struct {
	policy.Rule

	// find reports each place that violates the rule. An unknown position stands
	// for the whole profile.
	find func(p *engine.Plan, report func(at policy.Position, message, hint string))

	// findCaps is find for a rule about capabilities: each finding lists them.
	// A rule has either find or findCaps.
	findCaps func(p *engine.Plan, report capReporter)

	// capSet returns the capability set that findCaps examines.
	capSet func(cred.Cred) cred.Caps
}

// A capReporter adds a finding about at least one capability.
type capReporter func(at policy.Position, caps cred.Caps, message, hint string)

func permitted(c cred.Cred) cred.Caps   { return c.Permitted }
func inheritable(c cred.Cred) cred.Caps { return c.Inheritable }
func bounding(c cred.Cred) cred.Caps    { return c.Bounding }

// risks are the rules of this package about plans. Their functions are in files
// by subject.
var risks = [...]risk{
	{Rule: policy.Rule{Name: "amounts-to-root", Severity: policy.Warning, Summary: "The target has a capability that is equivalent to root."}, findCaps: amountsToRoot, capSet: permitted},
	{Rule: policy.Rule{Name: "bounding-wider", Severity: policy.Warning, Summary: "With iab, the bounding set contains capabilities that the target does not have."}, findCaps: boundingWider, capSet: bounding},
	{Rule: policy.Rule{Name: "caps-not-canonical", Severity: policy.Info, Summary: "A capability text is not in canonical form."}, find: capsNotCanonical},
	{Rule: policy.Rule{Name: "chroot-descriptors", Severity: policy.Info, Summary: "A kept descriptor that refers to a directory lets the target leave chroot."}, find: chrootDescriptors},
	{Rule: policy.Rule{Name: "chroot-escape", Severity: policy.Warning, Summary: "The target has a capability that lets it leave chroot."}, findCaps: chrootEscape, capSet: permitted},
	{Rule: policy.Rule{Name: "chroot-of-process", Severity: policy.Warning, Summary: "chroot is a path in /proc or /dev/fd, which can refer to any directory."}, find: chrootOfProcess},
	{Rule: policy.Rule{Name: "drops-by-itself", Severity: policy.Info, Summary: "The target starts as uid 0 and can change to another user itself."}, find: dropsByItself},
	{Rule: policy.Rule{Name: "environment-passed", Severity: policy.Info, Summary: "A privileged target inherits variables that can make it run other code."}, find: environmentPassed},
	{Rule: policy.Rule{Name: "inheritable-not-ambient", Severity: policy.Warning, Summary: "A capability is inheritable but not ambient, which affects only programs with file capabilities."}, findCaps: inheritableNotAmbient, capSet: inheritable},
	{Rule: policy.Rule{Name: "limit-too-low", Severity: policy.Warning, Summary: "A resource limit is too low for most programs; most limits are in bytes, not KiB."}, find: limitTooLow},
	{Rule: policy.Rule{Name: "limit-without-effect", Severity: policy.Info, Summary: "The kernel does not enforce a declared resource limit on the target."}, find: limitWithoutEffect},
	{Rule: policy.Rule{Name: "loader-variable", Severity: policy.Warning, Summary: "A variable in env.set makes the dynamic loader load code into a privileged target."}, find: loaderVariable},
	{Rule: policy.Rule{Name: "misleading-text", Severity: policy.Warning, Summary: "A value contains an invisible character or one that looks like another."}, find: misleadingText},
	{Rule: policy.Rule{Name: "no-new-privs-missing", Severity: policy.Warning, Summary: "no_new_privs is not set, so set-user-ID programs and file capabilities take effect."}, find: noNewPrivsMissing},
	{Rule: policy.Rule{Name: "noroot-missing", Severity: policy.Warning, Summary: "The target is uid 0 without noroot, so each exec restores its capabilities."}, findCaps: norootMissing, capSet: permitted},
	{Rule: policy.Rule{Name: "not-expanded", Severity: policy.Warning, Summary: "A value contains a variable, a specifier or a tilde, which caprun does not expand."}, find: notExpanded},
	{Rule: policy.Rule{Name: "nothing-declared", Severity: policy.Warning, Summary: "The profile has no caps, iab or mode, so the target's capabilities depend on the caller."}, find: nothingDeclared},
	{Rule: policy.Rule{Name: "program-with-space", Severity: policy.Warning, Summary: "The program name contains a space, as if it were a whole command line."}, find: programWithSpace},
	{Rule: policy.Rule{Name: "public-directory", Severity: policy.Warning, Summary: "The program, its root directory or code that it loads is in a world-writable directory."}, find: publicDirectory},
	{Rule: policy.Rule{Name: "relative-command", Severity: policy.Warning, Summary: "The program that runs depends on the caller's working directory or PATH."}, find: relativeCommand},
	{Rule: policy.Rule{Name: "root-group", Severity: policy.Warning, Summary: "The target is not uid 0, but is in a group with access to root's files."}, find: rootGroup},
	{Rule: policy.Rule{Name: "root-keeps-power", Severity: policy.Warning, Summary: "The target is uid 0 with every capability."}, find: rootKeepsPower},
	{Rule: policy.Rule{Name: "root-owns-files", Severity: policy.Info, Summary: "The target is uid 0, which can write root's files even without capabilities."}, find: rootOwnsFiles},
	{Rule: policy.Rule{Name: "secret-in-profile", Severity: policy.Warning, Summary: "A variable in env.set or an argument of the command looks like a secret."}, find: secretInProfile},
	{Rule: policy.Rule{Name: "securebit-unlocked", Severity: policy.Warning, Summary: "A securebit is not locked and can be cleared."}, find: securebitUnlocked},
	{Rule: policy.Rule{Name: "shell-command", Severity: policy.Warning, Summary: "The command is a shell, which passes its capabilities on to every program that it starts."}, findCaps: shellCommand, capSet: permitted},
	{Rule: policy.Rule{Name: "keyring-inherited", Severity: policy.Warning, Summary: "The target has another uid and can use the keys in the caller's session keyring."}, find: keyringInherited},
	{Rule: policy.Rule{Name: "terminal-kept", Severity: policy.Warning, Summary: "An interactive target with less privilege than its caller keeps the caller's terminal."}, find: terminalKept},
	{Rule: policy.Rule{Name: "umask-open", Severity: policy.Warning, Summary: "The umask leaves new files writable by every user."}, find: umaskOpen},
}

// isRisk reports whether a rule is in risks.
func isRisk(rule string) bool {
	return slices.ContainsFunc(risks[:], func(r risk) bool { return r.Name == rule })
}

// capSetOf returns the capability set that a rule examines, nil for a rule that
// is not about capabilities.
func capSetOf(rule string) func(cred.Cred) cred.Caps {
	n := slices.IndexFunc(risks[:], func(r risk) bool { return r.Name == rule })
	if n < 0 {
		return nil
	}
	return risks[n].capSet
}

// Rules returns every rule about profiles, including those of policy and engine, and
// about files of other platforms, sorted by name.
func Rules() []policy.Rule {
	all := slices.Concat(policy.Rules(), engine.Rules(), hostRules(), suppressionRules(), declared.Rules(), []policy.Rule{ceilingRule})
	for _, r := range risks {
		all = append(all, r.Rule)
	}
	slices.SortFunc(all, func(a, b policy.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b policy.Rule) bool { return a.Name == b.Name })
}
