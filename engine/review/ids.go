package review

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

func rootKeepsPower(p *engine.Plan, say func(policy.Position, string, string)) {
	a := p.After
	if a.UID != 0 && a.EUID != 0 || a.Securebits.Has(cred.SecNoRoot) || a.Permitted == 0 {
		return
	}
	who, at := "the target is uid 0", policy.Position{}
	switch {
	case p.Profile.UID != nil:
		at = p.Profile.Position("uid")
	case p.Profile.User != "":
		at = p.Profile.Position("user")
	default:
		who = "started by root, the target stays uid 0"
	}
	say(at, fmt.Sprintf("%s and gets %s at every exec", who, engine.CapNames(a.Permitted)),
		"declare another user, or add secbits: [noroot, noroot_locked]")
}
