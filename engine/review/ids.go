package review

import (
	"fmt"
	"slices"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// hasRootPower reports whether being uid 0 gives the target capabilities.
func hasRootPower(p *engine.Plan) bool {
	a := p.After
	return (a.UID == 0 || a.EUID == 0) && !a.Securebits.Has(cred.SecNoRoot)
}

// isAllPowerful reports whether the target is uid 0 and nothing was taken from
// it: then that is what to say, and not what follows from it.
func isAllPowerful(p *engine.Plan) bool {
	return hasRootPower(p) && p.After.Permitted == p.After.All
}

// rootTarget says in words, and where, that the target is uid 0.
func rootTarget(p *engine.Plan) (who string, at policy.Position) {
	switch {
	case p.Profile.UID != nil:
		return "the target is uid 0", p.Profile.Position("uid")
	case p.Profile.User != "":
		return "the target is uid 0", p.Profile.Position("user")
	}
	return "started by root, the target stays uid 0", policy.Position{}
}

func rootKeepsPower(p *engine.Plan, say func(policy.Position, string, string)) {
	if !isAllPowerful(p) {
		return
	}
	who, at := rootTarget(p)
	say(at, who+" and gets every capability at every exec", "declare another user; or caps, and secbits: [noroot, noroot_locked]")
}

// norootMissing is about a uid 0 that was limited: the limit is all that it
// gets, and it gets all of it each time.
func norootMissing(p *engine.Plan, say func(policy.Position, string, string)) {
	a := p.After
	if !hasRootPower(p) || a.Permitted == 0 || a.Permitted == a.All {
		return
	}
	names := fewNames(a.Permitted)
	who, at := rootTarget(p)
	message := who + " without noroot: each exec gives " + names + " again to it and to what it starts, also after they were dropped"
	if a.NoNewPrivs {
		message = who + " without noroot: it cannot hold " + names + " without each program that it starts holding them too"
	}
	say(at, message, "add secbits: [noroot, noroot_locked], and give each capability of caps the flags eip: they are then handed on in the ambient set")
}

func rootGroup(p *engine.Plan, say func(policy.Position, string, string)) {
	if !p.Identity.Declared || p.After.UID == 0 {
		return
	}
	at := ""
	if gid := p.Profile.GID; gid != nil && *gid == 0 {
		at = "gid"
	} else if n := slices.Index(p.Profile.Groups, 0); n >= 0 {
		at = fmt.Sprintf("groups[%d]", n)
	}
	if at != "" {
		say(p.Profile.Position(at), "group 0 is root's: what its files allow their group, they allow the target",
			"give it a group of its own; where an image made files for group 0, say so in a reason")
	}
}
