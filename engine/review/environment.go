package review

import (
	"fmt"

	"caprun/engine"
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
