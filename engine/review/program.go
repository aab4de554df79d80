package review

import (
	"strings"
	"unicode"

	"caprun/engine"
	"caprun/policy"
)

// programWithSpace finds a whole command line in the place of the program.
func programWithSpace(p *engine.Plan, report func(policy.Position, string, string)) {
	command := p.Profile.Command
	inner, at := started(command)
	for n, word := range command {
		program := n == 0 || n == at && len(inner) > 0
		if !program || !strings.ContainsFunc(word, unicode.IsSpace) || isSplitString(command, n) {
			continue
		}
		report(wordOf(p, n), "the name of the program has a space: no shell splits a command into words",
			"write each word as an item of its own, such as [/bin/server, --port, \"80\"]")
	}
}
