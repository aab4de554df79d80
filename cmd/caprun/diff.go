package main

import (
	"fmt"
	"os"

	"caprun/engine"
	"caprun/internal/render"
	"caprun/internal/source"
)

// diffOptions are the flags of diff.
type diffOptions struct {
	as      string
	kernel  *engine.Kernel
	base    string
	process string // of files of other platforms
	exclude source.Patterns
	fails   func(render.Kind) bool
	print   differencePrinter
}

// differencePrinter prints a comparison in one format.
type differencePrinter struct {
	profile  func(*Command, render.Difference) error
	profiles func(*Command, render.Changes) error
}

// diffForm is the form that compares profiles.
func diffForm() *form {
	var o diffOptions
	return &form{
		name: "diff", about: "print which privileges a new profile widens and narrows",
		help: "OLD and NEW can be directories: caprun compares the profiles below them that have the same path. " +
			"With -base, it compares the profiles of a git revision with those of the working tree: in the files and directories PATH, " +
			"or below the working directory.",
		flags: []*formFlag{
			{name: "base", metavar: "REV", about: "compare with this git revision", value: nonEmpty(&o.base, aText)},
			excludeFlag(&o.exclude),
			asFlag(&o.as),
			kernelFlag(&o.kernel),
			processFlag(&o.process),
			{name: "fail-on", metavar: "CHANGE", about: "difference for which the exit status is 1", value: oneOf(&o.fails, "change", "change", differences()...),
				more: "widen: a new profile, or a privilege that is wider or cannot be compared."},
			{name: "format", metavar: "FORMAT", about: "output format", value: oneOf(&o.print, "format", "human", differenceFormats()...)},
		},
		operands: []operand{
			{metavar: "OLD", takes: aComparable, about: "old profile or directory"},
			{metavar: "NEW", takes: aComparable, about: "new profile or directory"},
		},
		variant: &variant{flag: "base", operands: []operand{{metavar: "PATH", takes: aCheckPath, optional: true, many: true, about: "profile or directory of the working tree"}}},
		status:  "Exit status: 0 no such difference, 1 such a difference, 2 usage error, unreadable file or a profile without a plan.",
		run:     func(c *Command, operands []string) int { return c.diff(o, operands) },
	}
}

// diff compares two profiles, two directories, or a revision with the working tree.
func (c *Command) diff(o diffOptions, operands []string) int {
	view, status, ok := c.viewpoint(o.as, o.kernel)
	if !ok {
		return status
	}
	if o.process != "" && (o.base != "" || isDirectory(operands[0])) {
		return c.usageError("-process requires two files")
	}
	if o.base != "" {
		return c.diffRevision(o, view, operands)
	}
	oldDir, newDir := isDirectory(operands[0]), isDirectory(operands[1])
	switch {
	case oldDir && newDir:
		return c.diffDirectories(o, view, operands[0], operands[1])
	case oldDir:
		return c.fail(fmt.Errorf("%s is a directory and %s is not; pass two profiles or two directories", operands[0], operands[1]))
	case newDir:
		return c.fail(fmt.Errorf("%s is a directory and %s is not; pass two profiles or two directories", operands[1], operands[0]))
	}
	var plans [2]processPlans
	var names [2]string
	for n, arg := range operands {
		list, name, status := c.readAll(arg, exitError)
		if list == nil {
			return status
		}
		names[n], plans[n] = name, processPlans{}
		if o.process != "" && list[0].document != nil {
			r := findProcess(list, o.process)
			if r == nil {
				return c.fail(noProcess(name, o.process, list))
			}
			r.nameProcess(name)
			r.key = ""
			list = []*reviewed{r}
		}
		for _, r := range list {
			if r.unverified != nil {
				return c.fail(fmt.Errorf("%s: %w", r.File, r.unverified))
			}
			r.nameProcess(name)
			plan, findings := engine.Compile(r.Profile, view.from, view.target())
			if plan == nil {
				return c.reportNoPlan(r, findings, exitError)
			}
			if err := plans[n].add(r, plan); err != nil {
				return c.fail(err)
			}
		}
	}
	if len(plans[0]) > 1 || len(plans[1]) > 1 {
		changes := render.Changes{Old: names[0], New: names[1]}
		status := exitOK
		changes.Profiles, status = o.compare("", plans[0], plans[1], false, status)
		if err := o.print.profiles(c, changes); err != nil {
			return c.fail(err)
		}
		return status
	}
	change := newFileChange("", plans[0], plans[1], false)
	if err := o.print.profile(c, *change.Difference); err != nil {
		return c.fail(err)
	}
	if o.fails(change.Kind) {
		return exitFindings
	}
	return exitOK
}

// isDirectory reports whether an argument is a directory, and not a profile.
func isDirectory(arg string) bool {
	info, err := os.Stat(arg)
	return err == nil && info.IsDir()
}

// differenceFormats returns the output formats of diff.
func differenceFormats() []choice[differencePrinter] {
	return []choice[differencePrinter]{
		{"human", differencePrinter{
			func(c *Command, d render.Difference) error { return d.Print(c.Stdout, c.Colour) },
			func(c *Command, d render.Changes) error { return d.Print(c.Stdout, c.Colour) },
		}},
		{"markdown", differencePrinter{
			func(c *Command, d render.Difference) error { return d.Markdown(c.Stdout) },
			func(c *Command, d render.Changes) error { return d.Markdown(c.Stdout) },
		}},
		{"json", differencePrinter{
			func(c *Command, d render.Difference) error { return d.JSON(c.Stdout) },
			func(c *Command, d render.Changes) error { return d.JSON(c.Stdout) },
		}},
	}
}

// differences returns the words of -fail-on, each with the differences that make the
// exit status 1.
func differences() []choice[func(render.Kind) bool] {
	return []choice[func(render.Kind) bool]{
		{"change", func(k render.Kind) bool { return k != render.Unchanged }},
		{"widen", render.Kind.Widens},
		{"never", func(render.Kind) bool { return false }},
	}
}
