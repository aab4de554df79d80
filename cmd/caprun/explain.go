package main

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/review"
	"caprun/policy"
)

// explain prints the plan of a profile for the start that reviews begin from.
func (c *Command) explain(args []string) int {
	f := flags("explain")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	if f.NArg() != 1 {
		return c.usageError("explain needs one profile", usage, exitTrouble)
	}
	src, err := c.findSource(f.Arg(0))
	if err != nil {
		return c.trouble(err)
	}
	text, err := src.text(false)
	if err != nil {
		return c.trouble(fmt.Errorf("%s: %w", src.name, err))
	}
	p, findings := policy.Parse(src.name, text)
	var plan *engine.Plan
	if p != nil {
		plan, findings = engine.Explain(p)
	}
	if plan == nil {
		if err := review.Human(c.Stderr, findings, func(string) []byte { return text }, false); err != nil {
			return c.trouble(err)
		}
		return exitFindings
	}
	printPlan(c.Stdout, plan, c.Colour, nil)
	return exitOK
}
