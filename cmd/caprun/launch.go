package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// launchOptions are the flags of a launch.
type launchOptions struct {
	set                *flag.FlagSet
	profile            *string
	dryRun, supervised *bool
}

func newLaunchOptions() launchOptions {
	f := flags("caprun")
	return launchOptions{f, f.String("profile", "", ""), f.Bool("dry-run", false, ""), f.Bool("init", false, "")}
}

// launch starts a program in place of caprun, or as its child.
func (c *Command) launch(args []string) int {
	c.Stderr = withoutWaiting(c.Stderr)
	l := newLaunchOptions()
	f, profile := l.set, l.profile
	if status, ok := c.parse(f, args, usage, exitRefused); !ok {
		return status
	}
	if *profile == "" {
		return c.usageError("-profile is missing", usage, exitRefused)
	}
	// Before all that takes time: a parent that ends meanwhile is noticed.
	death, err := engine.CurrentDeathSignal()
	if err != nil {
		return c.refuse(fmt.Errorf("read the caller's state: %w", err))
	}
	src, err := c.findSource(*profile)
	if err != nil {
		return c.refuse(err)
	}
	from, err := engine.Current()
	if err != nil {
		return c.refuse(fmt.Errorf("read the caller's state: %w", err))
	}
	strict := engine.HoldsPrivilege(from)
	text, err := src.text(strict)
	if err != nil {
		return c.refuse(fmt.Errorf("profile %s: %w", src.name, err))
	}
	if *profile == "-" {
		if err := closeStdin(); err != nil {
			return c.refuse(fmt.Errorf("open %s as standard input: %w", os.DevNull, err))
		}
	}
	order := order{Profile: src.name, Text: text, Strict: strict, DryRun: *l.dryRun}
	if *l.supervised {
		return c.supervise(order, from, death, f.Args())
	}
	return c.start(order, from, death, f.Args())
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
func (c *Command) start(o order, from cred.Cred, death engine.DeathSignal, argv []string) int {
	p, diagnostics := policy.Parse(o.Profile, o.Text)
	if p == nil {
		return c.refuseAt(diagnostics)
	}
	plan, diagnostics, err := engine.Prepare(p, from, argv, death)
	if err != nil {
		return c.refusePlan(p, err)
	}
	if plan == nil {
		return c.refuseAt(diagnostics)
	}
	if plan.NeedsTrust() && !o.Strict {
		return c.refuse(fmt.Errorf("profile %s: it was read as by a caller without privilege, and the caller has some; start again", o.Profile))
	}
	for _, e := range plan.Exposed() {
		d := e.Diagnostic(plan)
		if e.Key == "command" && len(argv) > 0 {
			d.Position = policy.Position{} // the program is not the profile's
		}
		c.complain(located(d.File, d.Position, "warning: "+withHint(d.Message, d.Hint)))
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
		printed = printPlan(c.Stdout, plan, planView{start: startText("current", plan.From), environ: os.Environ(), colour: c.Colour})
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
			c.complain(located(d.File, d.Position, withHint(d.Message, d.Hint)))
		}
	}
	return exitRefused
}

// refusePlan prints what the machine lacks for the plan of a profile.
func (c *Command) refusePlan(p *policy.Profile, err error) int {
	var target *engine.TargetError
	var dir *engine.DirectoryError
	var user *engine.UserError
	switch {
	case errors.As(err, &target):
		c.complain(withHint(target.Error(), target.Hint))
		if target.Missing {
			return exitNotFound
		}
		return exitNoExec
	case errors.As(err, &dir):
		c.complain(located(p.File, p.Position(dir.Key), withHint(dir.Error(), dir.Hint)))
	case errors.As(err, &user):
		c.complain(located(p.File, p.Position("user"), withHint(user.Error(), user.Hint)))
	default:
		c.complain(err.Error())
	}
	return exitRefused
}

// refuse prints why a launch did not happen, and returns the status for it.
func (c *Command) refuse(err error) int {
	var launch *engine.LaunchError
	if !errors.As(err, &launch) {
		c.complain(err.Error())
		return exitRefused
	}
	c.complain(located(launch.Plan.Profile.File, launch.Position(), launch.Error()))
	if launch.AtExec {
		return exitNoExec
	}
	return exitRefused
}

func withHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "; " + hint
}

// located puts the place in a profile before a message.
func located(file string, at policy.Position, message string) string {
	if at.IsKnown() {
		return fmt.Sprintf("%s:%v: %s", file, at, message)
	}
	return file + ": " + message
}
