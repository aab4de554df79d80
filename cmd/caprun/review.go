package main

import (
	"fmt"
	"slices"

	"caprun/engine/review"
	"caprun/internal/sanitize"
	"caprun/internal/source"
	"caprun/policy"
)

// What the commands share that look at profiles and start nothing.

// readToReview reads a profile. Without one, what is wrong with it has been
// printed, and status is the one given for findings or exitTrouble.
func (c *Command) readToReview(arg string, findingsStatus int) (p *policy.Profile, text []byte, status int) {
	src, err := source.Find(arg, c.Stdin)
	if err != nil {
		return nil, nil, c.fail(err)
	}
	if text, err = src.Text(false); err != nil {
		return nil, nil, c.fail(fmt.Errorf("%s: %w", src.Name, err))
	}
	// The name goes to what people read.
	p, findings := policy.Parse(sanitize.Line(src.Name), text)
	if p == nil {
		return nil, nil, c.reportFindings(findings, text, findingsStatus)
	}
	return p, text, exitOK
}

// reportFindings reports why a profile has no plan, and returns status.
func (c *Command) reportFindings(findings []policy.Diagnostic, text []byte, status int) int {
	if err := review.Details(c.Stderr, slices.Values([]review.Report{review.NewReport("", text, findings)}), false); err != nil {
		return c.fail(err)
	}
	return status
}
