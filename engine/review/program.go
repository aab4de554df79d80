package review

import (
	"strings"
	"unicode"

	"caprun/engine"
	"caprun/policy"
)

// programWithSpace reports a command line written as the program name.
func programWithSpace(p *engine.Plan, report func(policy.Position, string, string)) {
	command := p.Profile.Command
	inner, at := innerCommand(command)
	for n, word := range command {
		program := n == 0 || n == at && len(inner) > 0
		if !program || !strings.ContainsFunc(word, unicode.IsSpace) || isSplitString(command, n) {
			continue
		}
		report(argumentPosition(p, n), "the program name contains a space, but caprun does not split it into words",
			"write each word as a separate item, for example [/bin/server, --port, \"80\"]")
	}
}
