package main

import (
	"errors"
	"fmt"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/policy"
)

// explanation is what explain was asked to explain.
type explanation struct {
	as     string
	target string         // empty for an ordinary program
	kernel *engine.Kernel // nil for the newest, or with "current" the running one
}

// explain prints the plan of a profile for a start and a target.
func (c *Command) explain(args []string) int {
	f := flags("explain")
	as := f.String("as", "root", "")
	target := f.String("target", "", "")
	kernel := f.String("kernel", "", "")
	format := f.String("format", "human", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	if *format != "human" && *format != "json" {
		return c.usageError(fmt.Sprintf("-format %q: human or json", *format), usage, exitTrouble)
	}
	if f.NArg() != 1 {
		return c.usageError("explain needs one profile", usage, exitTrouble)
	}
	e := explanation{as: *as, target: *target}
	if given(f, "kernel") {
		k, err := engine.ParseKernel(*kernel)
		if err != nil {
			return c.usageError("-kernel: "+err.Error(), usage, exitTrouble)
		}
		e.kernel = &k
	}
	if given(f, "target") && *target == "" {
		return c.usageError("-target needs a file", usage, exitTrouble)
	}
	from, err := e.start()
	var start *engine.StartError
	switch {
	case errors.As(err, &start):
		return c.usageError("-as: "+err.Error(), usage, exitTrouble)
	case err != nil:
		return c.trouble(fmt.Errorf("-as %s: %w", e.as, err))
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
		program, err := e.program(p, from)
		if err != nil {
			c.refusePlan(p, err)
			return exitTrouble
		}
		plan, findings = engine.ExplainFrom(p, from, program)
	}
	if plan == nil {
		if err := review.Human(c.Stderr, findings, func(string) []byte { return text }, false); err != nil {
			return c.trouble(err)
		}
		return exitFindings
	}
	if *format == "json" {
		if err := printJSON(c.Stdout, newJSONPlan(plan, e)); err != nil {
			return c.trouble(err)
		}
		return exitOK
	}
	printPlan(c.Stdout, plan, planView{start: startText(e.as, from), kernel: e.kernelText(), colour: c.Colour})
	return exitOK
}

// start returns the state to begin from.
func (e explanation) start() (cred.Cred, error) {
	kernel := engine.LatestKernel()
	if e.kernel != nil {
		kernel = *e.kernel
	}
	if e.as != "current" {
		return kernel.ParseStart(e.as)
	}
	from, err := engine.Current()
	if err == nil && e.kernel != nil {
		from = kernel.Limit(from)
	}
	return from, err
}

// program returns what is started, under the rules that hold.
func (e explanation) program(p *policy.Profile, from cred.Cred) (engine.Target, error) {
	target := engine.OrdinaryTarget()
	if e.target != "" {
		var err error
		if target, err = engine.TargetHere(p, from, []string{e.target}); err != nil {
			return target, err
		}
	}
	switch {
	case e.kernel != nil:
		target.Kernel = e.kernel.Rules()
	case e.as == "current":
		target.Kernel = engine.KernelRules()
	default:
		target.Kernel = engine.LatestKernel().Rules()
	}
	return target, nil
}

// kernelText says whose rules hold; empty for those that follow from the start.
func (e explanation) kernelText() string {
	switch {
	case e.kernel == nil:
		return ""
	case e.kernel.Newer():
		return fmt.Sprintf("Linux %v, by the rules of %v, the last one that the model was compared with", *e.kernel, engine.LatestKernel())
	}
	return fmt.Sprintf("the rules of Linux %v", *e.kernel)
}
