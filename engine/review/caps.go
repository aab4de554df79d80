package review

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/cred"
)

func nothingDeclared(p *engine.Plan) (key, message, hint string, ok bool) {
	if p.Profile.Caps != nil || p.Profile.IAB != nil || p.Profile.Mode != nil {
		return "", "", "", false
	}
	return "", "neither caps nor iab nor mode: what the target may do depends on who starts it",
		`declare caps; caps: "=" for none`, true
}

func boundingWider(p *engine.Plan) (key, message, hint string, ok bool) {
	holds := p.After.Permitted.Union(p.After.Inheritable)
	wider := p.After.Bounding.Minus(holds)
	if p.Profile.IAB == nil || p.After.NoNewPrivs || wider == 0 {
		return "", "", "", false
	}
	return "iab", fmt.Sprintf("the bounding set keeps %s, which the target does not hold: file capabilities can give them back", engine.CapNames(wider)),
		"block them with !, or leave iab out and declare caps", true
}

func noNewPrivsMissing(p *engine.Plan) (key, message, hint string, ok bool) {
	if p.After.NoNewPrivs || p.After.UID == 0 && p.After.Permitted == p.After.All {
		return "", "", "", false
	}
	return "", "set-user-id programs that the target runs still change its user", "add no_new_privs: true", true
}

func rootKeepsPower(p *engine.Plan) (key, message, hint string, ok bool) {
	a := p.After
	if a.UID != 0 && a.EUID != 0 || a.Securebits.Has(cred.SecNoRoot) || a.Permitted == 0 {
		return "", "", "", false
	}
	who := "the target is uid 0"
	switch {
	case p.Profile.UID != nil:
		key = "uid"
	case p.Profile.User != "":
		key = "user"
	default:
		who = "started by root, the target stays uid 0"
	}
	return key, fmt.Sprintf("%s and gets %s at every exec", who, engine.CapNames(a.Permitted)),
		"declare another user, or add secbits: [noroot, noroot_locked]", true
}
