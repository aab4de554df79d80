package main

import (
	"fmt"
	"slices"
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
	process          string // of a file of another platform
	kernel           *engine.Kernel
	supervised, json bool
}

// explainForm is the form that prints the plan of a profile.
func explainForm() *form {
	var o explainOptions
	return &form{
		name: "explain", about: "print the steps of a launch and the resulting privileges",
		help: "caprun also prints which privileges the program can still gain. " +
			"Of a systemd unit, a Kubernetes manifest, a compose file or an OCI configuration, it prints what the platform gives the process, " +
			"from which declarations, and what a profile cannot express.",
		flags: []*formFlag{
			asFlag(&o.as),
			{name: "target", metavar: "FILE", about: "program on this machine to start", value: nonEmpty(&o.target, aFile),
				more: "The default is a program without set-user-ID and set-group-ID bits and without file capabilities."},
			kernelFlag(&o.kernel),
			processFlag(&o.process),
			{name: "init", about: "print the plan of a launch with -init", value: isSet(&o.supervised)},
			formatFlag(&o.json),
		},
		operands: []operand{{metavar: "PROFILE", takes: aProfile, about: "profile"}},
		status:   "Exit status: 0 success, 1 the profile has no plan, 2 usage error or unreadable file.",
		run:      func(c *Command, profiles []string) int { return c.explain(o, profiles[0]) },
	}
}

// explain prints the plan of a profile for a caller and a target.
func (c *Command) explain(o explainOptions, profile string) int {
	view, status, ok := c.viewpoint(o.as, o.kernel)
	if !ok {
		return status
	}
	p, status := c.readReviewed(profile, o.process, exitFindings)
	if p == nil {
		return status
	}
	program, err := view.program(p.Profile, o.target)
	if err != nil {
		return c.fail(err)
	}
	if p.sealed != nil {
		program.Accounts = p.sealed.Accounts
	}
	switch {
	case o.supervised:
		// No output depends on the process ID of the parent.
		program.Supervised, program.DeathSignal = true, machine.DeathSignal{Signal: int(syscall.SIGKILL), Parent: 1}
	case view.as == "current":
		if program.DeathSignal, err = machine.CurrentDeathSignal(); err != nil {
			return c.fail(fmt.Errorf("-as current: %w", err))
		}
	}
	plan, findings := engine.Compile(p.Profile, view.from, program)
	if plan == nil {
		return c.reportNoPlan(p, findings, exitFindings)
	}
	v := view.render(c.Colour)
	if v.Document = p.document; v.Document != nil {
		notes := slices.Concat(p.findings, p.document.Findings)
		if o.json {
			notes = p.notes()
		}
		policy.Sort(notes)
		c.reportPlatform(p.input, notes, exitOK)
	}
	if s := p.sealed; s != nil {
		v.Sealed = &render.Sealed{Arch: s.Arch.String(), Generator: s.Generator, Verified: p.unverified == nil}
	}
	if o.json {
		err = render.PlanJSON(c.Stdout, plan, v)
	} else {
		err = render.Plan(c.Stdout, plan, v)
	}
	if err != nil {
		return c.fail(err)
	}
	return exitOK
}

// program returns the target: an ordinary program, or a file on this machine.
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
	if err := machine.RestoreOpenFiles(p); err != nil {
		return target, err
	}
	var err error
	target.Resources, err = machine.ReadResources(p)
	return target, err
}
