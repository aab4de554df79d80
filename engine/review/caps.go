package review

import (
	"fmt"

	"caprun/engine"
	"caprun/policy"
)

func nothingDeclared(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.Profile.Caps == nil && p.Profile.IAB == nil && p.Profile.Mode == nil {
		report(policy.Position{}, "no caps, iab or mode: the target's capabilities depend on the caller",
			`declare caps, for example caps: "=" for no capabilities`)
	}
}

func boundingWider(p *engine.Plan, report capReporter) {
	has := p.AfterExec.Permitted.Union(p.AfterExec.Inheritable)
	wider := p.AfterExec.Bounding.Minus(has)
	if p.Profile.IAB == nil || p.AfterExec.NoNewPrivs || wider == 0 {
		return
	}
	them := pronoun(wider)
	report(p.Profile.Position("iab"), wider,
		fmt.Sprintf("the bounding set exceeds the permitted and inheritable sets by %s: a program with file capabilities can gain %s", namesOrCount(wider), them),
		"block "+them+" with ! in iab, or remove iab and declare caps")
}

func noNewPrivsMissing(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.NoNewPrivs || isUnrestrictedRoot(p) {
		return
	}
	report(policy.Position{}, "no_new_privs is not set: set-user-ID programs that the target starts change its user", "add no_new_privs: true")
}

// inheritableNotAmbient reports inheritable capabilities that only a program with
// file capabilities can gain.
func inheritableNotAmbient(p *engine.Plan, report capReporter) {
	extra := p.AfterExec.Inheritable.Minus(p.AfterExec.Ambient)
	if !gainsCapsAsRoot(p) {
		// The target has those that its own file grants.
		extra = extra.Minus(p.AfterExec.Permitted)
	}
	// noroot-missing reports a limited uid 0 and asks for the flag i. With
	// no_new_privs no file grants anything.
	if extra == 0 || gainsCapsAsRoot(p) && (p.AfterExec.NoNewPrivs || !isUnrestrictedRoot(p)) {
		return
	}
	names, is, them := namesOrCount(extra), "is", pronoun(extra)
	if extra.Len() > 1 {
		is = "are"
	}
	at := capsPosition(p.Profile, extra)
	inCaps := p.Profile.Caps != nil
	if gainsCapsAsRoot(p) {
		hint := "remove the mark % from iab"
		if inCaps {
			hint = "remove the flag i from caps"
		}
		report(at, extra, fmt.Sprintf("uid 0 does not need %s in the inheritable set: after a change of user, a file with inheritable capabilities grants %s", names, them),
			hint+"; with secbits: [noroot], keep eip")
		return
	}
	how := "a program gains " + them + " only from its file capabilities"
	if p.AfterExec.NoNewPrivs {
		how = "with no_new_privs no file grants " + them
	}
	hint := "give " + them + " the mark ^ in iab, or remove " + them + " from iab"
	if inCaps {
		hint = "give " + them + " the flags eip in caps, or remove " + them + " from caps"
	}
	report(at, extra, fmt.Sprintf("%s %s inheritable but not ambient: the target does not have %s, and %s", names, is, them, how), hint)
}
