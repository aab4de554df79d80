package engine

import "caprun/policy"

// The rules about contradictions and about what cannot be had.
const (
	ruleUnreachable = "unreachable-caps"
	ruleCapsIAB     = "caps-iab-conflict"
	ruleMode        = "mode-conflict"
	ruleSecbits     = "secbits-conflict"
	ruleIdentity    = "identity-lost"
	ruleAmbientLost = "ambient-lost"
	ruleMissing     = "missing-capability"
	ruleCaller      = "caller-conflict"
	ruleTarget      = "target-conflict"
	ruleUnknownToOS = "capability-not-in-kernel"
	ruleInternal    = "internal-error"
)

// Rules returns the rules of this package, sorted by name.
func Rules() []policy.Rule {
	return []policy.Rule{
		{Name: ruleAmbientLost, Severity: policy.Error, Summary: "the ambient capabilities of iab do not survive the start of the target"},
		{Name: ruleCaller, Severity: policy.Error, Summary: "the state of the caller does not allow a step"},
		{Name: ruleUnknownToOS, Severity: policy.Error, Summary: "the running kernel does not have a capability"},
		{Name: ruleCapsIAB, Severity: policy.Error, Summary: "iab leads to other sets than caps declares"},
		{Name: ruleIdentity, Severity: policy.Error, Summary: "the target would not run with the declared ids"},
		{Name: ruleInternal, Severity: policy.Error, Summary: "a mistake in caprun itself"},
		{Name: ruleMissing, Severity: policy.Error, Summary: "a step needs a capability that the caller does not have"},
		{Name: ruleMode, Severity: policy.Error, Summary: "mode makes impossible what another key asks for"},
		{Name: ruleSecbits, Severity: policy.Error, Summary: "the caller's locked securebits differ from the declared ones"},
		{Name: ruleTarget, Severity: policy.Error, Summary: "the target file itself changes what is declared"},
		{Name: ruleUnreachable, Severity: policy.Error, Summary: "no route leads to the declared caps"},
	}
}
