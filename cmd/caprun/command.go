package main

import (
	"errors"
	"flag"
	"io"

	"caprun/internal/message"
	"caprun/internal/render"
	"caprun/internal/secureexec"
	"caprun/internal/supervise"
)

// The exit statuses of subcommands. Those of a launch are in package supervise.
const (
	exitOK       = 0 // done; clean
	exitFindings = 1 // check: findings; explain: no plan; verify: no match
	exitTrouble  = 2 // usage, or a file that cannot be read
)

// Command is one invocation of caprun. What it does to its process apart, it
// touches nothing but these.
type Command struct {
	render.Env

	form *form // the form that runs
}

// Main runs caprun with its arguments, the program's name left out, and
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
	c.form, args = findForm(args)
	if c.form.name == "" {
		c.Stderr = message.Bounded(c.Stderr)
	}
	operands, err := c.form.parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.printHelp(c.form)
	case err != nil:
		return c.usageError(err.Error())
	}
	return c.form.run(c, operands)
}

// usageError reports what is wrong with the arguments, and returns the exit
// status.
func (c *Command) usageError(what string) int {
	place := ""
	if c.form.name != "" {
		place = c.form.name + ": "
	}
	c.Report(place + what + "; see " + c.form.command() + " -h")
	return c.form.failure()
}

// print writes text to the standard output, and returns the exit status. Output
// that cannot be written is not a success.
func (c *Command) print(text string) int {
	if _, err := io.WriteString(c.Stdout, text); err != nil {
		c.ReportError(err)
		return c.form.failure()
	}
	return exitOK
}

// fail reports why a command that starts nothing could not do its work, and
// returns the exit status.
func (c *Command) fail(err error) int {
	c.ReportError(err)
	return exitTrouble
}
