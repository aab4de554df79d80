package review

import (
	"fmt"
	"math/bits"

	"caprun/engine"
	"caprun/engine/cred"
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

// fewNames names capabilities that the profile says elsewhere: their number
// where they are many.
func fewNames(caps cred.Caps) string {
	const few = 3
	if n := bits.OnesCount64(uint64(caps)); n > few {
		return fmt.Sprintf("%d capabilities", n)
	}
	return engine.CapNames(caps)
}

// inheritableNotAmbient finds what only files with inheritable capabilities
// make use of.
func inheritableNotAmbient(p *engine.Plan, say func(policy.Position, string, string)) {
	extra := p.After.Inheritable.Minus(p.After.Ambient)
	if extra == 0 {
		return
	}
	names, is, it := fewNames(extra), "is", "it"
	if extra&(extra-1) != 0 {
		is, it = "are", "them"
	}
	at := capsPosition(p.Profile, extra)
	if hasRootPower(p) {
		say(at, fmt.Sprintf("%s need not be inheritable for uid 0: that hands %s to other users, through files that have %s inheritable", names, it, it),
			"leave the flag i out of caps, and % out of iab; under noroot eip is right")
		return
	}
	say(at, fmt.Sprintf("%s %s inheritable and not ambient: the target does not hold %s, and a program gets %s only from a file that has %s inheritable too",
		names, is, it, it, it), "write the flags eip, or the mark ^ in iab; leave "+it+" out where no such file is meant")
}
