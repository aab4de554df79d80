package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"caprun/internal/clean"
)

// The exit statuses. A launch that succeeds has the status of the target.
const (
	exitOK       = 0   // done; clean
	exitFindings = 1   // check: findings; explain: no plan; verify: no match
	exitTrouble  = 2   // usage, or a file that cannot be read
	exitRefused  = 125 // a launch refused or failed
	exitNoExec   = 126 // the program was found and cannot be executed
	exitNotFound = 127 // there is no such program
)

// Command is one invocation of caprun. What it does to its process apart, it
// touches nothing but these.
type Command struct {
	Stdin          *os.File
	Stdout, Stderr io.Writer
	Colour         bool // stdout shows it

	// parsing, in tests, is told of the flags that a form parses.
	parsing func(*flag.FlagSet)
}

// subcommand is a form of the command that its first argument names.
type subcommand struct {
	name string
	run  func(*Command, []string) int
}

// Main runs caprun with its arguments, the program's name left out, and
// returns the exit status.
func (c *Command) Main(args []string) int {
	if err := checkSecureMode(); err != nil {
		c.Stderr = withoutWaiting(c.Stderr)
		return c.refuse(err)
	}
	if len(args) > 0 {
		if args[0] == childArgument {
			return c.initChild(args[1:])
		}
		for _, s := range subcommands {
			if s.name == args[0] {
				return s.run(c, args[1:])
			}
		}
	}
	return c.launch(args)
}

// flags returns a flag set that prints nothing by itself.
func flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// parse parses the arguments of one form of the command. ok is false when the
// command is done, with status.
func (c *Command) parse(f *flag.FlagSet, args []string, usage string, failed int) (status int, ok bool) {
	if c.parsing != nil {
		c.parsing(f)
	}
	f.VisitAll(func(f *flag.Flag) { f.Value = &countedValue{Value: f.Value} })
	err := f.Parse(args)
	if err == nil {
		err = checkRepeated(f)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.Stdout, usage)
		return exitOK, false
	case err != nil:
		return c.usageError(err.Error(), usage, failed), false
	}
	return exitOK, true
}

// countedValue is the value of a flag that counts how often it is set.
type countedValue struct {
	flag.Value
	times int
}

// Set sets the value.
func (v *countedValue) Set(text string) error {
	v.times++
	return v.Value.Set(text)
}

// IsBoolFlag reports whether the flag needs no argument.
func (v *countedValue) IsBoolFlag() bool {
	b, ok := v.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// checkRepeated refuses a flag that is given more than once: which of its values
// was meant, of two profiles for example, is not known.
func checkRepeated(f *flag.FlagSet) (err error) {
	f.Visit(func(f *flag.Flag) {
		if v, ok := f.Value.(*countedValue); ok && v.times > 1 && err == nil {
			err = fmt.Errorf("flag given more than once: -%s", f.Name)
		}
	})
	return err
}

// usageError says what is wrong with the arguments.
func (c *Command) usageError(what, usage string, status int) int {
	c.complain(what)
	line, _, _ := strings.Cut(usage, "\n\n")
	fmt.Fprintln(c.Stderr, line)
	fmt.Fprintln(c.Stderr, `Try "caprun help".`)
	return status
}

// complain prints one message to the standard error: one line, whatever names of
// files and arguments are in it.
func (c *Command) complain(message string) {
	fmt.Fprintln(c.Stderr, "caprun: "+clean.Text(message))
}
