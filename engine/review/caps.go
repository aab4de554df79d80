package review

import (
	"fmt"

	"caprun/engine"
	"caprun/policy"
)

func nothingDeclared(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Caps == nil && p.Profile.IAB == nil && p.Profile.Mode == nil {
		report(policy.Position{}, "neither caps nor iab nor mode: what the target may do depends on who starts it",
			`declare caps; caps: "=" for none`)
	}
}

func boundingWider(p *engine.Plan, report capReporter) {
	holds := p.AfterExec.Permitted.Union(p.AfterExec.Inheritable)
	wider := p.AfterExec.Bounding.Minus(holds)
	if p.Profile.IAB == nil || p.AfterExec.NoNewPrivs || wider == 0 {
		return
	}
	it := pronoun(wider)
	report(p.Profile.Position("iab"), wider,
		fmt.Sprintf("the bounding set keeps %s that the target does not hold: a file that has %s can give %s", fewNames(wider), it, it),
		"block them with !, or leave iab out and declare caps")
}

func noNewPrivsMissing(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.NoNewPrivs || isAllPowerful(p) {
		return
	}
	report(policy.Position{}, "set-user-id programs that the target runs still change its user", "add no_new_privs: true")
}

// inheritableNotAmbient finds what only files with inheritable capabilities
// make use of.
func inheritableNotAmbient(p *engine.Plan, report capReporter) {
	extra := p.AfterExec.Inheritable.Minus(p.AfterExec.Ambient)
	if !hasRootPower(p) {
		// What the program's own file gives, the target holds.
		extra = extra.Minus(p.AfterExec.Permitted)
	}
	// Without no_new_privs a limited uid 0 is the business of noroot-missing,
	// which asks for the flag i. Under it no file gives anything.
	if extra == 0 || hasRootPower(p) && (p.AfterExec.NoNewPrivs || !isAllPowerful(p)) {
		return
	}
	names, is, it := fewNames(extra), "is", pronoun(extra)
	if extra.Len() > 1 {
		is = "are"
	}
	at := capsPosition(p.Profile, extra)
	if hasRootPower(p) {
		report(at, extra, fmt.Sprintf("%s need not be inheritable for uid 0: that hands %s to other users, through files that have %s inheritable", names, it, it),
			"leave the flag i out of caps, and % out of iab; under noroot eip is right")
		return
	}
	how := "a program gets " + it + " only from a file that has " + it + " too"
	if p.AfterExec.NoNewPrivs {
		how = "under no_new_privs no file can give " + it
	}
	report(at, extra, fmt.Sprintf("%s %s inheritable and not ambient: the target does not hold %s, and %s", names, is, it, how), "write the flags eip, or the mark ^ in iab; leave "+it+" out where no such file is meant")
}
