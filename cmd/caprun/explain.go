package main

import (
	"fmt"
	"syscall"

	"caprun/engine"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/policy"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	as               string
	target           string // empty for an ordinary program
	kernel           *engine.Kernel
	supervised, json bool
}

// explainForm is the form that prints the plan of a profile.
func explainForm() *form {
	var o explainOptions
	return &form{
		name: "explain", about: "print the steps of a launch and the state they lead to",
		help: "caprun also prints what the program can gain or regain later.",
		flags: []*formFlag{
			asFlag(&o.as),
			{name: "target", metavar: "FILE", about: "program on this machine to start", value: pathOf(&o.target, aFile),
				more: "The default is an ordinary program, without set-ID bits and file capabilities."},
			kernelFlag(&o.kernel),
			{name: "init", about: "include the step that -init of a launch adds", value: isSet(&o.supervised)},
			formatFlag(&o.json),
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status:   "Exit status: 0 a plan, 1 no plan, 2 wrong usage or an unreadable file.",
		run:      func(c *Command, profiles []string) int { return c.explain(o, profiles[0]) },
	}
}

// explain prints the plan of a profile for a caller and a target.
func (c *Command) explain(o explainOptions, profile string) int {
	view, status, ok := c.viewpoint(o.as, o.kernel)
	if !ok {
		return status
	}
	p, text, status := c.readToReview(profile, exitFindings)
	if p == nil {
		return status
	}
	program, err := view.program(p, o.target)
	if err != nil {
		return c.fail(err)
	}
	switch {
	case o.supervised:
		// Which process it is does not show.
		program.DeathSignal = machine.DeathSignal{Signal: int(syscall.SIGKILL), Parent: 1}
	case view.as == "current":
		if program.DeathSignal, err = machine.CurrentDeathSignal(); err != nil {
			return c.fail(fmt.Errorf("-as current: %w", err))
		}
	}
	plan, findings := engine.Compile(p, view.from, program)
	if plan == nil {
		return c.reportFindings(findings, text, exitFindings)
	}
	if o.json {
		err = render.PlanJSON(c.Stdout, plan, view.render(c.Colour))
	} else {
		err = render.Plan(c.Stdout, plan, view.render(c.Colour))
	}
	if err != nil {
		return c.fail(err)
	}
	return exitOK
}

// program returns the target: an ordinary program, or a file of this machine.
func (v viewpoint) program(p *policy.Profile, file string) (engine.Target, error) {
	target := v.target()
	if file != "" {
		var err error
		if target, err = engine.FindTarget(p, v.from, []string{file}); err != nil {
			return target, err
		}
		target.KernelRules = v.rules()
	}
	if v.as != "current" {
		return target, nil
	}
	if err := machine.CheckDirectories(p); err != nil {
		return target, err
	}
	var err error
	target.Resources, err = machine.ReadResources(p)
	return target, err
}
