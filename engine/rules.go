package engine

import "caprun/policy"

// rule is an index into rules: those about contradictions and about what
// cannot be had.
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

// rules is the one table of them.
var rules = [...]policy.Rule{
	ruleUnreachable: {Name: "unreachable-caps", Severity: policy.Error, Summary: "None of the ways that caprun knows leads to the declared caps."},
	ruleCapsIAB:     {Name: "caps-iab-conflict", Severity: policy.Error, Summary: "The vectors of iab lead to other sets than caps declares."},
	ruleMode:        {Name: "mode-conflict", Severity: policy.Error, Summary: "The mode takes away what another key asks for."},
	ruleSecbits:     {Name: "secbits-conflict", Severity: policy.Error, Summary: "Securebits that the caller has locked differ from the declared ones."},
	ruleIdentity:    {Name: "identity-lost", Severity: policy.Error, Summary: "Set-id bits of the program would replace the declared ids."},
	ruleAmbientLost: {Name: "ambient-lost", Severity: policy.Error, Summary: "The program's own file would empty the ambient set that iab asks for."},
	ruleMissing:     {Name: "missing-capability", Severity: policy.Error, Summary: "The caller lacks a capability that a step needs or the target is to have."},
	ruleCaller:      {Name: "caller-conflict", Severity: policy.Error, Summary: "The state of the caller does not allow a step."},
	ruleTarget:      {Name: "target-conflict", Severity: policy.Error, Summary: "The program's own file changes what is declared."},
	ruleUnknownToOS: {Name: "capability-not-in-kernel", Severity: policy.Error, Summary: "The kernel does not have a declared capability or securebit."},
	ruleInternal:    {Name: "internal-error", Severity: policy.Error, Summary: "caprun has a bug; the profile is not the cause."},

	ruleLoaderRemoved: {Name: "loader-variable-removed", Severity: policy.Error, Summary: "A loader variable in env.keep is removed, because the target has another identity or is privileged."},

	ruleTargetWritable: {Name: "target-writable", Severity: policy.Warning, Summary: "The target's user could replace the program that gets its privileges."},
	ruleRootWritable:   {Name: "chroot-writable", Severity: policy.Warning, Summary: "The target's user could change its own root directory."},
}

// Rules returns the rules of this package.
func Rules() []policy.Rule { return append([]policy.Rule(nil), rules[:]...) }

// diagnose returns what a rule has found.
func diagnose(p *policy.Profile, which rule, at policy.Position, message, hint string) policy.Diagnostic {
	r := rules[which]
	return policy.Diagnostic{File: p.File, Position: at, Severity: r.Severity, Rule: r.Name, Message: message, Hint: hint}
}
