package review

import (
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// securebitUnlocked finds securebits that can be cleared again. Without
// cap_setpcap in reach nobody can, but for those of exec, which any process
// may change for itself.
func securebitUnlocked(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Secbits == nil {
		return
	}
	a := p.AfterExec
	free := a.Securebits & cred.SecAllBits &^ (a.Securebits >> 1)
	advice := free & cred.SecAllUnprivileged
	if advice != 0 {
		reportUnlocked(p, advice, "any program may clear it for itself and for what it starts, without a capability", report)
	}
	switch rules := free &^ advice; {
	case rules == 0:
	case a.Permitted.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "the target holds cap_setpcap, and with it can clear it", report)
	case a.NoNewPrivs:
	case a.Bounding.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "the bounding set has cap_setpcap, and a program with that file capability can clear it", report)
	case a.Inheritable.Has(cred.SETPCAP):
		reportUnlocked(p, rules, "cap_setpcap is inheritable, and a program whose file has it inheritable too can clear it", report)
	}
}

func reportUnlocked(p *engine.Plan, bits cred.Securebits, how string, report func(policy.Position, string, string)) {
	are := " is not locked: "
	if bits&(bits-1) != 0 {
		are, how = " are not locked: ", strings.ReplaceAll(how, "clear it", "clear them")
	}
	report(p.Profile.Position("secbits"), strings.Join(bits.Names(), ", ")+are+how, "add "+strings.Join((bits<<1).Names(), ", "))
}
