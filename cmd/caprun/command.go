package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"caprun/internal/message"
	"caprun/internal/render"
	"caprun/internal/secureexec"
	"caprun/internal/supervise"
	learnrun "caprun/learn/run"
)

// The exit statuses of subcommands. Those of a launch are in package supervise.
const (
	exitOK       = 0 // done; check: no findings; diff: same; verify: match
	exitFindings = 1 // check: findings; explain: no plan; diff: different; verify: no match
	exitError    = 2 // usage error, or something that cannot be read or written
)

// Command is one invocation of caprun. It reads and writes no other standard
// streams than those of its Env.
type Command struct {
	render.Env

	form *form    // selected by the arguments
	args []string // the arguments

	// worker reports that this process is the worker of learn; descriptor is that of
	// learnrun.WatchGuard.
	worker     bool
	descriptor string
}

// Main runs caprun with its arguments, without the name of the program, and
// returns the exit status.
func (c *Command) Main(args []string) int {
	if err := secureexec.Check(); err != nil {
		c.Stderr = message.Bounded(c.Stderr)
		return supervise.Refuse(&c.Env, err)
	}
	if len(args) > 0 && args[0] == supervise.ChildArgument {
		c.Stderr = message.Bounded(c.Stderr)
		return supervise.RunChild(&c.Env, args[1:])
	}
	if len(args) == 2 && args[0] == learnrun.CommandArgument {
		return learnrun.RunCommand(args[1])
	}
	if len(args) > 1 && args[0] == learnrun.WorkerArgument {
		return c.learnWorker(args[1], args[2:])
	}
	var err error
	c.args = args
	c.form, args, err = findForm(args)
	if c.form.name == "" {
		c.Stderr = message.Bounded(c.Stderr)
	}
	if len(args) == 0 && c.form.name == "" {
		fmt.Fprint(c.Stderr, noArguments)
		return c.form.failure()
	}
	var operands []string
	if err == nil {
		operands, err = c.form.parse(args)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.printHelp(c.form)
	case err != nil:
		return c.usageError(err.Error())
	}
	return c.form.run(c, operands)
}

// usageError reports a mistake in the arguments, with where to find the usage. It
// returns the exit status.
func (c *Command) usageError(what string) int {
	place := ""
	if c.form.name != "" {
		place = c.form.name + ": "
	}
	c.Report(place + what + "; see " + c.form.command() + " -h")
	return c.form.failure()
}

// print writes text to the standard output. It returns the exit status, which is
// not exitOK if the text cannot be written.
func (c *Command) print(text string) int {
	if _, err := io.WriteString(c.Stdout, text); err != nil {
		c.ReportError(err)
		return c.form.failure()
	}
	return exitOK
}

// fail reports the error of a subcommand and returns the exit status.
func (c *Command) fail(err error) int {
	c.ReportError(err)
	return exitError
}
