package review

import (
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// securebitUnlocked reports securebits that can be cleared. That requires
// cap_setpcap, except for exec_restrict_file and exec_deny_interactive.
func securebitUnlocked(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Secbits == nil {
		return
	}
	a := p.AfterExec
	free := a.Securebits & cred.SecAllBits &^ (a.Securebits >> 1)
	advice := free & cred.SecAllUnprivileged
	if advice != 0 {
		reportUnlocked(p, advice, "any program can clear it without a capability", report)
	}
	switch rules := free &^ advice; {
	case rules == 0:
	case a.Permitted.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "the target has cap_setpcap and can clear it", report)
	case a.NoNewPrivs:
	case a.Bounding.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "the bounding set has cap_setpcap, so a program with that file capability can clear it", report)
	case a.Inheritable.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "cap_setpcap is inheritable, so a program whose file has it inheritable can clear it", report)
	}
}

func reportUnlocked(p *engine.Plan, bits cred.Securebits, how string, report func(policy.Position, string, string)) {
	are := " is not locked: "
	if bits&(bits-1) != 0 {
		are, how = " are not locked: ", strings.ReplaceAll(how, "clear it", "clear them")
	}
	report(p.Profile.Position("secbits"), strings.Join(bits.Names(), ", ")+are+how, "add "+strings.Join((bits<<1).Names(), ", "))
}
