package main

import (
	"errors"
	"fmt"
	"os"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/internal/render"
	"caprun/internal/source"
	"caprun/policy"
)

// launchOptions are the flags of a launch.
type launchOptions struct {
	profile            string
	dryRun, supervised bool
}

// launchForm is the form that starts a program.
func launchForm() *form { return newLaunchForm(new(launchOptions)) }

// newLaunchForm is launchForm with its flags stored in o.
func newLaunchForm(o *launchOptions) *form {
	return &form{
		about: "start a program",
		help: `The program replaces caprun and keeps its process ID. caprun finds CMD inside the root directory of the profile and, ` +
			`if CMD has no slash, in the PATH that the program gets. Without CMD, the command of the profile runs. ` +
			`Flags end at -- and at the first argument that is not a flag.`,
		flags: []*formFlag{
			{name: "profile", metavar: "PROFILE", about: "profile of the program", required: true, value: pathOf(&o.profile, aProfile),
				more: "If it is -, the program reads /dev/null as standard input."},
			{name: "init", about: "stay as the parent of the program, also as PID 1", value: isSet(&o.supervised),
				more: "caprun forwards signals, reaps orphans and exits with the status of the program (128+n for signal n). " +
					"The kernel kills the program when caprun dies."},
			{name: "dry-run", about: "do every step but the exec, and print the plan", value: isSet(&o.dryRun)},
		},
		operands: []operand{
			{metavar: "CMD", takes: aProgram, optional: true, about: "program"},
			{metavar: "ARG", takes: aFile, optional: true, many: true, about: "argument"},
		},
		status: "Exit status: that of the program; 125 if caprun refuses or fails, 126 if the program cannot be executed, " +
			"127 if it does not exist.",
		run: func(c *Command, argv []string) int { return c.launch(*o, argv) },
	}
}

// launch starts a program in place of caprun, or as its child.
func (c *Command) launch(o launchOptions, argv []string) int {
	// Before all that takes time: a parent that ends meanwhile is noticed.
	death, err := machine.CurrentDeathSignal()
	if err != nil {
		return c.refuse(fmt.Errorf("read the caller's state: %w", err))
	}
	src, err := source.Find(o.profile, c.Stdin)
	if err != nil {
		return c.refuse(err)
	}
	from, err := machine.Current()
	if err != nil {
		return c.refuse(fmt.Errorf("read the caller's state: %w", err))
	}
	strict := engine.HoldsPrivilege(from)
	text, err := src.Text(strict)
	if err != nil {
		return c.refuse(fmt.Errorf("profile %s: %w", src.Name, err))
	}
	if o.profile == "-" {
		if err := closeStdin(); err != nil {
			return c.refuse(fmt.Errorf("open %s as standard input: %w", os.DevNull, err))
		}
	}
	order := order{Profile: src.Name, Text: text, Strict: strict, DryRun: o.dryRun}
	if o.supervised {
		return c.supervise(order, from, death, argv)
	}
	return c.start(order, from, death, argv)
}

// order is a launch that was asked for, when its profile has been read.
type order struct {
	Profile string // what messages call it
	Text    []byte

	// Strict tells that the profile was read as by a caller with privilege:
	// nobody else may be able to write it.
	Strict bool
	DryRun bool

	// Parent is the pid of the supervisor; 0 for none.
	Parent int
}

// start carries out a launch in this process, whose state is from: it is read
// again before the first step. The target gets the parent-death signal death.
func (c *Command) start(o order, from cred.Cred, death machine.DeathSignal, argv []string) int {
	p, diagnostics := policy.Parse(o.Profile, o.Text)
	if p == nil {
		return c.refuseAt(diagnostics)
	}
	plan, diagnostics, err := engine.Prepare(p, from, argv, death)
	if err != nil {
		return c.refuse(err)
	}
	if plan == nil {
		return c.refuseAt(diagnostics)
	}
	if plan.NeedsTrust() && !o.Strict {
		return c.refuse(fmt.Errorf("profile %s: it was read as by a caller without privilege, and the caller has some; start again", o.Profile))
	}
	for _, e := range plan.WritablePaths() {
		d := plan.WritablePathDiagnostic(e)
		if e.Key == "command" && len(argv) > 0 {
			d.Position = policy.Position{} // the program is not the profile's
		}
		c.ReportAt(d.File, d.Position, "warning: "+render.WithHint(d.Message, d.Hint))
	}
	if o.DryRun {
		return c.dryRun(plan)
	}
	return c.refuse(plan.Exec())
}

// dryRun does every step but the exec, and prints the plan.
func (c *Command) dryRun(plan *engine.Plan) int {
	var printed error
	err := plan.DryRun(func(cred.Cred) {
		printed = render.Plan(c.Stdout, plan, render.PlanView{As: "current", Environ: os.Environ(), Colour: c.Colour})
		fmt.Fprintln(c.Stdout, "\nEvery step but the exec was done, and the state read back is the predicted one.")
	})
	if err == nil {
		err = printed
	}
	if err != nil {
		return c.refuse(err)
	}
	return exitOK
}

// refuseAt prints why a profile cannot be launched.
func (c *Command) refuseAt(diagnostics []policy.Diagnostic) int {
	for _, d := range diagnostics {
		if d.Severity == policy.Error {
			c.ReportAt(d.File, d.Position, render.WithHint(d.Message, d.Hint))
		}
	}
	return exitRefused
}

// refuse reports why a launch did not happen, and returns the status for it.
func (c *Command) refuse(err error) int {
	c.Report(render.Error(err))
	var failed *machine.Error
	switch {
	case !errors.As(err, &failed):
	case failed.Missing:
		return exitNotFound
	case failed.NotExecutable:
		return exitNoExec
	}
	return exitRefused
}
