package engine

import "caprun/policy"

// rule is an index into rules.
type rule int

const (
	ruleUnreachable rule = iota
	ruleCapsIAB
	ruleMode
	ruleSecbits
	ruleIdentity
	ruleAmbientLost
	ruleMissing
	ruleCaller
	ruleTarget
	ruleUnknownToOS
	ruleInternal
	ruleLoaderRemoved

	ruleTargetWritable
	ruleRootWritable
)

// rules has the rules of this package.
var rules = [...]policy.Rule{
	ruleUnreachable: {Name: "unreachable-caps", Severity: policy.Error, Summary: "The kernel's rules for exec do not let a target start with the declared caps."},
	ruleCapsIAB:     {Name: "caps-iab-conflict", Severity: policy.Error, Summary: "The declared iab gives the target other capability sets than caps declares."},
	ruleMode:        {Name: "mode-conflict", Severity: policy.Error, Summary: "The mode empties a set that another key declares."},
	ruleSecbits:     {Name: "secbits-conflict", Severity: policy.Error, Summary: "The caller has locked securebits that differ from the declared ones."},
	ruleIdentity:    {Name: "identity-lost", Severity: policy.Error, Summary: "The program's set-user-ID or set-group-ID bit would replace the declared IDs."},
	ruleAmbientLost: {Name: "ambient-lost", Severity: policy.Error, Summary: "The program's set-id bits or file capabilities would empty the ambient set that iab declares."},
	ruleMissing:     {Name: "missing-capability", Severity: policy.Error, Summary: "The caller lacks a capability that a step needs or that the profile grants."},
	ruleCaller:      {Name: "caller-conflict", Severity: policy.Error, Summary: "The caller's state does not allow a step."},
	ruleTarget:      {Name: "target-conflict", Severity: policy.Error, Summary: "The program's set-id bits or file capabilities would change what the profile declares."},
	ruleUnknownToOS: {Name: "capability-not-in-kernel", Severity: policy.Error, Summary: "The kernel does not have a declared capability or securebit."},
	ruleInternal:    {Name: "internal-error", Severity: policy.Error, Summary: "caprun has a bug; the profile is not the cause."},

	ruleLoaderRemoved: {Name: "loader-variable-removed", Severity: policy.Error, Summary: "The launch removes a loader variable in env.keep: the target's identity changes or the target is privileged."},

	ruleTargetWritable: {Name: "target-writable", Severity: policy.Warning, Summary: "The target's user can replace the program that gets the target's privileges."},
	ruleRootWritable:   {Name: "chroot-writable", Severity: policy.Warning, Summary: "The target's user can change its own root directory."},
}

// Rules returns the rules of this package.
func Rules() []policy.Rule { return append([]policy.Rule(nil), rules[:]...) }

// diagnose returns a diagnostic of a rule.
func diagnose(p *policy.Profile, which rule, at policy.Position, message, hint string) policy.Diagnostic {
	r := rules[which]
	return policy.Diagnostic{File: p.File, Position: at, Severity: r.Severity, Rule: r.Name, Message: message, Hint: hint}
}
