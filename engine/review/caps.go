package review

import (
	"fmt"

	"caprun/engine"
	"caprun/policy"
)

func nothingDeclared(p *engine.Plan, say func(policy.Position, string, string)) {
	if p.Profile.Caps == nil && p.Profile.IAB == nil && p.Profile.Mode == nil {
		say(policy.Position{}, "neither caps nor iab nor mode: what the target may do depends on who starts it",
			`declare caps; caps: "=" for none`)
	}
}

func boundingWider(p *engine.Plan, say func(policy.Position, string, string)) {
	holds := p.After.Permitted.Union(p.After.Inheritable)
	wider := p.After.Bounding.Minus(holds)
	if p.Profile.IAB == nil || p.After.NoNewPrivs || wider == 0 {
		return
	}
	say(p.Profile.Position("iab"),
		fmt.Sprintf("the bounding set keeps %s, which the target does not hold: file capabilities can give them back", engine.CapNames(wider)),
		"block them with !, or leave iab out and declare caps")
}

func noNewPrivsMissing(p *engine.Plan, say func(policy.Position, string, string)) {
	if p.After.NoNewPrivs || isAllPowerful(p) {
		return
	}
	say(policy.Position{}, "set-user-id programs that the target runs still change its user", "add no_new_privs: true")
}

// inheritableNotAmbient finds what only files with inheritable capabilities
// make use of.
func inheritableNotAmbient(p *engine.Plan, say func(policy.Position, string, string)) {
	extra := p.After.Inheritable.Minus(p.After.Ambient)
	if extra == 0 {
		return
	}
	names := engine.CapNames(extra)
	at := capsPosition(p.Profile, extra)
	if hasRootPower(p) {
		say(at, names+" need not be inheritable for uid 0: that hands them to other users, through files that have them inheritable",
			"leave the flag i out of caps, and % out of iab; under noroot eip is right")
		return
	}
	say(at, names+" inheritable and not ambient: the target does not hold them, and a program gets them only from a file that has them inheritable too",
		"give them the flags eip, or the mark ^ in iab; leave them out where no such file is meant")
}
