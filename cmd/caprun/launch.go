package main

import (
	"fmt"
	"os"

	"caprun/engine/machine"
	"caprun/internal/source"
	"caprun/internal/supervise"
)

// launchOptions are the flags of a launch.
type launchOptions struct {
	profile            string
	dryRun, supervised bool
	group              bool
}

// launchForm is the form that starts a program.
func launchForm() *form { return newLaunchForm(new(launchOptions)) }

// newLaunchForm is launchForm; it stores the flags in o.
func newLaunchForm(o *launchOptions) *form {
	return &form{
		about: "start a program",
		help: `The program replaces caprun and keeps its process ID. caprun finds CMD inside the root directory of the profile and, ` +
			`if CMD has no slash, in the PATH that the program gets. Without CMD, the command of the profile runs. ` +
			`Flags end at -- and at the first argument that is not a flag.`,
		flags: []*formFlag{
			{name: "profile", metavar: "PROFILE", about: "privileges of the program", required: true, value: nonEmpty(&o.profile, aProfile),
				more: "If PROFILE is -, the standard input of the program is /dev/null."},
			{name: "init", about: "stay as the parent of the program, also as PID 1", value: isSet(&o.supervised),
				more: "caprun forwards signals, reaps orphans and exits with the status of the program. If signal n ends the program, " +
					"the status is 128+n; if that is SIGINT, SIGQUIT or SIGTERM, the same signal ends caprun, unless it is process 1. " +
					"The kernel kills the program when caprun ends."},
			{name: "init-group", about: "forward signals to the process group of the program", value: isSet(&o.group),
				more: "Only with -init. The default is to forward signals to the program alone."},
			{name: "dry-run", about: "do every step except exec, and print the plan", value: isSet(&o.dryRun)},
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

// launch executes the program in this process, or with -init in a child.
func (c *Command) launch(o launchOptions, argv []string) int {
	if o.group && !o.supervised {
		return c.usageError("-init-group requires -init")
	}
	request, err := c.readRequest(o, argv)
	switch {
	case err != nil:
		return supervise.Refuse(&c.Env, err)
	case o.supervised:
		return request.Supervise(&c.Env)
	}
	return request.Start(&c.Env)
}

// readRequest reads the profile of a launch and the state of the caller.
func (c *Command) readRequest(o launchOptions, argv []string) (r supervise.Request, err error) {
	// First of all, to notice a parent that ends while caprun reads the rest.
	if r.Death, err = machine.CurrentDeathSignal(); err != nil {
		return r, fmt.Errorf("read the caller's state: %w", err)
	}
	src, err := source.Find(o.profile, c.Stdin)
	if err != nil {
		return r, err
	}
	if r.From, err = machine.CurrentCred(); err != nil {
		return r, fmt.Errorf("read the caller's state: %w", err)
	}
	r.Profile, r.Argv, r.DryRun, r.Strict = src.Name, argv, o.dryRun, machine.HasPrivilege(r.From)
	r.Group = o.group
	if r.Text, err = src.Text(r.Strict); err != nil {
		return r, fmt.Errorf("profile %s: %w", src.Name, err)
	}
	if o.profile == "-" {
		if err := supervise.NullStdin(); err != nil {
			return r, fmt.Errorf("open %s as standard input: %w", os.DevNull, err)
		}
	}
	return r, nil
}

// selectsInit reports whether arguments start a launch with -init.
func selectsInit(args []string) bool {
	var o launchOptions
	_, err := newLaunchForm(&o).parse(args)
	return err == nil && o.supervised
}
