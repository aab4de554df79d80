package review

import (
	"fmt"
	"strings"

	"caprun/engine"
)

func loaderVariable(p *engine.Plan) (key, message, hint string, ok bool) {
	if p.Profile.Env == nil {
		return "", "", "", false
	}
	for n, name := range p.Profile.Env.Keep {
		if engine.LoaderVariable(name) {
			return fmt.Sprintf("env.keep[%d]", n), name + " is never kept when identity or capabilities change: it could load foreign code into the target",
				"remove it, or give it a value under set", true
		}
	}
	return "", "", "", false
}

func relativeCommand(p *engine.Plan) (key, message, hint string, ok bool) {
	command := p.Profile.Command
	if len(command) == 0 || strings.HasPrefix(command[0], "/") {
		return "", "", "", false
	}
	if strings.Contains(command[0], "/") {
		return "command[0]", "a relative path: which program runs depends on the working directory", "write an absolute path", true
	}
	return "command[0]", "a bare name: which program runs depends on PATH", "write an absolute path", true
}
