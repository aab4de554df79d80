//go:build !entrypoint

package main

import (
	"fmt"
	"syscall"

	"caprun/engine"
	"caprun/policy"
)

// explain prints the plan of a profile for a start and a target.
func (c *Command) explain(args []string) int {
	f := flags("explain")
	viewFlags(f)
	target := f.String("target", "", "")
	format := f.String("format", "human", "")
	supervised := f.Bool("init", false, "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	switch {
	case !humanOrJSON(*format):
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	case given(f, "target") && *target == "":
		return c.usageError("-target needs a file", usage, exitTrouble)
	case f.NArg() != 1:
		return c.usageError("explain needs one profile", usage, exitTrouble)
	}
	view, status, ok := c.viewpoint(f)
	if !ok {
		return status
	}
	p, text, status := c.readToReview(f.Arg(0), exitFindings)
	if p == nil {
		return status
	}
	program, err := view.program(p, *target)
	if err != nil {
		c.refusePlan(p, err)
		return exitTrouble
	}
	switch {
	case *supervised:
		// Which process it is does not show.
		program.Death = engine.DeathSignal{Signal: int(syscall.SIGKILL), Parent: 1}
	case view.as == "current":
		if program.Death, err = engine.CurrentDeathSignal(); err != nil {
			return c.trouble(fmt.Errorf("-as current: %w", err))
		}
	}
	plan, findings := engine.Compile(p, view.from, program)
	if plan == nil {
		return c.noPlan(findings, text, exitFindings)
	}
	if *format == "json" {
		err = printJSON(c.Stdout, newJSONPlan(plan, view))
	} else {
		err = printPlan(c.Stdout, plan, planView{start: startText(view.as, view.from), kernel: view.kernelText(), colour: c.Colour})
	}
	if err != nil {
		return c.trouble(err)
	}
	return exitOK
}

// program returns the target: an ordinary program, or a file of this machine.
func (v viewpoint) program(p *policy.Profile, file string) (engine.Target, error) {
	if file == "" {
		return v.target(), nil
	}
	target, err := engine.TargetHere(p, v.from, []string{file})
	target.Kernel = v.rules()
	return target, err
}
