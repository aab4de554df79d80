package main

import "caprun/engine"

// readCeiling plans the profile that -ceiling names. Without one, what is
// wrong with it has been printed, and status is exitTrouble: a ceiling that
// cannot be read allows nothing to pass.
func (c *Command) readCeiling(arg string) (plan *engine.Plan, status int) {
	p, text, status := c.readToReview(arg, exitTrouble)
	if p == nil {
		return nil, status
	}
	plan, findings := engine.Explain(p)
	if plan == nil {
		return nil, c.noPlan(findings, text, exitTrouble)
	}
	return plan, exitOK
}
