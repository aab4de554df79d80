package review

import (
	"fmt"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

func loaderVariable(p *engine.Plan, say func(policy.Position, string, string)) {
	if p.Profile.Env == nil {
		return
	}
	for n, name := range p.Profile.Env.Keep {
		if engine.LoaderVariable(name) {
			say(p.Profile.Position(fmt.Sprintf("env.keep[%d]", n)),
				name+" is never kept when identity or capabilities change: it could load foreign code into the target",
				"remove it, or give it a value under set")
		}
	}
}

// harmless are the capabilities that give power over a resource of the system
// and over nobody's data: who runs code with them gains little.
const harmless = cred.Caps(1<<cap.NET_BIND_SERVICE | 1<<cap.NET_BROADCAST | 1<<cap.IPC_LOCK |
	1<<cap.SYS_NICE | 1<<cap.WAKE_ALARM | 1<<cap.BLOCK_SUSPEND)

// environmentPassed finds privileged targets whose code somebody else may
// choose: who sets the caller's variables. It is no more than worth knowing,
// for most callers are a container or a service manager, whose environment is
// as much reviewed as the profile.
func environmentPassed(p *engine.Plan, say func(policy.Position, string, string)) {
	if p.After.Permitted.SubsetOf(harmless) || isAllPowerful(p) || p.Profile.Env != nil && !p.Profile.Env.KeepAll {
		return
	}
	at := p.Profile.Position("env.keep")
	if !at.IsKnown() {
		at = p.Profile.KeyPosition("env")
	}
	say(at, "the caller's whole environment reaches a privileged program: "+
		"PATH, BASH_ENV, PYTHONPATH, NODE_OPTIONS and the like choose code that runs with its capabilities",
		"list what it needs, such as env: {keep: [LANG, TZ], set: {PATH: /usr/bin:/bin}}")
}
