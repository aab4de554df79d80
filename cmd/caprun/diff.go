package main

import (
	"fmt"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/internal/render"
)

// diff says what a change of a profile widens and narrows.
func (c *Command) diff(args []string) int {
	f := flags("diff")
	viewFlags(f)
	format := f.String("format", "human", "")
	failOn := f.String("fail-on", "change", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	printer, ok := c.diffPrinter(*format)
	if !ok {
		return c.usageError(fmt.Sprintf("-format %q: human, markdown or json", *format), usage, exitTrouble)
	}
	fails, ok := diffFails(*failOn)
	if !ok {
		return c.usageError(fmt.Sprintf("-fail-on %q: change, widen or never", *failOn), usage, exitTrouble)
	}
	if f.NArg() != 2 {
		return c.usageError("diff needs two profiles, the old one and the new one", usage, exitTrouble)
	}
	view, status, ok := c.viewpoint(f)
	if !ok {
		return status
	}
	var plans [2]*engine.Plan
	for n, arg := range f.Args() {
		p, text, status := c.readToReview(arg, exitTrouble)
		if p == nil {
			return status
		}
		plan, findings := engine.Compile(p, view.from, view.target())
		if plan == nil {
			return c.noPlan(findings, text, exitTrouble)
		}
		plans[n] = plan
	}
	d := render.NewDifference(plans[0], plans[1])
	if err := printer(d); err != nil {
		return c.trouble(err)
	}
	if fails(d) {
		return exitFindings
	}
	return exitOK
}

// diffPrinter returns the printer of a format.
func (c *Command) diffPrinter(format string) (print func(render.Difference) error, ok bool) {
	switch format {
	case "human":
		return func(d render.Difference) error { return d.Print(c.Stdout, c.Colour) }, true
	case "markdown":
		return func(d render.Difference) error { return d.Markdown(c.Stdout) }, true
	case "json":
		return func(d render.Difference) error { return d.JSON(c.Stdout) }, true
	}
	return nil, false
}

// diffFails returns which differences make the status 1.
func diffFails(on string) (fails func(render.Difference) bool, ok bool) {
	switch on {
	case "never":
		return func(render.Difference) bool { return false }, true
	case "change":
		return func(d render.Difference) bool { return d.Comparison.Order() != compare.Same || len(d.Others) > 0 }, true
	case "widen":
		return func(d render.Difference) bool {
			o := d.Comparison.Order()
			return o == compare.More || o == compare.Incomparable
		}, true
	}
	return nil, false
}
