package main

import (
	"caprun/engine"
	"caprun/engine/compare"
	"caprun/internal/render"
)

// diffOptions are the flags of diff.
type diffOptions struct {
	as     string
	kernel *engine.Kernel
	fails  func(render.Difference) bool
	print  func(*Command, render.Difference) error
}

// diffForm is the form that compares two profiles.
func diffForm() *form {
	var o diffOptions
	return &form{
		name: "diff", about: "print which privileges a new profile widens and narrows",
		flags: []*formFlag{
			asFlag(&o.as),
			kernelFlag(&o.kernel),
			{name: "fail-on", metavar: "CHANGE", about: "difference that makes the exit status 1", value: oneOf(&o.fails, "change", "change", differences()...),
				more: "widen is a privilege that is wider or cannot be compared."},
			{name: "format", metavar: "FORMAT", about: "output format", value: oneOf(&o.print, "format", "human", differenceFormats()...)},
		},
		operands: []operand{
			{metavar: "OLD", takes: aProfile, about: "old profile"},
			{metavar: "NEW", takes: aProfile, about: "new profile"},
		},
		status: "Exit status: 0 no such difference, 1 difference, 2 usage error, unreadable file or a profile without a plan.",
		run:    func(c *Command, profiles []string) int { return c.diff(o, profiles) },
	}
}

// diff compares two profiles.
func (c *Command) diff(o diffOptions, profiles []string) int {
	view, status, ok := c.viewpoint(o.as, o.kernel)
	if !ok {
		return status
	}
	var plans [2]*engine.Plan
	for n, arg := range profiles {
		p, text, status := c.readToReview(arg, exitError)
		if p == nil {
			return status
		}
		plan, findings := engine.Compile(p, view.from, view.target())
		if plan == nil {
			return c.reportFindings(findings, text, exitError)
		}
		plans[n] = plan
	}
	d := render.NewDifference(plans[0], plans[1])
	if err := o.print(c, d); err != nil {
		return c.fail(err)
	}
	if o.fails(d) {
		return exitFindings
	}
	return exitOK
}

// differenceFormats returns the output formats of diff.
func differenceFormats() []choice[func(*Command, render.Difference) error] {
	return []choice[func(*Command, render.Difference) error]{
		{"human", func(c *Command, d render.Difference) error { return d.Print(c.Stdout, c.Colour) }},
		{"markdown", func(c *Command, d render.Difference) error { return d.Markdown(c.Stdout) }},
		{"json", func(c *Command, d render.Difference) error { return d.JSON(c.Stdout) }},
	}
}

// differences returns the words of -fail-on, each with the differences that make the
// exit status 1.
func differences() []choice[func(render.Difference) bool] {
	return []choice[func(render.Difference) bool]{
		{"change", func(d render.Difference) bool { return d.Comparison.Order() != compare.Same || len(d.Others) > 0 }},
		{"widen", func(d render.Difference) bool {
			o := d.Comparison.Order()
			return o == compare.More || o == compare.Incomparable
		}},
		{"never", func(render.Difference) bool { return false }},
	}
}
